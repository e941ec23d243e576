import { Redis } from 'ioredis';
import { afterEach, expect, test } from 'vitest';

import { freePort } from '../../../src/drill/servers/free-port.ts';
import { readMetric } from '../../../src/drill/servers/read-metrics.ts';
import { type Nearcache, startNearcache } from '../../../src/drill/servers/nearcache-process.ts';
import { connectRaw, type RawClient } from '../../support/raw-client.ts';
import { type RedisServer, startRedis } from '../../support/redis-server.ts';
import { say, text, until } from '../../support/sidecar.ts';

const LOADING = '-LOADING nearcache: Redis has not answered yet, try again';

let redis: RedisServer | undefined;
let nearcache: Nearcache;
let client: Redis | undefined;
const raws: RawClient[] = [];

afterEach(async () => {
  client?.disconnect();
  client = undefined;
  for (const raw of raws.splice(0)) raw.close();
  await nearcache.kill();
  await redis?.kill('SIGCONT');
  await redis?.stop();
  redis = undefined;
});

async function raw(): Promise<RawClient> {
  const made = await connectRaw({ port: nearcache.port });
  raws.push(made);
  return made;
}

/** A nearcache whose Redis accepts connections and says nothing. */
async function startBeforeRedis(flags: string): Promise<RedisServer> {
  redis = await startRedis();
  await redis.kill('SIGSTOP');
  nearcache = await startNearcache({
    upstream: redis.port,
    flags: ['--connect-timeout', '30s', ...flags.split(' ')],
  });
  return redis;
}

test('with --startup loading every command hears LOADING until Redis has answered', async () => {
  const server = await startBeforeRedis('--startup loading --big-value-size 64kb');
  const app = await raw();

  const commands = [
    'PING',
    'GET k',
    'SET k v',
    'MULTI',
    'EXEC',
    'HELLO 3 AUTH a b',
    'AUTH x',
    'CLIENT ID',
    'NOSUCH',
  ];
  for (const command of commands) expect(await say(app, ...command.split(' '))).toBe(LOADING);
  expect(await say(app, 'SET', 'k', 'x'.repeat(100_000))).toBe(LOADING);
  expect(await say(app, 'RESET')).toBe('+RESET');
  app.send('*1\r\n$4\r\nPING\r\n*1\r\n$5\r\nRESET\r\n*1\r\n$4\r\nPING\r\n');
  expect((await app.readFrames(3)).map((frame) => text(frame))).toEqual([LOADING, '+RESET', LOADING]);

  await server.kill('SIGCONT');
  await until('it serves', async () => (await say(app, 'PING')) === '+PONG');
  expect(await say(app, 'SET', 'k', 'v')).toBe('+OK');
  expect(await say(app, 'GET', 'k')).toBe('v');
  expect(await say(app, 'QUIT')).toBe('+OK');
});

test('with --startup loading a session may QUIT before Redis has answered', async () => {
  await startBeforeRedis('--startup loading');
  const app = await raw();
  expect(await say(app, 'QUIT')).toBe('+OK');
  await app.closed;
});

test('with --startup loading a Redis that refuses is told as what it is', async () => {
  redis = await startRedis({ password: 'secret' });
  nearcache = await startNearcache({ upstream: redis.port, flags: ['--startup', 'loading'] });
  const app = await raw();
  await until('Redis has answered', async () => (await say(app, 'GET', 'k')).startsWith('-NOAUTH'));
  expect(await say(app, 'AUTH', 'secret')).toBe('+OK');
});

test.each([2, 3] as const)('ioredis in RESP%i waits by itself (loading)', async (protocol) => {
  const server = await startBeforeRedis('--startup loading');
  client = new Redis({ host: '127.0.0.1', port: nearcache.port, protocol, maxRetriesPerRequest: null });
  client.on('error', () => {});
  const written = client.set('k', 'v').catch(String);
  await until('it has asked', async () => (await readMetric(nearcache, 'nearcache_commands_total')) > 1);

  await server.kill('SIGCONT');

  expect(await written).toBe('OK');
  expect(await client.get('k')).toBe('v');
});

test('with --startup listen commands wait for Redis', async () => {
  const server = await startBeforeRedis('--startup listen');
  const app = await raw();
  app.request(['SET', 'k', 'v']);
  expect(await say(await raw(), 'PING')).toBe('+PONG');
  expect(app.rest()).toHaveLength(0);

  await server.kill('SIGCONT');

  expect(text(await app.readFrame())).toBe('+OK');
});

test('with --startup listen commands fail as usual when there is no Redis', async () => {
  nearcache = await startNearcache({ upstream: await freePort(), flags: ['--startup', 'listen'] });
  expect(await say(await raw(), 'GET', 'k')).toMatch(/^-ERR nearcache: shard shard0 is unreachable/);
});
