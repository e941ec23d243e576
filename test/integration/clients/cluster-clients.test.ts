import { Cluster } from 'ioredis';
import { createCluster } from 'redis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';

import { type Nearcache, startNearcache } from '../../../src/drill/servers/nearcache-process.ts';
import { runProgram } from '../../support/program.ts';
import { connectRaw } from '../../support/raw-client.ts';
import { type RedisServer, startRedis } from '../../support/redis-server.ts';

/** Keys of many slots, and so of several nodes if there were any. */
const KEYS = Array.from({ length: 50 }, (_, i) => `key:${i}`);

let server: RedisServer;
let nearcache: Nearcache;
const open: (() => void)[] = [];

beforeAll(async () => {
  server = await startRedis();
  nearcache = await startNearcache({ upstream: server.port, flags: ['--cluster-emulation'] });
});

afterAll(async () => {
  await nearcache.stop();
  await server.stop();
});

beforeEach(async () => {
  const redis = await connectRaw(server);
  await redis.call('FLUSHALL');
  redis.close();
});

afterEach(() => {
  for (const close of open.splice(0)) close();
});

describe('ioredis Cluster', () => {
  const connect = (): Cluster => {
    const client = new Cluster([{ host: '127.0.0.1', port: nearcache.port }]);
    client.on('error', () => {});
    open.push(() => client.disconnect());
    return client;
  };

  test('sees one node, and gets what it set', async () => {
    const client = connect();
    for (const key of KEYS) await client.set(key, `of ${key}`);

    const twice = [0, 1].map(() => Promise.all(KEYS.map((key) => client.get(key))));

    for (const values of twice) expect(await values).toEqual(KEYS.map((key) => `of ${key}`));
    expect(client.nodes('master').map(({ options }) => options.port)).toEqual([nearcache.port]);
    expect(client.nodes('slave')).toEqual([]);
  });

  test('runs pipelines, transactions and commands over keys with one hash tag', async () => {
    const client = connect();
    await client.mset('{t}a', '1', '{t}b', '2');

    expect(await client.mget('{t}a', '{t}b')).toEqual(['1', '2']);
    expect(await client.pipeline().incr('{t}a').get('{t}b').exec()).toEqual([
      [null, 2],
      [null, '2'],
    ]);
    expect(await client.multi().incr('{t}a').get('{t}b').exec()).toEqual([
      [null, 3],
      [null, '2'],
    ]);
  });
});

describe.each([2, 3] as const)('node-redis createCluster in RESP%i', (version) => {
  test('sees one node, and gets what it set', async () => {
    const client = createCluster({
      rootNodes: [{ socket: { host: '127.0.0.1', port: nearcache.port } }],
      // The version decides the types of replies; what is asserted here is the same in both.
      RESP: version as 3,
    });
    client.on('error', () => {});
    await client.connect();
    open.push(() => client.destroy());
    for (const key of KEYS) await client.set(key, `of ${key}`);

    const values = await Promise.all(KEYS.map((key) => client.get(key)));

    expect(values).toEqual(KEYS.map((key) => `of ${key}`));
    expect(client.masters.map(({ port }) => port)).toEqual([nearcache.port]);
    expect(client.replicas).toEqual([]);
  });
});

describe.each(['-2', '-3'])('redis-cli -c %s', (version) => {
  test('gets what it set, and is never redirected', async () => {
    const args = ['-c', version, '-p', String(nearcache.port)];
    const script = KEYS.map((key) => `SET ${key} ${key}\nGET ${key}\n`).join('');

    const result = await runProgram('redis-cli', args, script);

    expect(result).toMatchObject({ code: 0, stderr: '' });
    expect(result.stdout.trim().split('\n')).toEqual(KEYS.flatMap((key) => ['OK', key]));
  });
});
