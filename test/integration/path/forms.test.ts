// One entry serves sessions of RESP2 and RESP3, each with the bytes that Redis would have sent it.
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';

import { connectRaw } from '../../support/raw-client.ts';
import type { RawClient } from '../../support/raw-client.ts';
import { say, Sidecar } from '../../support/sidecar.ts';

let sidecar: Sidecar;

beforeAll(async () => {
  sidecar = await Sidecar.start({ flags: '--max-staleness 30s --cache-negative-ttl 1m' });
});
afterEach(() => sidecar.endSessions());
afterAll(() => sidecar.stop());

const data = [
  ['FLUSHALL'],
  ['SET', 'string', 'v'],
  ['HSET', 'hash', 'f', '1', 'g', '2'],
  ['ZADD', 'zset', '1', 'one', '2.5', 'two', 'inf', 'endless'],
  ['SADD', 'set', 'x', 'y'],
  ['RPUSH', 'list', 'a', 'b'],
  ['XADD', 'stream', '1-1', 'f', 'v'],
  ['GEOADD', 'geo', '13.36', '38.11', 'palermo'],
];

async function app(proto: string): Promise<RawClient> {
  const client = await sidecar.app();
  await client.call('HELLO', proto);
  return client;
}

async function truthOf(read: readonly string[], proto: string): Promise<Buffer> {
  const direct = await connectRaw({ port: sidecar.redis.port });
  await direct.call('HELLO', proto);
  const truth = await direct.call(...read);
  direct.close();
  return truth;
}

const reads = [
  ['GET', 'string'],
  ['GET', 'missing'],
  ['HGETALL', 'hash'],
  ['HGETALL', 'missing'],
  ['HMGET', 'hash', 'f', 'nothing'],
  ['ZRANGE', 'zset', '0', '-1', 'WITHSCORES'],
  ['ZRANGE', 'zset', '0', '-1'],
  ['ZSCORE', 'zset', 'endless'],
  ['ZMSCORE', 'zset', 'two', 'nothing'],
  ['SMEMBERS', 'set'],
  ['LRANGE', 'list', '0', '-1'],
  ['XRANGE', 'stream', '-', '+'],
  ['GEOPOS', 'geo', 'palermo', 'nothing'],
];
const orders = [
  ['3', '2', '3', '2', '2'],
  ['2', '3', '2', '3', '3'],
];

test.each(reads.flatMap((read) => orders.map((order) => [read, order] as const)))(
  '%j, asked for in RESP %j, is read once',
  async (read, order) => {
    const name = (read[0] as string).toLowerCase();
    // What an earlier case has cached goes with it.
    for (const write of data) await sidecar.direct.call(...write);
    const truths = new Map([
      ['2', await truthOf(read, '2')],
      ['3', await truthOf(read, '3')],
    ]);
    await sidecar.caughtUp();
    const runs = await sidecar.runs(name);
    for (const proto of order) {
      expect((await (await app(proto)).call(...read)).equals(truths.get(proto) as Buffer)).toBe(true);
    }
    expect(await sidecar.runs(name)).toBe(runs + 1);
  },
);

test('both forms go with a write', async () => {
  const [two, three] = [await app('2'), await app('3')];
  await say(sidecar.direct, 'HSET', 'both', 'f', 'old');
  for (const client of [three, two, two]) await client.call('HGETALL', 'both');
  await say(sidecar.direct, 'HSET', 'both', 'f', 'new');
  await sidecar.caughtUp();
  expect(String(await two.call('HGETALL', 'both'))).toBe('*2\r\n$1\r\nf\r\n$3\r\nnew\r\n');
  expect(String(await three.call('HGETALL', 'both'))).toBe('%1\r\n$1\r\nf\r\n$3\r\nnew\r\n');
});

test('a reply that comes in any number of pieces is cached whole', async () => {
  const cut = await Sidecar.start({
    flags: '--max-staleness 30s',
    isGated: false,
    relay: { splitBytes: 1000 },
  });
  try {
    const client = await cut.app();
    for (const bytes of [10, 990, 1001, 5000, 70_000, 200_000]) {
      const value = Buffer.alloc(bytes, '0123456789');
      await cut.direct.call('SET', 'k', value);
      await cut.caughtUp();
      expect(await cut.warm(client, 'GET', 'k')).toBe(String(value));
      await cut.direct.call('DEL', 'h');
      await cut.direct.call('HSET', 'h', 'f', value);
      await cut.caughtUp();
      expect(await cut.warm(client, 'HGETALL', 'h')).toHaveLength(
        bytes + `*2\r\n$1\r\nf\r\n$${bytes}\r\n`.length,
      );
    }
  } finally {
    await cut.stop();
  }
});
