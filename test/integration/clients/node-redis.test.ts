import { BasicClientSideCache, createClient, createClientPool, RESP_TYPES, WatchError } from 'redis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';

import { type Nearcache, startNearcache } from '../../../src/drill/servers/nearcache-process.ts';
import { connectRaw } from '../../support/raw-client.ts';
import { type RedisServer, startRedis } from '../../support/redis-server.ts';

let server: RedisServer;
let nearcache: Nearcache;
const open: { destroy(): void }[] = [];

beforeAll(async () => {
  server = await startRedis();
  nearcache = await startNearcache({ upstream: server.port });
});

afterAll(async () => {
  await nearcache.stop();
  await server.stop();
});

beforeEach(async () => {
  await direct('FLUSHALL');
});

afterEach(() => {
  for (const client of open.splice(0)) client.destroy();
});

/** Asks Redis itself. */
async function direct(...args: string[]): Promise<string> {
  const client = await connectRaw(server);
  const reply = await client.call(...args);
  client.close();
  return reply.toString('latin1');
}

// The version decides the types of replies; what is asserted here is the same in both.
describe.each([2, 3] as const)('node-redis in RESP%i', (version) => {
  const RESP = version as 3;
  const connect = async () => {
    const client = createClient({ RESP, socket: { port: nearcache.port, host: '127.0.0.1' } });
    open.push(client);
    return client.connect();
  };

  test('gets from the near-cache what it set', async () => {
    const client = await connect();
    await client.set('greeting', 'hello');
    await client.hSet('user', { name: 'ann', age: '7' });

    for (let i = 0; i < 2; i++) {
      expect(await client.get('greeting')).toBe('hello');
      expect(await client.get('absent')).toBeNull();
      expect({ ...(await client.hGetAll('user')) }).toEqual({ name: 'ann', age: '7' });
    }
  });

  test('keeps the order of commands that it sends at once', async () => {
    const client = await connect();

    const replies = await Promise.all(
      Array.from({ length: 1000 }, (_, i) => [client.set(`k${i}`, `v${i}`), client.get(`k${i}`)]).flat(),
    );

    expect(replies).toEqual(Array.from({ length: 1000 }, (_, i) => ['OK', `v${i}`]).flat());
  });

  test('keeps binary values as they are', async () => {
    const client = (await connect()).withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer });
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, i) => i));

    await client.set('bytes', bytes);

    expect([await client.get('bytes'), await client.get('bytes')]).toEqual([bytes, bytes]);
  });

  test('runs transactions and aborts them when a watched key changed', async () => {
    const [client, other] = [await connect(), await connect()];

    const replies = await client
      .multi()
      .set('a', '1')
      .incr('a')
      .get('a')
      .zAdd('z', { score: 1.5, value: 'm' })
      .exec();
    await client.watch('a');
    await other.set('a', '10');
    const conflict = client.multi().set('a', '11').exec();

    expect(replies).toEqual(['OK', 2, '2', 1]);
    await expect(conflict).rejects.toThrow(WatchError);
    expect(await client.get('a')).toBe('10');
  });

  test('receives messages of channels and patterns', async () => {
    const [subscriber, publisher] = [await connect(), await connect()];
    const heard: string[] = [];
    await subscriber.subscribe('news', (message, channel) => heard.push(`${channel}: ${message}`));
    await subscriber.pSubscribe('n*', (message, channel) => heard.push(`n* ${channel}: ${message}`));

    expect(await publisher.publish('news', 'one')).toBe(2);
    await expect.poll(() => heard.length).toBe(2);
    await subscriber.unsubscribe('news');
    expect(await publisher.publish('news', 'two')).toBe(1);
    await expect.poll(() => heard.length).toBe(3);
    await subscriber.pUnsubscribe('n*');

    expect(heard.toSorted()).toEqual(['n* news: one', 'n* news: two', 'news: one']);
    await subscriber.set('after', 'subscription');
    // In RESP2 node-redis itself goes on with buffers after a subscription, also without nearcache.
    expect(String(await subscriber.get('after'))).toBe('subscription');
  });

  test('shares the connections of a pool, one of which may block apart', async () => {
    const pool = createClientPool(
      { RESP, socket: { port: nearcache.port, host: '127.0.0.1' } },
      { minimum: 2, maximum: 8 },
    );
    open.push(pool);
    await pool.connect();

    const popped = pool.execute((client) => client.blPop('queue', 0));
    await expect.poll(() => direct('INFO', 'clients')).toContain('blocked_clients:1');
    await Promise.all(Array.from({ length: 200 }, () => pool.incr('counter')));
    await pool.rPush('queue', 'job');

    expect(await popped).toEqual({ key: 'queue', element: 'job' });
    expect(await pool.get('counter')).toBe('200');
  });

  test('iterates over every key once', async () => {
    const client = await connect();
    const names = Array.from({ length: 500 }, (_, i) => `scan:${String(i).padStart(3, '0')}`);
    await client.mSet(names.flatMap((name) => [name, '']));

    const seen: string[] = [];
    for await (const keys of client.scanIterator({ MATCH: 'scan:*', COUNT: 50 })) seen.push(...keys);

    expect(seen.toSorted()).toEqual(names);
  });
});

test('the client-side cache of node-redis hears of changes by others', async () => {
  const cache = new BasicClientSideCache({ ttl: 0, maxEntries: 0, evictPolicy: 'LRU' });
  const client = createClient({
    RESP: 3,
    clientSideCache: cache,
    socket: { port: nearcache.port, host: '127.0.0.1' },
  });
  open.push(client);
  await client.connect();
  await direct('SET', 'shared', 'old');

  const reads = [await client.get('shared'), await client.get('shared')];
  await direct('SET', 'shared', 'new');

  expect(reads).toEqual(['old', 'old']);
  expect(cache.stats().hitCount).toBe(1);
  await expect.poll(() => client.get('shared')).toBe('new');
});

test('node-redis is served as an ACL user and hears the refusals of Redis', async () => {
  await direct('ACL', 'SETUSER', 'reader', 'on', '>pw', '~public:*', '+@read', '+@connection');
  await direct('MSET', 'public:a', '1', 'private:a', '2');
  const socket = { port: nearcache.port, host: '127.0.0.1', reconnectStrategy: false } as const;
  const client = createClient({ username: 'reader', password: 'pw', socket });
  const wrong = createClient({ username: 'reader', password: 'guess', socket });
  for (const each of [client, wrong]) each.on('error', () => {});
  open.push(client);
  await client.connect();

  expect([await client.get('public:a'), await client.get('public:a')]).toEqual(['1', '1']);

  await expect(client.get('private:a')).rejects.toThrow(/^NOPERM/);
  await expect(wrong.connect()).rejects.toThrow(/^WRONGPASS/);
});
