import { Queue, QueueEvents, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { createClient, WatchError } from 'redis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';

import { type Nearcache, startNearcache } from '../../../src/drill/servers/nearcache-process.ts';
import { runProgram } from '../../support/program.ts';
import { connectRaw, encodeRequest } from '../../support/raw-client.ts';
import { type RedisServer, startRedis } from '../../support/redis-server.ts';
import { type Behind, topologies } from '../../support/topologies.ts';

/** Names of many shards. */
const NAMES = Array.from({ length: 300 }, (_, i) => `key:${String(i).padStart(3, '0')}`);

let plain: RedisServer;
let behind: Behind;
let nearcache: Nearcache;
const open: { close(): unknown }[] = [];

beforeAll(async () => {
  plain = await startRedis();
});

afterAll(() => plain.stop());

afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.close();
});

async function cli(
  { port }: { port: number },
  args: readonly string[],
  input?: string | Buffer,
): Promise<string> {
  const result = await runProgram('redis-cli', ['-p', String(port), ...args], input);
  expect(result).toMatchObject({ code: 0, stderr: '' });
  return result.stdout;
}

/** How many clients block, at all servers together. */
async function blockedClients(): Promise<number> {
  const counts = await Promise.all(
    behind.ports.map(async (port) => {
      const client = await connectRaw({ port });
      const info = (await client.call('INFO', 'clients')).toString();
      client.close();
      return Number(/blocked_clients:(\d+)/.exec(info)?.[1]);
    }),
  );
  return counts.reduce((sum, count) => sum + count, 0);
}

for (const topology of topologies) {
  describe(topology.name, () => {
    beforeAll(async () => {
      behind = await topology.start();
      nearcache = await startNearcache({ upstream: behind.upstream });
    });

    afterAll(async () => {
      await nearcache.stop();
      await behind.stop();
    });

    beforeEach(async () => {
      await cli(nearcache, ['FLUSHALL']);
    });

    describe.each([2, 3] as const)('ioredis in RESP%i', (protocol) => testIoredis(protocol));
    describe.each([2, 3] as const)('node-redis in RESP%i', (version) => testNodeRedis(version));
    describe.each(['-2', '-3'])('redis-cli %s', (version) => testRedisCli(version));
    describe.each([2, 3] as const)('BullMQ over RESP%i', (protocol) => testBullMQ(protocol));
  });
}

function testIoredis(protocol: 2 | 3): void {
  const connect = (): Redis => {
    const client = new Redis({ host: '127.0.0.1', port: nearcache.port, protocol });
    client.on('error', () => {});
    open.push({ close: () => client.disconnect() });
    return client;
  };

  test('reads what it wrote, one by one, many at once and in pipelines', async () => {
    const client = connect();
    await client.mset(NAMES.flatMap((name) => [name, name]));
    for (let i = 0; i < 2; i++) expect(await client.mget(NAMES)).toEqual(NAMES);
    const pipeline = client.pipeline();
    for (const name of NAMES) pipeline.get(name).incr('counter').del(name).exists(name);
    const replies = (await pipeline.exec())?.map(([, reply]) => reply);
    expect(replies).toEqual(NAMES.flatMap((name, i) => [name, i + 1, 1, 0]));
  });

  test('runs transactions, whole and step by step, and aborts them', async () => {
    const [client, other] = [connect(), connect()];
    expect(await client.multi().set('{t}a', '1').incr('{t}a').hset('{t}h', 'f', 'v').exec()).toEqual([
      [null, 'OK'],
      [null, 2],
      [null, 1],
    ]);
    await client.multi({ pipeline: false });
    await client.incr('{t}a');
    expect(await client.exec()).toEqual([[null, 3]]);
    await client.watch('{t}a');
    await other.set('{t}a', '10');
    expect(await client.multi().set('{t}a', '11').exec()).toBeNull();
    expect(await client.get('{t}a')).toBe('10');
  });

  test('waits for what another client pushes', async () => {
    const [waiting, other] = [connect(), connect()];
    const popped = waiting.blpop('queue', 0);
    await expect.poll(blockedClients).toBe(1);
    await other.rpush('queue', 'job');
    expect(await popped).toEqual(['queue', 'job']);
  });

  test('runs a script by its hash, wherever its keys are', async () => {
    const client = connect();
    client.defineCommand('double', {
      numberOfKeys: 1,
      lua: 'redis.call("set", KEYS[1], ARGV[1] * 2) return ARGV[1] * 2',
    });
    const { double } = client as unknown as { double: (key: string, n: number) => Promise<number> };
    for (const [i, name] of NAMES.slice(0, 20).entries()) {
      expect(await double.call(client, name, i)).toBe(2 * i);
      expect(await client.get(name)).toBe(String(2 * i));
    }
  });

  test('scans every key once', async () => {
    const client = connect();
    await client.mset(NAMES.flatMap((name) => [name, '']));
    const seen: string[] = [];
    for await (const batch of client.scanStream({ match: 'key:*', count: 50 }))
      seen.push(...(batch as string[]));
    expect(seen.toSorted()).toEqual(NAMES);
    expect(await client.dbsize()).toBe(NAMES.length);
  });
}

