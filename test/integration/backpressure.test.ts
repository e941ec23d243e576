import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { readMetric } from '../../src/drill/servers/read-metrics.ts';
import { type Nearcache, startNearcache } from '../../src/drill/servers/nearcache-process.ts';
import { type ProgramResult, runProgram } from '../support/program.ts';
import { connectRaw, encodeRequest, type RawClient } from '../support/raw-client.ts';
import { type RedisServer, startRedis } from '../support/redis-server.ts';

const KB = 1024;
const MB = 1024 * KB;
/** On a busy machine nobody waits as long; behind a client that does not read one would wait until it does. */
const HELD_UP_MS = 5000;

let server: RedisServer;
let nearcache: Nearcache;
let direct: RawClient;
let clients: RawClient[];

beforeEach(async () => {
  server = await startRedis();
  nearcache = await startNearcache({ upstream: server.port, flags: ['--max-output-size', '96mb'] });
  direct = await connectRaw(server);
  clients = [];
});

afterEach(async () => {
  for (const client of clients) client.close();
  direct.close();
  await nearcache.stop();
  await server.stop();
});

async function connect(): Promise<RawClient> {
  const client = await connectRaw(nearcache);
  clients.push(client);
  return client;
}

interface Latencies {
  readonly count: number;
  readonly slowestMs: number;
  /** How long all of it took. */
  readonly totalMs: number;
}

/** Another app's reads while something goes on; none is a hit, so each of them waits for Redis. */
async function latenciesDuring(action: () => Promise<void>): Promise<Latencies> {
  const client = await connect();
  const over = new AbortController();
  const startedAt = performance.now();
  const latencies: number[] = [];
  const asking = (async () => {
    while (!over.signal.aborted) {
      const sentAt = performance.now();
      expect(String(await client.call('INCR', 'other'))).toBe(`:${latencies.length + 1}\r\n`);
      latencies.push(performance.now() - sentAt);
    }
  })();
  await action();
  over.abort();
  await asking;
  const totalMs = performance.now() - startedAt;
  return { count: latencies.length, slowestMs: Math.max(...latencies), totalMs };
}

/** The most memory that nearcache has while something goes on, beyond what it had before. */
async function memoryGrowthDuring(action: () => Promise<void>): Promise<number> {
  const resident = (): Promise<number> => readMetric(nearcache, 'process_resident_memory_bytes');
  const before = await resident();
  const over = new AbortController();
  let most = 0;
  const watching = (async () => {
    while (!over.signal.aborted) {
      most = Math.max(most, await resident());
      await delay(50);
    }
  })();
  await action();
  over.abort();
  await watching;
  return most - before;
}

