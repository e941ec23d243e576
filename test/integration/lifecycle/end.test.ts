import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, expect, test } from 'vitest';

import { freePorts } from '../../../src/drill/servers/free-port.ts';
import { readMetric } from '../../../src/drill/servers/read-metrics.ts';
import { type Nearcache, startNearcache } from '../../../src/drill/servers/nearcache-process.ts';
import { Certificates } from '../../support/certificates.ts';
import { startProgram } from '../../support/program.ts';
import { connectRaw, type RawClient } from '../../support/raw-client.ts';
import { type RedisServer, startRedis } from '../../support/redis-server.ts';
import { say, until } from '../../support/sidecar.ts';

let redis: RedisServer;
let nearcache: Nearcache;
const clients: Redis[] = [];
const raws: RawClient[] = [];

beforeEach(async () => {
  redis = await startRedis();
});

afterEach(async () => {
  for (const client of clients.splice(0)) client.disconnect();
  for (const raw of raws.splice(0)) raw.close();
  await nearcache.kill();
  await redis.stop();
});

async function start(flags: string): Promise<void> {
  nearcache = await startNearcache({ upstream: redis.port, flags: flags.split(' ') });
}

async function app(): Promise<Redis> {
  const client = new Redis({ host: '127.0.0.1', port: nearcache.port, lazyConnect: true });
  client.on('error', () => {});
  clients.push(client);
  await client.connect();
  return client;
}

async function raw(): Promise<RawClient> {
  const client = await connectRaw({ port: nearcache.port });
  raws.push(client);
  return client;
}

async function readiness(): Promise<{ code: number; status: string }> {
  const response = await fetch(`http://127.0.0.1:${nearcache.adminPort}/readyz`);
  const { status } = (await response.json()) as { status: string };
  return { code: response.status, status };
}

/** It has heard the signal. */
async function isTold(): Promise<void> {
  await until('readiness says draining', async () => (await readiness()).status === 'draining');
}

/** How long it still runs. Units: ms. */
async function timeToExit(): Promise<number> {
  const from = performance.now();
  expect(await nearcache.exited).toBe(0);
  return performance.now() - from;
}

test('SIGTERM lets apps work on as before, with new connections too, until the last has gone', async () => {
  await start('--drain-serve 30s --drain-timeout 60s');
  const old = await app();
  await old.set('k', '1');

  process.kill(nearcache.pid, 'SIGTERM');
  await isTold();

  expect(await readiness()).toEqual({ code: 503, status: 'draining' });
  expect(await readMetric(nearcache, 'nearcache_drain_state')).toBe(1);
  const late = await app();
  await late.set('k', '2');
  expect([await old.get('k'), await late.get('k'), await late.get('k')]).toEqual(['2', '2', '2']);
  await old.quit();
  expect(await late.incr('k')).toBe(3);
  await late.quit();
  expect(await timeToExit()).toBeLessThan(2000);
});

test('SIGTERM ends it at once when no app is connected', async () => {
  await start('--drain-serve 30s --drain-timeout 60s');
  await (await app()).quit();
  await until('the session is gone', async () => (await readMetric(nearcache, 'nearcache_sessions')) === 0);

  process.kill(nearcache.pid, 'SIGTERM');

  expect(await timeToExit()).toBeLessThan(2000);
});

test.each([
  ['SIGINT', ['SIGINT']],
  ['a second SIGTERM', ['SIGTERM', 'SIGTERM']],
] as const)('%s does not wait for apps, but for the replies that are owed', async (_name, signals) => {
  await start('--drain-serve 30s --drain-timeout 60s');
  const [idle, busy, direct] = [await raw(), await raw(), await connectRaw({ port: redis.port })];
  raws.push(direct);
  await say(idle, 'PING');
  busy.request(['BLPOP', 'list', '0']);
  await until('it blocks', async () => {
    return String(await direct.call('INFO', 'clients')).includes('blocked_clients:1');
  });

  for (const signal of signals) {
    process.kill(nearcache.pid, signal);
    await isTold();
  }
  await idle.closed;
  expect(await readMetric(nearcache, 'nearcache_drain_state')).toBe(2);
  await expect(connectRaw({ port: nearcache.port })).rejects.toThrow('ECONNREFUSED');
  await direct.call('RPUSH', 'list', 'x');

  expect(String(await busy.readFrame())).toContain('x');
  expect(await timeToExit()).toBeLessThan(2000);
});

test('--drain-serve bounds how long apps are served, --drain-timeout how long they may take', async () => {
  await start('--drain-serve 300ms --drain-timeout 900ms');
  const [idle, blocked] = [await raw(), await raw()];
  await say(idle, 'PING');
  blocked.request(['BLPOP', 'list', '0']);

  const from = performance.now();
  process.kill(nearcache.pid, 'SIGTERM');
  await idle.closed;
  const idleMs = performance.now() - from;
  await blocked.closed;
  const blockedMs = performance.now() - from;

  expect(idleMs).toBeGreaterThan(250);
  expect(blockedMs).toBeGreaterThan(850);
  expect(await timeToExit()).toBeLessThan(2000);
});

test('a signal while it waits for Redis at the start ends it cleanly', async () => {
  await start('--drain-serve 0');
  await redis.kill('SIGSTOP');
  const [port, adminPort] = (await freePorts(2)) as [number, number];
  const flags = `--upstream redis://127.0.0.1:${redis.port} --listen 127.0.0.1:${port} --admin 127.0.0.1:${adminPort}`;
  const main = fileURLToPath(new URL('../../../src/main.ts', import.meta.url));
  const words = ['-u', 'NEARCACHE_TEST_BACKEND', process.execPath, main, 'serve', ...flags.split(' ')];
  const { child, ended } = startProgram('env', [...words, '--connect-timeout', '60s']);
  await until('it is starting', async () => {
    const response = await fetch(`http://127.0.0.1:${adminPort}/startupz`).catch(() => undefined);
    return response?.status === 503;
  });

  const from = performance.now();
  child.kill('SIGTERM');

  expect(await ended).toMatchObject({ code: 0, stderr: '' });
  // Of the 60 that a connection may take.
  expect(performance.now() - from).toBeLessThan(20_000);
  await redis.kill('SIGCONT');
});

test('a TLS client is served until it leaves, one that has not shaken hands is not waited for', async () => {
  const certificates = new Certificates();
  const authority = certificates.authority('authority');
  const { cert, key } = certificates.signed('nearcache', authority, 'DNS:localhost,IP:127.0.0.1');
  const [port] = (await freePorts(1)) as [number];
  await start(
    `--listen tls://127.0.0.1:${port} --tls-cert ${cert} --tls-key ${key} --drain-serve 30s --drain-timeout 60s`,
  );
  const silent = connect({ host: '127.0.0.1', port });
  silent.on('error', () => {});
  await once(silent, 'connect');
  const client = connectTls({ host: '127.0.0.1', port, ca: readFileSync(authority.cert) });
  const ping = async (): Promise<void> => {
    client.write('PING\r\n');
    expect(String((await once(client, 'data'))[0])).toBe('+PONG\r\n');
  };
  await ping();

  process.kill(nearcache.pid, 'SIGTERM');
  await isTold();
  await ping();
  client.end();
  expect(await timeToExit()).toBeLessThan(20_000);
  silent.destroy();
  certificates.remove();
});
