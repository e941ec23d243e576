import { setTimeout as delay } from 'node:timers/promises';

import { encodeRequest } from '../../support/raw-client.ts';
import { BadClient } from '../bad-client.ts';
import type { Random } from '../random.ts';
import type { Strategy } from '../strategy.ts';

const CACHED_BYTES = 20_000;
const BIG_BYTES = 400_000;

/** Asks for far more than it reads: nothing at all, or a byte now and then. nearcache may stop reading from it or close
 *  it; what it holds for it stays bounded (the run looks at that), and others do not notice. */
export const slowReaders: Strategy = {
  name: 'slow readers',
  workers: 3,
  async round(target, random) {
    const client = await BadClient.connect(target.port);
    await client.raw.call('SET', 'fuzz:slow:cached', 'c'.repeat(CACHED_BYTES));
    await client.raw.call('SET', 'fuzz:slow:big', 'b'.repeat(BIG_BYTES));
    await client.raw.call('GET', 'fuzz:slow:cached');
    const { socket } = client.raw;
    socket.on('data', () => socket.pause());
    socket.pause();
    const pipeline = greedy(random);
    const until = performance.now() + random.int(500, 4000);
    const readsSome = random.chance(0.5);
    while (performance.now() < until && !socket.destroyed) {
      if (socket.writableLength < 1_000_000) socket.write(pipeline);
      if (readsSome) socket.resume();
      await delay(random.int(5, 50));
      await target.throttle.rest();
    }
    const wasClosed = socket.destroyed;
    const wasHeldBack = socket.writableLength > 0;
    client.reset();
    if (wasClosed) return 'closed by nearcache';
    return wasHeldBack ? 'no longer read from' : 'answered';
  },
};

function greedy(random: Random): Buffer {
  const request = random.pick([
    ['GET', 'fuzz:slow:cached'],
    ['GET', 'fuzz:slow:big'],
    ['ECHO', 'e'.repeat(10_000)],
    ['EVAL', 'return string.rep("x", 100000)', '0'],
    ['COMMAND', 'INFO', 'GET', 'SET', 'DEL', 'MGET', 'XADD', 'ZADD', 'SORT', 'EVAL'],
  ]);
  const prefix = random.chance(0.5) ? encodeRequest(['DBSIZE']) : Buffer.alloc(0);
  const bytes = encodeRequest(request);
  return Buffer.concat([prefix, ...Array.from({ length: random.int(1, 1000) }, () => bytes)]).subarray(
    0,
    2_000_000,
  );
}