function digest(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

describe('a client that does not read', () => {
  test('is not read either, and gets every reply in order once it reads', async () => {
    const client = await connect();
    const count = 400;
    const text = (i: number): string => `${i}`.padEnd(64 * KB, '.');
    client.socket.pause();
    for (let i = 0; i < count; i++) client.request(['ECHO', text(i)]);

    // All of it would be 25 MB; the sockets between take some, nearcache holds a little.
    const received = (): Promise<number> => readMetric(nearcache, 'nearcache_session_received_bytes_total');
    await expect.poll(received).toBeGreaterThan(256 * KB);
    const { slowestMs } = await latenciesDuring(() => settles(received));

    expect(await received()).toBeLessThan(20 * MB);
    expect(client.socket.writableLength).toBeGreaterThan(5 * MB);
    expect(slowestMs).toBeLessThan(HELD_UP_MS);
    client.socket.resume();
    for (let i = 0; i < count; i++) {
      expect((await client.readFrame()).equals(Buffer.from(`$${64 * KB}\r\n${text(i)}\r\n`))).toBe(true);
    }
  });

  test('is closed with a logged reason when what waits for it exceeds --max-output-size', async () => {
    await direct.call('SET', 'large', 'x'.repeat(400 * KB));
    const client = await connect();
    client.socket.pause();

    const { slowestMs } = await latenciesDuring(async () => {
      // All are asked for before the first reply comes, so nearcache cannot put them off.
      client.send(
        Buffer.concat(
          // Each its own, since those that ask the same share one answer, in turn.
          Array.from({ length: 300 }, (_, i) => encodeRequest(['GETRANGE', 'large', '0', `${-1 - i}`])),
        ),
      );
      const closed = 'nearcache_sessions_closed_total{reason="output"}';
      await expect.poll(() => readMetric(nearcache, closed), { timeout: 30_000 }).toBe(1);
    });

    await expect
      .poll(() => nearcache.logs, { timeout: 10_000 })
      .toMatch(/"reason":"does not read its replies: \d+ bytes wait","msg":"session closed"/);
    expect(slowestMs).toBeLessThan(HELD_UP_MS);
    client.socket.resume();
    await client.closed;
  });

  test('is closed when it subscribed to more than it reads, and slows no publisher', async () => {
    const [subscriber, publisher] = [await connect(), await connect()];
    await subscriber.call('SUBSCRIBE', 'news');
    subscriber.socket.pause();
    const message = 'x'.repeat(256 * KB);

    const { slowestMs } = await latenciesDuring(async () => {
      let receivers = 1;
      for (let i = 0; i < 2000 && receivers === 1; i++) {
        receivers = Number(String(await publisher.call('PUBLISH', 'news', message)).slice(1));
      }
      expect(receivers).toBe(0);
    });

    await expect
      .poll(() => nearcache.logs, { timeout: 10_000 })
      .toMatch(/"reason":"does not read its replies: \d+ bytes wait","msg":"session closed"/);
    expect(slowestMs).toBeLessThan(HELD_UP_MS);
  });

  test('does not hold up those who hear the same channel', async () => {
    const [slow, quick, publisher] = [await connect(), await connect(), await connect()];
    for (const client of [slow, quick]) await client.call('SUBSCRIBE', 'news');
    slow.socket.pause();
    const message = 'x'.repeat(256 * KB);
    const isClosed = (): boolean => /does not read its replies/.test(nearcache.logs);

    let waitedMs = 0;
    for (let i = 0; i < 2000 && !isClosed(); i++) {
      const sentAt = performance.now();
      await publisher.call('PUBLISH', 'news', `${i} ${message}`);
      const heard = await quick.readFrame();
      waitedMs = Math.max(waitedMs, performance.now() - sentAt);
      expect(heard.includes(`${i} x`)).toBe(true);
    }

    expect(isClosed()).toBe(true);
    expect(waitedMs).toBeLessThan(HELD_UP_MS);
    expect(String(await publisher.call('PUBLISH', 'news', 'on'))).toBe(':1\r\n');
    expect(String(await quick.readFrame())).toContain('on');
  });
});

describe('a value of 64 MB', () => {
  const value = Buffer.alloc(64 * MB, 'nearcache ');
  const bulk = Buffer.concat([Buffer.from(`$${value.length}\r\n`), value, Buffer.from('\r\n')]);

  test('streams to Redis over a pinned connection, in little memory, while others go on', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'nearcache-big-'));
    writeFileSync(join(dir, 'value'), value);
    // Programs of their own send it, so that this one has time to measure.
    const set = (key: string): Promise<ProgramResult> =>
      runProgram('sh', ['-c', `redis-cli -p ${nearcache.port} -x SET ${key} < ${dir}/value`]);
    const keys = Array.from({ length: 8 }, (_, i) => `big:${i}`);
    let latencies = { count: 0, slowestMs: Infinity, totalMs: 0 };

    const growth = await memoryGrowthDuring(async () => {
      latencies = await latenciesDuring(async () => {
        for (const result of await Promise.all(keys.map(set))) {
          expect(result).toEqual({ code: 0, stdout: 'OK\n', stderr: '' });
        }
      });
    });
    rmSync(dir, { recursive: true });

    expect(await readMetric(nearcache, 'nearcache_streamed_requests_total')).toBe(8);
    expect(await readMetric(nearcache, 'nearcache_shard_pinned_opened_total')).toBeLessThanOrEqual(8);
    for (const key of keys) expect(digest(await direct.call('GET', key))).toBe(digest(bulk));
    // 512 MB went through.
    expect(growth).toBeLessThan(200 * MB);
    // Behind values on one connection, who asks would wait for several of the eight each time.
    expect(latencies.slowestMs).toBeLessThan(Math.max(1000, latencies.totalMs / 4));
  }, 180_000);

  test('comes back whole, and waits for no client on the way', async () => {
    await direct.call('SET', 'big', value);
    const reader = await connect();
    reader.socket.pause();

    const { count, slowestMs } = await latenciesDuring(async () => {
      reader.request(['GET', 'big']);
      // All of it has come from Redis, though its client has not read yet.
      const received = 'nearcache_shard_received_bytes_total';
      await expect.poll(() => readMetric(nearcache, received), { timeout: 30_000 }).toBeGreaterThan(64 * MB);
      await settles(() => readMetric(nearcache, 'nearcache_session_sent_bytes_total'));
    });
    reader.socket.resume();

    expect(digest(await reader.readFrame())).toBe(digest(bulk));
    expect(count).toBeGreaterThan(1);
    expect(slowestMs).toBeLessThan(HELD_UP_MS);
  });
});