function testNodeRedis(version: 2 | 3): void {
  const connect = async () => {
    const client = createClient({
      RESP: version as 3,
      socket: { port: nearcache.port, host: '127.0.0.1' },
    });
    open.push({ close: () => client.destroy() });
    return client.connect();
  };

  test('reads what it wrote, one by one and many at once', async () => {
    const client = await connect();
    await client.mSet(NAMES.flatMap((name) => [name, name]));
    for (let i = 0; i < 2; i++) expect(await client.mGet(NAMES)).toEqual(NAMES);
    const replies = await Promise.all(
      NAMES.flatMap((name) => [client.get(name), client.del(name), client.get(name)]),
    );
    expect(replies).toEqual(NAMES.flatMap((name) => [name, 1, null]));
  });

  test('runs transactions and aborts them when a watched key changed', async () => {
    const [client, other] = [await connect(), await connect()];
    expect(await client.multi().set('{t}a', '1').incr('{t}a').get('{t}a').exec()).toEqual(['OK', 2, '2']);
    await client.watch('{t}a');
    await other.set('{t}a', '10');
    await expect(client.multi().set('{t}a', '11').exec()).rejects.toThrow(WatchError);
    expect(await client.get('{t}a')).toBe('10');
  });

  test('iterates over every key once', async () => {
    const client = await connect();
    await client.mSet(NAMES.flatMap((name) => [name, '']));
    const seen: string[] = [];
    for await (const keys of client.scanIterator({ MATCH: 'key:*', COUNT: 50 })) seen.push(...keys);
    expect(seen.toSorted()).toEqual(NAMES);
  });
}

function testRedisCli(version: string): void {
  test('prints what it prints at one Redis', async () => {
    const script = [
      'SET greeting "hello \\x00 world"',
      'GET greeting',
      'HSET user name ann age 7',
      'HGETALL user',
      'ZADD scores 1.5 ann 2 bob',
      'ZRANGE scores 0 -1 WITHSCORES',
      'MSET a 1 b 2 c 3',
      'MGET a b c absent',
      'DEL a b absent',
      'DBSIZE',
      'LPUSH greeting x',
      'NOSUCH command',
      'GET',
      'MULTI',
      'INCR {t}n',
      'GET {t}m',
      'EXEC',
      'EVAL "return {1, redis.call(\'GET\', KEYS[1])}" 1 {t}n',
      'XADD log 1-1 f v',
      'XRANGE log - +',
      'FLUSHALL',
    ].join('\n');
    const through = await cli(nearcache, [version], script);
    expect(through).toBe(await cli(plain, [version], script));
    expect(through).toContain('hello');
  });

  test('inserts masses of keys with --pipe, and scans them', async () => {
    const count = 5_000;
    const requests = Array.from({ length: count }, (_, i) =>
      encodeRequest(['SET', `mass:${i}`, `value ${i}`]),
    );
    expect(await cli(nearcache, [version, '--pipe'], Buffer.concat(requests))).toContain(
      `errors: 0, replies: ${count}`,
    );
    const scanned = await cli(nearcache, [version, '--scan', '--pattern', 'mass:*']);
    expect(new Set(scanned.trim().split('\n')).size).toBe(count);
    expect(await cli(nearcache, ['DBSIZE'])).toBe(`${count}\n`);
  });
}

function testBullMQ(protocol: 2 | 3): void {
  const connection = () => ({
    host: '127.0.0.1',
    port: nearcache.port,
    protocol,
    maxRetriesPerRequest: null,
  });

  test('runs each of 200 jobs exactly once on three workers and tells of each', async () => {
    const prefix = '{bull}';
    const queue = new Queue('many', { connection: connection(), prefix });
    const events = new QueueEvents('many', { connection: connection(), prefix });
    open.push(queue, events);
    await Promise.all([queue.waitUntilReady(), events.waitUntilReady()]);
    const told: string[] = [];
    events.on('completed', ({ jobId, returnvalue }) => told.push(`${jobId}=${returnvalue}`));
    const runs: string[] = [];
    for (let i = 0; i < 3; i++) {
      const worker = new Worker(
        'many',
        async (job) => {
          runs.push(job.id as string);
          return `done ${job.data.n}`;
        },
        { connection: connection(), prefix, concurrency: 10 },
      );
      worker.on('error', () => {});
      open.push(worker);
      await worker.waitUntilReady();
    }

    const jobs = await queue.addBulk(Array.from({ length: 200 }, (_, n) => ({ name: 'job', data: { n } })));

    await expect.poll(() => told.length, { timeout: 20_000 }).toBe(200);
    expect(told.toSorted()).toEqual(jobs.map((job, n) => `${job.id}=done ${n}`).toSorted());
    expect(runs.toSorted()).toEqual(jobs.map((job) => job.id as string).toSorted());
    expect(await queue.getJobCounts('completed', 'failed', 'active', 'waiting')).toEqual({
      completed: 200,
      failed: 0,
      active: 0,
      waiting: 0,
    });
  });
}
