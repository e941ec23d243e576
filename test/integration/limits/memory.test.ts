// What all sessions hold together is bounded, and who holds most makes room.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { readMetric } from '../../../src/drill/servers/read-metrics.ts';
import { encodeRequest, type RawClient } from '../../support/raw-client.ts';
import { say, Sidecar, text, until } from '../../support/sidecar.ts';

const KB = 1024;
const MB = 1024 * KB;
const LIMIT = 16 * MB;

let sidecar: Sidecar;

beforeEach(async () => {
  sidecar = await Sidecar.start({ isGated: false, flags: '--max-clients-memory 16mb --cache-size 0' });
});
afterEach(() => sidecar.stop());

function held(): Promise<number> {
  return readMetric(sidecar.nearcache, 'nearcache_sessions_held_bytes');
}

function evicted(): Promise<number> {
  return sidecar.metric('nearcache_sessions_closed_total{reason="memory"}');
}

/** The most that is held, looked at again and again, until `ended`. */
async function mostHeldUntil(what: string, ended: () => Promise<boolean>): Promise<number> {
  let most = 0;
  await until(what, async () => {
    most = Math.max(most, await held());
    return ended();
  });
  return most;
}

describe('over the memory limit of all clients', () => {
  test('those that sent most of requests that are not whole hear so and are closed, and the others are not', async () => {
    const large: RawClient[] = [];
    const heard: Buffer[][] = [];
    const small = await sidecar.app();
    small.send(`*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$10\r\n`);
    for (let i = 0; i < 40; i++) {
      const client = await sidecar.app();
      client.send(`*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$900000\r\n${'x'.repeat(800 * KB)}`);
      const chunks: Buffer[] = [];
      client.socket.on('data', (chunk: Buffer) => chunks.push(chunk));
      large.push(client);
      heard.push(chunks);
    }
    const most = await mostHeldUntil('enough of them are closed', async () => (await evicted()) >= 25);
    // One read of each client may be in a turn.
    expect(most).toBeLessThan(LIMIT + 4 * MB);
    const lastWord = `-ERR nearcache: all clients together hold more than ${LIMIT} bytes, this one the most; the connection is closed\r\n`;
    const words = (): string[] => heard.map((chunks) => Buffer.concat(chunks).toString());
    await until('they have heard it', () => words().filter((word) => word === lastWord).length >= 20);
    await expect
      .poll(() => sidecar.nearcache.logs, { timeout: 10_000 })
      .toMatch(/"reason":"it holds \d+ bytes, the most while all hold more than 16777216"/);
    small.send('0123456789\r\n');
    expect(text(await small.readFrame())).toBe('+OK');
    const kept = large.filter((_, i) => words()[i] === '');
    expect(kept.length).toBeGreaterThan(5);
    kept[0]?.send(`${'x'.repeat(900_000 - 800 * KB)}\r\n`);
    expect(text((await kept[0]?.readFrame()) as Buffer)).toBe('+OK');
  }, 60_000);

  test('those that left most replies unread are closed, and others are served on', async () => {
    await say(sidecar.direct, 'SET', 'large', 'x'.repeat(2 * MB));
    const readers: RawClient[] = [];
    const other = await sidecar.app();
    for (let i = 0; i < 12; i++) {
      const client = await sidecar.app();
      client.socket.pause();
      client.send(
        Buffer.concat(
          Array.from({ length: 10 }, (_, k) => encodeRequest(['GETRANGE', 'large', '0', `${-1 - k}`])),
        ),
      );
      readers.push(client);
    }
    const most = await mostHeldUntil('some are closed', async () => {
      expect(await say(other, 'INCR', 'served')).toMatch(/^:/);
      return (await evicted()) >= 4;
    });
    expect(most).toBeLessThan(LIMIT + 8 * MB);
    for (const client of readers) client.close();
    await until('all of it is given back', async () => (await held()) < 64 * KB);
    expect(await say(other, 'PING')).toBe('+PONG');
  }, 60_000);

  test.each([
    {
      what: 'subscribes to ever more',
      before: [],
      args: (i: number) => ['SUBSCRIBE', `${i}`.padEnd(200_000, '.')],
    },
    {
      what: 'never ends its transaction',
      before: ['MULTI'],
      args: (i: number) => ['GET', `${i}`.padEnd(200_000, '.')],
    },
  ])('a client that $what is closed', async ({ before, args }) => {
    const client = await sidecar.app();
    if (before.length > 0) await client.call(...before);
    let sent = 0;
    for (; sent < 200 && !client.socket.destroyed; sent++) {
      client.request(args(sent));
      await client.readFrame().catch(() => undefined);
    }
    expect(sent).toBeGreaterThan(70);
    expect(sent).toBeLessThan(90);
    expect(await evicted()).toBe(1);
    expect(await held()).toBeLessThan(MB);
  });

  test('one client that pipelines without reading is stopped long before it', async () => {
    const client = await sidecar.app();
    client.socket.pause();
    const requests = Buffer.concat(
      Array.from({ length: 10_000 }, () => encodeRequest(['ECHO', 'x'.repeat(1000)])),
    );
    for (let i = 0; i < 10; i++) client.send(requests);
    const received = (): Promise<number> => sidecar.metric('nearcache_session_received_bytes_total');
    let before = -1;
    await until('it is not read any more', async () => {
      const now = await received();
      const isStill = now === before && now > 100 * KB;
      before = now;
      return isStill;
    });
    expect(await held()).toBeLessThan(4 * MB);
    expect(await evicted()).toBe(0);
    expect(await say(await sidecar.app(), 'PING')).toBe('+PONG');
  }, 60_000);
});
