import { existsSync } from 'node:fs';
import { afterEach, expect, test } from 'vitest';

import { connectRaw } from './raw-client.ts';
import { startRedis, type RedisServer } from './redis-server.ts';

let redis: RedisServer | undefined;

afterEach(() => redis?.stop());

async function ask(server: RedisServer, ...lines: string[][]): Promise<string> {
  const client = await connectRaw({ port: server.port });
  let answer = '';
  for (const line of lines) answer = (await client.call(...line)).toString();
  client.close();
  return answer;
}

test('a restarted server has its port and its directory, and another process', async () => {
  redis = await startRedis({ args: ['--appendonly', 'yes'] });
  expect(await ask(redis, ['SET', 'k', 'v'])).toBe('+OK\r\n');
  const { pid } = redis;
  await redis.restart();
  expect(redis.pid).not.toBe(pid);
  expect(await ask(redis, ['GET', 'k'])).toBe('$1\r\nv\r\n');
});

test('a killed server stays away until it is restarted', async () => {
  redis = await startRedis();
  await redis.kill('SIGKILL');
  await expect(connectRaw({ port: redis.port })).rejects.toThrow('ECONNREFUSED');
  await redis.kill('SIGKILL');
  await redis.restart();
  expect(await ask(redis, ['PING'])).toBe('+PONG\r\n');
});

test('a stopped process is frozen until it is continued', async () => {
  redis = await startRedis();
  const client = await connectRaw({ port: redis.port });
  await redis.kill('SIGSTOP');
  client.request(['PING']);
  await expect(client.readFrame(50)).rejects.toThrow('no whole reply');
  await redis.kill('SIGCONT');
  expect((await client.readFrame()).toString()).toBe('+PONG\r\n');
  client.close();
});

test('a password and a Unix socket are as asked for', async () => {
  redis = await startRedis({ password: 'p@ss', unixSocket: true });
  expect(redis.url).toBe(`redis://:p%40ss@127.0.0.1:${redis.port}`);
  expect(await ask(redis, ['PING'])).toMatch(/^-NOAUTH/);
  const client = await connectRaw({ path: redis.socketPath ?? '' });
  expect((await client.call('AUTH', 'p@ss')).toString()).toBe('+OK\r\n');
  client.close();
});

test('stop ends it for good, and twice is not too often', async () => {
  redis = await startRedis({ unixSocket: true });
  await redis.stop();
  await redis.stop();
  await expect(connectRaw({ port: redis.port })).rejects.toThrow('ECONNREFUSED');
  expect(existsSync(redis.socketPath ?? '')).toBe(false);
});

test('a server that does not start says why', async () => {
  await expect(startRedis({ args: ['--nosuchoption', '1'] })).rejects.toThrow(
    /nosuchoption|Log stream ended/,
  );
});
