import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { readMetric } from '../../src/drill/servers/read-metrics.ts';
import { type Nearcache, startNearcache } from '../../src/drill/servers/nearcache-process.ts';
import { connectRaw, encodeRequest, type RawClient } from '../support/raw-client.ts';
import { type RedisServer, startRedis } from '../support/redis-server.ts';

/** Ten thousands of round trips. */
const LONG = { timeout: 180_000 };

let server: RedisServer;
let nearcache: Nearcache;
let direct: RawClient;
let clients: RawClient[];

beforeEach(async () => {
  server = await startRedis();
  // A pinned connection that rests stays open: how many are closed, and opened again, depends on how long the machine makes
  // it rest.
  const flags = ['--max-pinned-idle', '50', '--pinned-idle-time', '1h'];
  nearcache = await startNearcache({ upstream: server.port, flags });
  direct = await connectRaw(server);
  clients = [];
});

afterEach(async () => {
  for (const client of clients) client.close();
  direct.close();
  await nearcache.stop();
  await server.stop();
});

async function connectMany(count: number): Promise<RawClient[]> {
  const more = await Promise.all(Array.from({ length: count }, () => connectRaw(nearcache)));
  clients.push(...more);
  return more;
}

/** Connections that Redis has now, without the one that asks. */
async function connectionsOfRedis(): Promise<string[]> {
  const list = (await direct.call('CLIENT', 'LIST')).toString().trim().split('\n').slice(1);
  return list.filter((line) => !line.includes('cmd=client|list'));
}

/** Connections that Redis has ever accepted. */
async function connectionsAccepted(): Promise<number> {
  const info = (await direct.call('INFO', 'stats')).toString();
  return Number(/total_connections_received:(\d+)/.exec(info)?.[1]);
}

test('1,000 idle and 200 busy sessions share at most 3 connections to Redis', LONG, async () => {
  const idle = await connectMany(1000);
  await Promise.all(
    idle.map((client, i) => (i % 2 === 0 ? client.call('HELLO', '3') : client.call('GET', 'x'))),
  );
  const busy = await connectMany(200);
  // Each of these makes nearcache ask Redis apart from the commands: credentials, a database, a script to kill.
  for (const client of busy.slice(0, 20)) await client.call('AUTH', 'default', 'any');
  for (const [i, client] of busy.entries()) await client.call('SELECT', String(i % 4));
  await busy[0]?.call('SCRIPT', 'KILL');

  const over = new AbortController();
  let replies = 0;
  const work = busy.map(async (client, i) => {
    while (!over.signal.aborted) {
      for (let n = 0; n < 10; n++) client.request(n % 5 === 0 ? ['INCR', `n${i}`] : ['GET', `k${n}`]);
      await client.readFrames(10);
      replies += 10;
    }
  });
  const counts: number[] = [];
  while (counts.length < 20) {
    const before = replies;
    await expect.poll(() => replies, { timeout: 30_000 }).toBeGreaterThan(before + 2000);
    counts.push((await connectionsOfRedis()).length);
  }
  over.abort();
  await Promise.all(work);

  expect(await readMetric(nearcache, 'nearcache_sessions')).toBe(1200);
  expect(Math.max(...counts)).toBeLessThanOrEqual(3);
  expect(await connectionsAccepted()).toBeLessThanOrEqual(3 + 2);
});

describe('10,000 transactions of 50 clients', LONG, () => {
  const total = 10_000;
  const each = total / 50;

  test('need no pinned connection when each arrives in one packet', async () => {
    const before = await connectionsAccepted();
    const whole = Buffer.concat(
      [['MULTI'], ['INCR', 'n'], ['GET', 'n'], ['EXEC']].map((args) => encodeRequest(args)),
    );

    await Promise.all(
      (await connectMany(50)).map(async (client) => {
        for (let i = 0; i < each; i++) {
          client.send(whole);
          const [, , , exec] = await client.readFrames(4);
          expect(exec?.toString()).toMatch(/^\*2\r\n:(\d+)\r\n\$\d+\r\n\1\r\n$/);
        }
      }),
    );

    expect((await direct.call('GET', 'n')).toString()).toBe('$5\r\n10000\r\n');
    expect(await readMetric(nearcache, 'nearcache_shared_transactions_total')).toBe(total);
    expect(await readMetric(nearcache, 'nearcache_shard_pinned_opened_total')).toBe(0);
    expect(await connectionsAccepted()).toBe(before);
  });

  test('open at most 50 pinned connections when each goes step by step', async () => {
    const before = await connectionsAccepted();

    await Promise.all(
      (await connectMany(50)).map(async (client, i) => {
        for (let n = 0; n < each; n++) {
          expect((await client.call('MULTI')).toString()).toBe('+OK\r\n');
          expect((await client.call('INCR', `n${i}`)).toString()).toBe('+QUEUED\r\n');
          expect((await client.call('EXEC')).toString()).toBe(`*1\r\n:${n + 1}\r\n`);
        }
      }),
    );

    const opened = await readMetric(nearcache, 'nearcache_shard_pinned_opened_total');
    expect(opened).toBeLessThanOrEqual(50);
    expect(await connectionsAccepted()).toBeLessThanOrEqual(before + opened + 1);
    expect(await readMetric(nearcache, 'nearcache_shard_pinned_reused_total')).toBe(total - opened);
  });

  test('open at most 50 pinned connections when half of them watch a key first', async () => {
    const apps = Array.from({ length: 50 }, () => new Redis({ port: nearcache.port, host: '127.0.0.1' }));

    await Promise.all(
      apps.map(async (app, i) => {
        for (let n = 0; n < each; n++) {
          if (n % 2 === 0) await app.watch(`n${i}`);
          expect(await app.multi().incr(`n${i}`).get(`n${i}`).exec()).toEqual([
            [null, n + 1],
            [null, String(n + 1)],
          ]);
        }
      }),
    );

    for (const app of apps) app.disconnect();
    expect(await readMetric(nearcache, 'nearcache_shard_pinned_opened_total')).toBeLessThanOrEqual(50);
  });
});
