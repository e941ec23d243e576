// Clients that stand still: in the middle of a request, before their replies, or with nothing to say.
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';

import { encodeRequest, type RawClient } from '../../support/raw-client.ts';
import { say, Sidecar, text, until } from '../../support/sidecar.ts';

const KB = 1024;
const MB = 1024 * KB;
const PATIENCE_MS = 600;

let sidecar: Sidecar;

beforeAll(async () => {
  sidecar = await Sidecar.start({
    isGated: false,
    flags:
      `--request-timeout ${PATIENCE_MS}ms --slow-client-timeout ${PATIENCE_MS}ms ` +
      '--client-idle-timeout 1500ms --big-value-size 64kb --max-pinned 2',
  });
});
afterEach(() => sidecar.endSessions());
afterAll(() => sidecar.stop());

function closedBy(reason: string): Promise<number> {
  return sidecar.metric(`nearcache_sessions_closed_total{reason="${reason}"}`);
}

/** Another app is served meanwhile. */
async function othersAreServed(): Promise<void> {
  expect(await say(await sidecar.app(), 'SET', 'other', 'v')).toBe('+OK');
}

async function lastWordOf(client: RawClient): Promise<string> {
  const word = text(await client.readFrame());
  await client.closed;
  return word;
}

describe('a client that sends a part of a request and nothing more', () => {
  test('hears so, and is closed with its reason in log and metric', async () => {
    const before = await closedBy('request');
    const client = await sidecar.app();
    client.send('*2\r\n$3\r\nGET\r\n$5\r\nab');
    expect(await lastWordOf(client)).toBe(
      `-ERR nearcache: the rest of a request did not come within ${PATIENCE_MS} ms; the connection is closed`,
    );
    expect(await closedBy('request')).toBe(before + 1);
    await expect
      .poll(() => sidecar.nearcache.logs, { timeout: 10_000 })
      .toMatch(/"reason":"sent a part of a request and nothing more in 600 ms"/);
    await othersAreServed();
  });

  test('hears it behind the replies that it is owed', async () => {
    const client = await sidecar.app();
    client.send(Buffer.concat([encodeRequest(['SET', 'k', 'v']), Buffer.from('*1\r\n$4\r\nPI')]));
    expect(text(await client.readFrame())).toBe('+OK');
    expect(await lastWordOf(client)).toMatch(/^-ERR nearcache: the rest of a request/);
  });

  test('gives back the connection over which the beginning of a large value has gone', async () => {
    const clients = [await sidecar.app(), await sidecar.app()];
    for (const client of clients)
      client.send(`*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$200000\r\n${'x'.repeat(100_000)}`);
    for (const client of clients) {
      expect(await lastWordOf(client)).toMatch(/^-ERR nearcache: the rest of a request/);
    }
    // Both that there may be.
    const blocked = await sidecar.app();
    blocked.request(['BLPOP', 'q', '0']);
    await sidecar.blockedClients(1);
    expect(await say(await sidecar.app(), 'SET', 'big', 'x'.repeat(100_000))).toBe('+OK');
  });

  test('is served when the rest comes in time, however many pieces it comes in', async () => {
    const client = await sidecar.app();
    const request = encodeRequest(['SET', 'slowly', 'x'.repeat(40)]);
    for (const byte of request) {
      client.send(Buffer.from([byte]));
      await delay(PATIENCE_MS / 30);
    }
    expect(text(await client.readFrame())).toBe('+OK');
  });
});

describe('a client that does not read', () => {
  test('is closed, and its reason told in log and metric', async () => {
    await say(sidecar.direct, 'SET', 'large', 'x'.repeat(20 * MB));
    const client = await sidecar.app();
    client.socket.pause();
    client.request(['GET', 'large']);
    await until('it is closed', async () => (await closedBy('slow')) === 1);
    await expect
      .poll(() => sidecar.nearcache.logs, { timeout: 10_000 })
      .toMatch(/"reason":"does not read: \d+ bytes of replies wait, and fewer than 615 left in 600 ms"/);
    await until(
      'its memory is free',
      async () => (await sidecar.metric('nearcache_sessions_held_bytes')) < MB,
    );
    await othersAreServed();
  });

  test('is not closed while it reads as much as it has to, however slowly', async () => {
    const before = await closedBy('slow');
    await say(sidecar.direct, 'SET', 'large', 'x'.repeat(20 * MB));
    const client = await sidecar.app();
    client.socket.pause();
    client.request(['GET', 'large']);
    const got = { bytes: 0 };
    client.socket.on('data', (chunk: Buffer) => {
      got.bytes += chunk.length;
      client.socket.pause();
    });
    const beganAt = performance.now();
    while (got.bytes < 20 * MB && !client.socket.destroyed) {
      client.socket.resume();
      await delay(8);
    }
    expect(got.bytes).toBeGreaterThan(20 * MB);
    expect(performance.now() - beganAt).toBeGreaterThan(3 * PATIENCE_MS);
    expect(await closedBy('slow')).toBe(before);
  }, 60_000);
});

