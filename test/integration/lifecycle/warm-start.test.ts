import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { readMetric, readMetrics } from '../../../src/drill/servers/read-metrics.ts';
import { type Nearcache, startNearcache } from '../../../src/drill/servers/nearcache-process.ts';
import { connectRaw, type RawClient } from '../../support/raw-client.ts';
import { type RedisServer, startRedis } from '../../support/redis-server.ts';
import { say, until } from '../../support/sidecar.ts';

let redis: RedisServer;
let direct: RawClient;
let nearcache: Nearcache;
let directory: string;
let file: string;
const raws: RawClient[] = [];

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'nearcache-warm-'));
  file = join(directory, 'hot-keys');
  redis = await startRedis();
  direct = await connectRaw({ port: redis.port });
});

afterEach(async () => {
  for (const raw of raws.splice(0)) raw.close();
  direct.close();
  await nearcache.kill();
  await redis.stop();
  rmSync(directory, { recursive: true });
});

async function start(...flags: readonly string[]): Promise<void> {
  nearcache = await startNearcache({
    upstream: redis.port,
    flags: ['--hot-keys-file', file, '--canary-interval', '0', ...flags],
  });
}

async function app(): Promise<RawClient> {
  const made = await connectRaw({ port: nearcache.port });
  raws.push(made);
  return made;
}

async function repeat(client: RawClient, count: number, ...read: readonly string[]): Promise<void> {
  for (let i = 0; i < count; i++) client.request(read);
  await client.readFrames(count);
}

function lines(): string[] {
  return readFileSync(file, 'latin1')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
}

/** How often Redis has run a command. */
async function runs(name: string): Promise<number> {
  const info = String(await direct.call('INFO', 'commandstats'));
  return Number(new RegExp(`cmdstat_${name}:calls=(\\d+)`).exec(info)?.[1] ?? 0);
}

/** When it wrote that line. Units: ms. */
function timeOf(message: string): number {
  const line = nearcache.logs.split('\n').find((each) => each.includes(message)) ?? '';
  return Date.parse((JSON.parse(line) as { time: string }).time);
}

async function preloaded(result: string): Promise<number> {
  return (await readMetrics(nearcache)).get(`nearcache_preload_keys_total{result="${result}"}`) ?? 0;
}

describe('what is written at the end', () => {
  test('is the names of what was hit most, most first, and no values', async () => {
    await start();
    const client = await app();
    await say(client, 'SET', 'often', 'secret-value');
    await say(client, 'SET', 'some times', 'secret-value');
    await say(client, 'SET', 'seldom', 'secret-value');
    await say(client, 'HSET', 'hash', 'field', 'secret-value');
    await repeat(client, 3000, 'GET', 'often');
    await repeat(client, 1000, 'GET', 'some times');
    await repeat(client, 300, 'HGETALL', 'hash');
    // Its arguments may be data.
    await repeat(client, 500, 'HGET', 'hash', 'secret-field');
    await repeat(client, 1, 'GET', 'seldom');

    await nearcache.stop();

    expect(lines()).toEqual(['0 get often', '0 get some\\x20times', '0 hgetall hash']);
    expect(readFileSync(file, 'latin1')).not.toContain('secret');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readdirSync(directory)).toEqual(['hot-keys']);
  });

  test('is at most --hot-keys-max names, also with --touch-rate 0', async () => {
    await start('--hot-keys-max', '2', '--touch-rate', '0');
    const client = await app();
    for (let i = 1; i <= 4; i++) await repeat(client, 200 * i, 'GET', `k${i}`);
    await nearcache.stop();
    expect(lines()).toEqual(['0 get k4', '0 get k3']);
  });

  test('does not replace what is there when nothing was hit', async () => {
    writeFileSync(file, '0 get k\n');
    await start();
    await say(await app(), 'GET', 'other');
    await nearcache.stop();
    expect(lines()).toEqual(['0 get k']);
  });

  test('is nothing but a line in the log when the file cannot be written', async () => {
    mkdirSync(file);
    await start();
    await repeat(await app(), 500, 'GET', 'k');
    await nearcache.stop();
    expect(await nearcache.exited).toBe(0);
    await expect
      .poll(() => nearcache.logs, { timeout: 10_000 })
      .toContain('the hot keys file cannot be written');
    expect(readdirSync(directory)).toEqual(['hot-keys']);
  });
});