describe('a client that leaves', () => {
  test.each([
    ['half a request', '*2\r\n$3\r\nGET\r\n$5\r\nab'],
    [
      'a request whose value has begun',
      `*3\r\n$3\r\nSET\r\n$4\r\nhalf\r\n$${10 * MB}\r\n${'x'.repeat(5 * MB)}`,
    ],
    ['half a transaction', '*1\r\n$5\r\nMULTI\r\n*3\r\n$3\r\nSET\r\n$4\r\nhalf\r\n$1\r\nx\r\n*1\r\n$4\r\nEX'],
  ])('in the middle of %s leaves nothing behind', async (_, bytes) => {
    const [leaving, other] = [await connect(), await connect()];
    leaving.send(bytes);
    const received = 'nearcache_session_received_bytes_total';
    await expect.poll(() => readMetric(nearcache, received)).toBe(bytes.length);

    leaving.close();

    await expect.poll(() => readMetric(nearcache, 'nearcache_sessions')).toBe(1);
    expect(String(await other.call('GET', 'half'))).toBe('$-1\r\n');
    expect(String(await other.call('SET', 'half', 'whole'))).toBe('+OK\r\n');
    await expect
      .poll(async () => String(await direct.call('CLIENT', 'LIST')))
      .not.toMatch(/ qbuf=[1-9]\d{5}/);
    expect(String(await direct.call('GET', 'half'))).toBe('$5\r\nwhole\r\n');
  });

  test('for writing only still gets all replies to what it sent', async () => {
    await direct.call('SET', 'cached', 'value');
    const client = await connect();
    expect(String(await client.call('GET', 'cached'))).toBe('$5\r\nvalue\r\n');
    const batch = [
      ['GET', 'cached'],
      ['SET', 'k', 'v'],
      ['GET', 'k'],
      ['MULTI'],
      ['INCR', 'n'],
      ['EXEC'],
      ['EVAL', 'return redis.call("GET", KEYS[1])', '1', 'k'],
      ['WATCH', 'k'],
      ['UNWATCH'],
      ['ECHO', 'end'],
    ];
    const rounds = 300;
    const requests = Array.from({ length: rounds }, () => batch.map((args) => encodeRequest(args))).flat(2);

    client.socket.end(Buffer.concat(requests));
    const frames = await client.readFrames(rounds * batch.length);
    await client.closed;

    for (let i = 0; i < rounds; i++) {
      expect(Buffer.concat(frames.slice(i * batch.length, (i + 1) * batch.length)).toString()).toBe(
        `$5\r\nvalue\r\n+OK\r\n$1\r\nv\r\n+OK\r\n+QUEUED\r\n*1\r\n:${i + 1}\r\n$1\r\nv\r\n+OK\r\n+OK\r\n$3\r\nend\r\n`,
      );
    }
    expect(client.rest().length).toBe(0);
  });
});

/** Resolves once a number of bytes has stood still, but for what the measuring app adds, for ten looks at it. */
async function settles(look: () => Promise<number>): Promise<void> {
  for (let [last, times] = [-Infinity, 0]; times < 10; ) {
    const now = await look();
    times = now - last < 32 * KB ? times + 1 : 0;
    last = now;
  }
}