describe('a client that reads less than it has to', () => {
  test('is closed though it goes on, and one that reads more is not', async () => {
    const strict = await Sidecar.start({
      isGated: false,
      flags: `--slow-client-timeout ${PATIENCE_MS}ms --slow-client-rate 2mb --client-send-buffer 16kb`,
    });
    try {
      await say(strict.direct, 'SET', 'large', 'x'.repeat(20 * MB));
      const [slow, quick] = [await strict.app(), await strict.app()];
      slow.socket.on('data', () => slow.socket.pause()).pause();
      slow.request(['GET', 'large']);
      const timer = setInterval(() => slow.socket.resume(), 100);
      const beganAt = performance.now();
      await slow.closed;
      clearInterval(timer);
      expect(performance.now() - beganAt).toBeLessThan(10 * PATIENCE_MS);
      await expect
        .poll(() => strict.nearcache.logs, { timeout: 10_000 })
        .toMatch(/and fewer than 1258292 left in 600 ms/);
      await say(strict.direct, 'SET', 'small', 'x'.repeat(MB));
      quick.request(['GET', 'small']);
      expect((await quick.readFrame()).length).toBeGreaterThan(MB);
    } finally {
      await strict.stop();
    }
  });
});

describe('many clients whose time is over at once', () => {
  test('are all closed, one after the other', async () => {
    const before = await closedBy('request');
    const logged = sidecar.nearcache.logs.length;
    const clients = await Promise.all(Array.from({ length: 60 }, () => sidecar.app()));
    for (const client of clients) client.send('*2\r\n$3\r\nGET\r\n$5\r\nab');
    await Promise.all(clients.map((client) => lastWordOf(client)));
    expect(await closedBy('request')).toBe(before + 60);
    const lines = (): string[] =>
      sidecar.nearcache.logs
        .slice(logged)
        .split('\n')
        .filter((line) => line.includes('sent a part of a request'));
    await until('all are logged', () => lines().length >= 60);
    const times = lines().map((line) => Date.parse((JSON.parse(line) as { time: string }).time));
    // At least a millisecond apart: a busy machine makes it more.
    expect(Math.max(...times) - Math.min(...times)).toBeGreaterThan(45);
  });
});

describe('a client that asks nothing', () => {
  test('is closed after the idle time-out, without a word', async () => {
    const client = await sidecar.app();
    expect(await say(client, 'PING')).toBe('+PONG');
    await client.closed;
    expect(client.rest().length).toBe(0);
    expect(await closedBy('idle')).toBeGreaterThan(0);
    await expect
      .poll(() => sidecar.nearcache.logs, { timeout: 10_000 })
      .toMatch(/"reason":"asked nothing in 1500 ms"/);
  });

  test('stays when it waits for an answer or for messages, as with Redis', async () => {
    const [blocked, subscribed, watching, idle] = [
      await sidecar.app(),
      await sidecar.app(),
      await sidecar.app(),
      await sidecar.app(),
    ];
    blocked.request(['BLPOP', 'queue', '0']);
    await sidecar.blockedClients(1);
    await subscribed.call('SUBSCRIBE', 'news');
    await watching.call('MONITOR');
    await idle.closed;
    await say(sidecar.direct, 'PUBLISH', 'news', 'one');
    expect(String(await subscribed.readFrame())).toContain('one');
    expect(String(await watching.readFrame())).toMatch(/^\+/);
    await say(sidecar.direct, 'RPUSH', 'queue', 'element');
    expect(String(await blocked.readFrame())).toContain('element');
  });
});