describe('what is read at the start', () => {
  test('is hit by the first who asks, in each database, with whatever bytes are in the name', async () => {
    await direct.call('SET', 'plain', '1');
    await direct.call('SET', 'a b\xff\\', '2');
    await direct.call('RPUSH', 'list', 'x');
    await direct.call('SELECT', '3');
    await direct.call('SET', 'third', '3');
    writeFileSync(
      file,
      '0 get plain\n0 get a\\x20b\\xff\\x5c\n0 lrange list\n0 llen list\n3 get third\n0 exists plain\n',
    );
    await start();
    await until('it has read them', () => nearcache.logs.includes('hot keys were read'));
    expect([await preloaded('read'), await preloaded('bad')]).toEqual([5, 1]);
    const before = [await runs('get'), await runs('llen'), await runs('exists')];

    const client = await app();
    expect(await say(client, 'GET', 'plain')).toBe('1');
    expect(await say(client, 'GET', 'a b\xff\\')).toBe('2');
    expect(await say(client, 'LLEN', 'list')).toBe(':1');
    expect(await say(client, 'EXISTS', 'plain')).toBe(':1');
    expect(await say(client, 'SELECT', '3')).toBe('+OK');
    expect(await say(client, 'GET', 'third')).toBe('3');

    expect([await runs('get'), await runs('llen'), await runs('exists')]).toEqual(before);
    // It is an entry like any other.
    await direct.call('SET', 'third', '4');
    await until('the change is seen', async () => (await say(client, 'GET', 'third')) === '4');
  });

  test('keeps to --preload-rate, while apps are served', async () => {
    writeFileSync(file, Array.from({ length: 100 }, (_, i) => `0 get k${i}\n`).join(''));
    await start('--preload-rate', '50');
    expect(await say(await app(), 'SET', 'x', '1')).toBe('+OK');
    await until('all are read', () => nearcache.logs.includes('hot keys were read'));
    expect(await preloaded('read')).toBe(100);
    expect(timeOf('hot keys were read') - timeOf('listening')).toBeGreaterThan(1700);
  });

  test('waits for a Redis that comes later', async () => {
    await direct.call('SET', 'k', 'v');
    await redis.kill('SIGSTOP');
    writeFileSync(file, '0 get k\n');
    await start('--startup', 'listen', '--connect-timeout', '30s');
    // Long enough for the names to be given up.
    await delay(500);
    expect(await preloaded('skipped')).toBe(0);
    await redis.kill('SIGCONT');
    await until('it has read it', async () => (await preloaded('read')) === 1);
  });

  test('ends when the near-cache is full', async () => {
    const value = 'x'.repeat(10_000);
    for (let i = 0; i < 400; i++) await direct.call('SET', `k${i}`, value);
    writeFileSync(file, Array.from({ length: 400 }, (_, i) => `0 get k${i}\n`).join(''));
    await start('--cache-size', '1mb', '--preload-rate', '1000');
    await until('it ends', () => nearcache.logs.includes('hot keys were read'));
    await expect.poll(() => nearcache.logs, { timeout: 10_000 }).toMatch(/"reason":"full"/);
    expect(await preloaded('read')).toBeLessThan(300);
  });

  test('ends when Redis refuses', async () => {
    for (const user of ['default', 'reader'])
      await direct.call('ACL', 'SETUSER', user, 'on', 'nopass', '~*', '+@all');
    await direct.call('ACL', 'SETUSER', 'default', 'resetkeys', '~ok*', '%RW~nearcache:*');
    writeFileSync(file, Array.from({ length: 300 }, (_, i) => `0 get k${i}\n`).join(''));
    await start('--preload-rate', '100');
    await until('it ends', () => nearcache.logs.includes('ended early'));
    expect(await preloaded('read')).toBeLessThan(50);
  });

  test('leaves out databases that may not be entered, without losing the link', async () => {
    writeFileSync(file, '99 get a\n99 get b\n0 get c\n');
    await start();
    await until('it ends', () => nearcache.logs.includes('hot keys were read'));
    expect([await preloaded('read'), await preloaded('skipped')]).toEqual([1, 2]);
    expect(nearcache.logs).not.toContain('shard was lost');
  });

  test('leaves out what may not be kept, and what leases decide', async () => {
    writeFileSync(file, '0 get none:a\n0 get lease:a\n0 get a\n0 get a\n');
    await start('--policy', 'prefix=none:;cache=off', '--policy', 'prefix=lease:;leases=on');
    await until('it ends', () => nearcache.logs.includes('hot keys were read'));
    // The second name of one key is on its way, or there.
    expect([await preloaded('read'), await preloaded('skipped')]).toEqual([1, 3]);
  });

  test('is what is left of a file with bad lines; they are counted', async () => {
    writeFileSync(
      file,
      '\n# a comment\n0 get a\n0 set a\nnonsense\n0 get b c\n70000 get a\n0 get \\xzz\n0 get b\r\n\xff\x00',
    );
    await start();
    await until('it ends', () => nearcache.logs.includes('hot keys were read'));
    expect([await preloaded('read'), await preloaded('bad')]).toEqual([2, 6]);
    await expect.poll(() => nearcache.logs, { timeout: 10_000 }).toContain('are no names of keys');
  });

  test('is nothing when there is no file or it cannot be read', async () => {
    await start();
    expect(await say(await app(), 'PING')).toBe('+PONG');
    await expect.poll(() => nearcache.logs, { timeout: 10_000 }).toContain('there is no hot keys file yet');
    await nearcache.stop();
    mkdirSync(file);
    await start();
    expect(await say(await app(), 'PING')).toBe('+PONG');
    await until('it is told', () => nearcache.logs.includes('cannot be read'));
    expect(await readMetric(nearcache, 'nearcache_up')).toBe(1);
  });
});
