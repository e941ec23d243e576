import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { frameEnd } from '../support/frame-reader.ts';
import { parseWithOracle } from '../support/redis-parser-oracle.ts';
import {
  cut,
  cuts,
  type RespModel,
  resp2Of,
  resp2Values,
  resp3Values,
  wireOf,
} from '../support/resp-arbitrary.ts';
import { type Scanned, scanChunks } from '../support/scanning.ts';

const TIME_BOX = { interruptAfterTimeLimit: 3_000, numRuns: 2_000 };

const nearlyReplies = fc
  .array(
    fc.constantFrom(
      '*',
      '$',
      '%',
      '|',
      '>',
      '1',
      '2',
      '0',
      '-',
      '\r\n',
      '\r',
      '\n',
      'x',
      '+OK\r\n',
      '*2\r\n',
      '$1\r\nx\r\n',
      '_\r\n',
      '|1\r\n',
      '%1\r\n',
      '\0',
      '\xff',
    ),
    { maxLength: 40 },
  )
  .map((parts) => Buffer.from(`${parts.join('')}.`, 'latin1'));

describe('ReplyScanner', () => {
  it('cuts RESP3 replies where they end however the bytes arrive', () => {
    fc.assert(
      fc.property(fc.array(resp3Values, { minLength: 1, maxLength: 6 }), cuts, (replies, places) => {
        const frames = replies.map(wireOf);
        const scanned = scanChunks(cut(latin1(frames.join('')), places));
        expect(scanned).toEqual(replies.map((reply) => ({ frame: wireOf(reply), ...kindOf(reply) })));
      }),
      TIME_BOX,
    );
  });

  it('agrees with redis-parser about every RESP2 reply', () => {
    fc.assert(
      fc.property(fc.array(resp2Values, { minLength: 1, maxLength: 6 }), cuts, (replies, places) => {
        const wire = latin1(replies.map(wireOf).join(''));
        const scanned = scanChunks(cut(wire, places)) as Scanned[];
        const parsed = scanned.flatMap(({ frame }) => parseWithOracle(latin1(frame)));
        expect(parsed).toEqual(parseWithOracle(wire));
        expect(parsed).toEqual(replies.map(resp2Of));
        expect(scanned.some(({ hasResp3 }) => hasResp3)).toBe(false);
      }),
      TIME_BOX,
    );
  });

  it('comes to the same frames or error for any bytes however they are cut', () => {
    fc.assert(
      fc.property(nearlyReplies, cuts, (bytes, places) => {
        const whole = scanChunks([bytes]);
        expect(scanChunks(cut(bytes, places))).toEqual(whole);
        for (const scanned of whole) {
          // The oracle ends a line at any line feed.
          if ('frame' in scanned && !/[^\r]\n/.test(scanned.frame))
            expect(frameEnd(latin1(scanned.frame), 0)).toBe(scanned.frame.length);
        }
      }),
      { ...TIME_BOX, numRuns: 5_000 },
    );
  });
});

function kindOf(reply: RespModel): { type: string; hasResp3: boolean } {
  return {
    type: typeOf(reply),
    hasResp3: reply.type === '>' ? reply.items.some(holdsResp3) : holdsResp3(reply),
  };
}

function typeOf(reply: RespModel): string {
  if (reply.type === 'nil-bulk') return '$';
  if (reply.type === 'nil-array') return '*';
  return reply.type === '|' ? typeOf(reply.value) : reply.type;
}

function holdsResp3(value: RespModel): boolean {
  if ('_%~,#(=|!>'.includes(value.type)) return true;
  return 'items' in value && value.items.some(holdsResp3);
}

function latin1(text: string): Buffer {
  return Buffer.from(text, 'latin1');
}
