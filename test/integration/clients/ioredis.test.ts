import { once } from 'node:events';

import { Redis, type RedisOptions } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';

import { freePort } from '../../../src/drill/servers/free-port.ts';
import { type Nearcache, startNearcache } from '../../../src/drill/servers/nearcache-process.ts';
import { type RedisServer, startRedis } from '../../support/redis-server.ts';

type Options = Omit<RedisOptions, 'replyMapping'>;

let server: RedisServer;
let nearcache: Nearcache;
const clients: { disconnect(): void }[] = [];

beforeAll(async () => {
  server = await startRedis();
  nearcache = await startNearcache({ upstream: server.port });
});

afterAll(async () => {
  await nearcache.stop();
  await server.stop();
});

beforeEach(async () => {
  await connect({ port: server.port }).flushall();
});

afterEach(() => {
  for (const client of clients.splice(0)) client.disconnect();
});

function connect(options: Options): Redis {
  const client = new Redis({ host: '127.0.0.1', ...options });
  client.on('error', () => {});
  clients.push(client);
  return client;
}

describe.each([2, 3] as const)('ioredis in RESP%i', (protocol) => {
  const app = (options: Options = {}): Redis => connect({ port: nearcache.port, protocol, ...options });

  test('gets from the near-cache what it set', async () => {
    const client = app();
    await client.set('greeting', 'hello');

    const reads = [await client.get('greeting'), await client.get('greeting'), await client.get('absent')];

    expect(reads).toEqual(['hello', 'hello', null]);
  });

  test('keeps the order of a long pipeline that mixes reads, writes and errors', async () => {
    const client = app();
    const pipeline = client.pipeline();
    for (let i = 0; i < 500; i++) pipeline.set(`k${i}`, i).get(`k${i}`).lpush(`k${i}`, 'x').incr('counter');

    const replies = (await pipeline.exec()) ?? [];

    for (let i = 0; i < 500; i++) {
      const [set, get, push, incr] = replies.slice(i * 4, i * 4 + 4);
      expect([set, get, incr]).toEqual([
        [null, 'OK'],
        [null, String(i)],
        [null, i + 1],
      ]);
      expect(push?.[0]?.message).toMatch(/^WRONGTYPE/);
    }
  });

  test('answers each command of automatic pipelines', async () => {
    const client = app({ enableAutoPipelining: true });
    const names = Array.from({ length: 1000 }, (_, i) => `auto${i}`);

    await Promise.all(names.map((name) => client.set(name, name)));
    const values = await Promise.all(names.map((name) => client.get(name)));

    expect(values).toEqual(names);
  });

  test('runs MULTI/EXEC in one packet and step by step', async () => {
    const client = app();

    const whole = await client.multi().set('a', '1').incr('a').hset('h', 'f', 'v').hgetall('h').exec();
    await client.multi({ pipeline: false });
    const queued = await client.incr('a');
    const stepwise = await client.exec();

    expect(whole?.map(([error]) => error)).toEqual([null, null, null, null]);
    expect(whole?.[1]).toEqual([null, 2]);
    expect(whole?.[3]?.[1]).toEqual(await client.hgetall('h'));
    expect([queued, stepwise]).toEqual(['QUEUED', [[null, 3]]]);
  });

  test('aborts a transaction whose watched key another client changed', async () => {
    const [client, other] = [app(), app()];
    await client.set('balance', '10');

    await client.watch('balance');
    await other.set('balance', '11');
    const conflict = await client.multi().set('balance', '12').exec();
    await client.watch('balance');
    const success = await client.multi().set('balance', '13').exec();

    expect([conflict, success]).toEqual([null, [[null, 'OK']]]);
    expect(await other.get('balance')).toBe('13');
  });

  test('gets the element that another client pushes while BLPOP waits', async () => {
    const [waiting, other] = [app(), app()];
    const popped = waiting.blpop('queue', 0);
    const behind = waiting.set('behind', 'the pop');
    await expect.poll(() => isBlocked()).toBe(true);
    expect(await other.get('behind')).toBeNull();

    await other.rpush('queue', 'job');

    expect(await popped).toEqual(['queue', 'job']);
    expect(await behind).toBe('OK');
    expect(await waiting.blpop('queue', 0.01)).toBeNull();
  });

  test('receives messages of channels and patterns and goes on after it unsubscribed', async () => {
    const [subscriber, publisher] = [app(), app()];
    const heard: string[] = [];
    subscriber.on('message', (...message: string[]) => heard.push(message.join(' ')));
    subscriber.on('pmessage', (...message: string[]) => heard.push(message.join(' ')));
    expect(await subscriber.subscribe('news', 'sport')).toBe(2);
    expect(await subscriber.psubscribe('n*')).toBe(3);

    expect(await publisher.publish('news', 'one')).toBe(2);
    expect(await publisher.publish('sport', 'two')).toBe(1);
    await expect.poll(() => heard.length).toBe(3);
    await subscriber.unsubscribe('news', 'sport');
    await subscriber.punsubscribe('n*');

    expect(heard.toSorted()).toEqual(['n* news one', 'news one', 'sport two']);
    await subscriber.set('after', 'subscription');
    expect(await subscriber.get('after')).toBe('subscription');
  });

  test('runs a Lua script by its hash, and by its text once Redis has forgotten it', async () => {
    const client = app({
      scripts: {
        double: { numberOfKeys: 1, lua: 'return redis.call("set", KEYS[1], ARGV[1] * 2) and ARGV[1] * 2' },
      },
    }) as Redis & { double(key: string, n: number): Promise<number> };
    const results = [await client.double('n', 2), await client.double('n', 4)];
    expect(await client.get('n')).toBe('8');

    await connect({ port: server.port }).script('FLUSH');

    results.push(await client.double('n', 8));
    expect(results).toEqual([4, 8, 16]);
    expect(await client.get('n')).toBe('16');
  });

  test('scans every key once', async () => {
    const client = app();
    const names = Array.from({ length: 1000 }, (_, i) => `scan:${String(i).padStart(4, '0')}`);
    await client.mset(names.flatMap((name) => [name, '']));

    const seen: string[] = [];
    for await (const batch of client.scanStream({ match: 'scan:*', count: 100 }))
      seen.push(...(batch as string[]));

    expect(seen.toSorted()).toEqual(names);
  });

  test('keeps binary keys and values as they are', async () => {
    const client = app();
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
    const key = Buffer.from([0, 13, 10, 255]);

    await client.set(key, bytes);
    const reads = [await client.getBuffer(key), await client.getBuffer(key)];

    expect(reads).toEqual([bytes, bytes]);
    expect(await connect({ port: server.port }).getBuffer(key)).toEqual(bytes);
  });

  test('runs the commands it queued offline once nearcache is back', async () => {
    const port = await freePort();
    const start = (): Promise<Nearcache> =>
      startNearcache({ upstream: server.port, flags: ['--listen', `127.0.0.1:${port}`] });
    const first = await start();
    const client = connect({ port, protocol, retryStrategy: () => 50, maxRetriesPerRequest: null });
    await client.set('before', '1');

    const closed = once(client, 'close');
    await first.kill();
    await closed;
    const offline = [client.get('before'), client.set('offline', '2'), client.get('offline')];
    const second = await start();

    expect(await Promise.all(offline)).toEqual(['1', 'OK', '2']);
    client.disconnect();
    await second.stop();
  });
});

