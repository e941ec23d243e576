import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { invalidatedKeys } from '../../../src/shard/invalidation-push.ts';

/** Read a frame that stands between others, as it does in a read buffer. */
function keysOf(frame: string): string[] | 'all' | undefined {
  const before = '+OK\r\n';
  const bytes = Buffer.from(`${before}${frame}:1\r\n`, 'latin1');
  return invalidatedKeys(bytes, before.length, before.length + frame.length);
}

function pushOf(keys: readonly string[]): string {
  const items = keys.map((key) => `$${key.length}\r\n${key}\r\n`).join('');
  return `>2\r\n$10\r\ninvalidate\r\n*${keys.length}\r\n${items}`;
}

describe('invalidatedKeys', () => {
  it('names the keys of a push', () => {
    expect(keysOf(pushOf(['a', 'user:1', '']))).toEqual(['a', 'user:1', '']);
  });

  it('names any bytes, one char a byte', () => {
    const key = fc.string({
      unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)),
    });
    fc.assert(
      fc.property(fc.array(key, { maxLength: 20 }), (keys) => {
        expect(keysOf(pushOf(keys))).toEqual(keys);
      }),
      { interruptAfterTimeLimit: 2000 },
    );
  });

  it.each(['_\r\n', '*-1\r\n', '$-1\r\n'])('takes the null %j for everything', (nil) => {
    expect(keysOf(`>2\r\n$10\r\ninvalidate\r\n${nil}`)).toBe('all');
  });

  it.each([
    '>3\r\n$7\r\nmessage\r\n$1\r\na\r\n$1\r\nb\r\n',
    '>3\r\n$10\r\ninvalidate\r\n*0\r\n*0\r\n',
    '>2\r\n$10\r\ninvalidatf\r\n*0\r\n',
    '>2\r\n$1\r\na\r\n*0\r\n',
    '>0\r\n',
  ])('leaves %j alone', (frame) => {
    expect(keysOf(frame)).toBeUndefined();
  });
});
