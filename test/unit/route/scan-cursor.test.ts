import { describe, expect, it } from 'vitest';

import { planScan, scanReply } from '../../../src/route/scan-cursor.ts';
import { requestOf } from '../../support/request-of.ts';

const SHARD = 2n ** 48n;

function step(cursor: string, shards: readonly number[], ...options: string[]): string {
  const planned = planScan(requestOf('SCAN', cursor, ...options), shards);
  if (Buffer.isBuffer(planned)) return words(planned);
  return `shard ${planned.shard}: ${words(planned.bytes)}`;
}

function words(frame: Buffer): string {
  return frame.toString('latin1').slice(0, -2).replaceAll('\r\n', ' ');
}

function reply(cursor: string, shard: number, shards: readonly number[]): string {
  return words(
    scanReply(Buffer.from(`*2\r\n$${cursor.length}\r\n${cursor}\r\n*1\r\n$1\r\na\r\n`), shard, shards),
  );
}

describe('a scan over several shards', () => {
  it('begins on the first shard with its request as it is', () => {
    expect(step('0', [0, 1, 2], 'MATCH', 'a*')).toBe('shard 0: *4 $4 SCAN $1 0 $5 MATCH $2 a*');
    expect(step('0', [3, 5])).toBe('shard 3: *2 $4 SCAN $1 0');
  });

  it('goes on with the cursor of the shard', () => {
    expect(step(String(2n * SHARD + 77n), [0, 1, 2], 'COUNT', '9')).toBe(
      'shard 2: *4 $4 SCAN $2 77 $5 COUNT $1 9',
    );
    expect(step(String(65535n * SHARD + SHARD - 1n), [65535])).toBe(
      'shard 65535: *2 $4 SCAN $15 281474976710655',
    );
  });

  it('goes on at the beginning of the next shard when the one of its cursor is gone', () => {
    expect(step(String(SHARD + 77n), [0, 2, 5])).toBe('shard 2: *2 $4 SCAN $1 0');
  });

  it('ends when no shard is left', () => {
    expect(step(String(3n * SHARD + 77n), [0, 1, 2])).toBe('*2 $1 0 *0');
  });

  it.each(['', 'x', '-1', '+1', ' 1', '1 ', '18446744073709551616', '999999999999999999999'])(
    'leaves it to Redis to refuse the cursor %j',
    (cursor) => {
      expect(step(cursor, [0, 1])).toBe(`shard 0: *2 $4 SCAN $${cursor.length} ${cursor}`);
    },
  );

  it('leaves it to Redis to miss the cursor', () => {
    expect(planScan(requestOf('SCAN'), [4, 5])).toMatchObject({
      shard: 4,
      bytes: Buffer.from('*1\r\n$4\r\nSCAN\r\n'),
    });
  });
});

describe('a reply of one shard', () => {
  it('leads on with the same shard while that has more', () => {
    expect(reply('12', 0, [0, 1])).toBe('*2 $2 12 *1 $1 a');
    expect(reply('12', 1, [0, 1])).toBe(`*2 $15 ${SHARD + 12n} *1 $1 a`);
  });

  it('leads to the next shard when that one is done, and ends with the last', () => {
    expect(reply('0', 0, [0, 4, 7])).toBe(`*2 $16 ${4n * SHARD} *1 $1 a`);
    expect(reply('0', 4, [0, 4, 7])).toBe(`*2 $16 ${7n * SHARD} *1 $1 a`);
    expect(reply('0', 7, [0, 4, 7])).toBe('*2 $1 0 *1 $1 a');
  });

  it('leads to the next shard also when the one that answered is gone', () => {
    expect(reply('0', 4, [0, 7])).toBe(`*2 $16 ${7n * SHARD} *1 $1 a`);
  });

  it('with a cursor that leaves no room is an error', () => {
    expect(reply(String(SHARD - 1n), 1, [1])).toBe(`*2 $15 ${2n * SHARD - 1n} *1 $1 a`);
    expect(reply(String(SHARD), 0, [0])).toMatch(/^-ERR nearcache: the cursor of a shard is too large/);
  });

  it.each(['-ERR invalid cursor\r\n', '*2\r\n:0\r\n*0\r\n', '*2\r\n$1\r\nx\r\n*0\r\n', '*2\r\n$1'])(
    'that is none to SCAN stays as it is: %j',
    (frame) => {
      expect(scanReply(Buffer.from(frame), 0, [0, 1]).toString()).toBe(frame);
    },
  );
});