test('ioredis gets maps and doubles of RESP3 as objects and numbers', async () => {
  const client = new Redis({ host: '127.0.0.1', port: nearcache.port, protocol: 3, replyMapping: 'resp3' });
  clients.push(client);
  await client.zadd('scores', 1.5, 'ann');
  await client.hset('user', { name: 'ann', age: '7' });

  for (let i = 0; i < 2; i++) {
    expect(await client.zscore('scores', 'ann')).toBe(1.5);
    expect(await client.hgetall('user')).toEqual({ name: 'ann', age: '7' });
  }
});

describe.each([2, 3] as const)('ioredis in RESP%i with a password', (protocol) => {
  let guarded: RedisServer;
  let behind: Nearcache;

  beforeAll(async () => {
    guarded = await startRedis({ password: 'secret' });
    behind = await startNearcache({ upstream: guarded.port });
  });

  afterAll(async () => {
    await behind.stop();
    await guarded.stop();
  });

  const app = (options: Options): Redis =>
    connect({ port: behind.port, protocol, retryStrategy: () => null, ...options });

  test('is served as the default user', async () => {
    const client = app({ password: 'secret' });

    await client.set('shared', 'value');

    expect(await client.get('shared')).toBe('value');
  });

  test('is served as an ACL user with no more than that user may do', async () => {
    const admin = app({ password: 'secret' });
    await admin.acl('SETUSER', 'reader', 'on', '>pw', '~public:*', '+@read', '+@connection', '+info');
    await admin.mset('public:a', '1', 'private:a', '2');
    expect(await admin.get('private:a')).toBe('2');
    const client = app({ username: 'reader', password: 'pw' });

    expect([await client.get('public:a'), await client.get('public:a')]).toEqual(['1', '1']);

    await expect(client.get('private:a')).rejects.toThrow(/^NOPERM/);
    await expect(client.set('public:a', '3')).rejects.toThrow(/^NOPERM/);
  });

  test('hears the words of Redis when the password is wrong or missing', async () => {
    const wrong = app({ password: 'guess', maxRetriesPerRequest: 0 });
    const [error] = (await once(wrong, 'error')) as [Error];
    const missing = app({ enableReadyCheck: false });

    expect(error.message).toMatch(/^WRONGPASS/);
    await expect(missing.get('shared')).rejects.toThrow(/^NOAUTH /);
  });
});

async function isBlocked(): Promise<boolean> {
  const info = await connect({ port: server.port }).info('clients');
  return info.includes('blocked_clients:1');
}
