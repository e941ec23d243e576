import { once } from 'node:events';
import { type AddressInfo, createConnection, createServer } from 'node:net';
import { afterEach, expect, test } from 'vitest';

import { type HopRelay, startHopRelay } from '../../../../bench/load/relay.ts';
import { percentilesOf } from '../../../../bench/report/percentiles.ts';

const cleanUps: (() => void)[] = [];

afterEach(() => {
  for (const cleanUp of cleanUps.splice(0)) cleanUp();
});

/** An echo server behind a hop. */
async function echoBehindHop(delayMs: number): Promise<HopRelay> {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => {});
    socket.pipe(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const relay = await startHopRelay((server.address() as AddressInfo).port, delayMs);
  cleanUps.push(
    () => relay.stop(),
    () => server.close(),
  );
  return relay;
}

/** Bytes of which each stretch of four is its own position, so that any change of order shows. */
function numbered(length: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let at = 0; at + 4 <= length; at += 4) bytes.writeUInt32BE(at, at);
  return bytes;
}

/** Of so many round trips of one connection, one after the other. Units: ms. */
async function shortestTrip(relay: HopRelay, trips: number): Promise<number> {
  const socket = createConnection({ host: '127.0.0.1', port: relay.port, noDelay: true });
  cleanUps.push(() => socket.destroy());
  await once(socket, 'connect');
  let least = Infinity;
  for (let i = 0; i < trips; i++) {
    const sentAt = performance.now();
    socket.write('ping');
    await once(socket, 'data');
    least = Math.min(least, performance.now() - sentAt);
  }
  return least;
}

/** A small generator with a seed: the same chunks in every run. */
function chunkSizes(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return 1 + ((state >>> 8) % 4_000);
  };
}

test.each([0, 0.25, 1, 5])('bytes keep their order across %s ms, however they are cut', async (delayMs) => {
  const relay = await echoBehindHop(delayMs);
  const sent = numbered(256 * 1024);
  const socket = createConnection({ host: '127.0.0.1', port: relay.port, noDelay: true });
  const received: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => received.push(chunk));
  const size = chunkSizes(7);
  for (let at = 0; at < sent.length; ) {
    const end = Math.min(sent.length, at + size());
    socket.write(sent.subarray(at, end));
    at = end;
    if (at % 3 === 0) await new Promise(setImmediate);
  }
  socket.end();
  await once(socket, 'end');
  expect(Buffer.concat(received).equals(sent)).toBe(true);
});

test('a round trip takes at least the delay of both ways, and the relay reports what it held', async () => {
  const delayMs = 4;
  const relay = await echoBehindHop(delayMs);
  expect(await shortestTrip(relay, 20)).toBeGreaterThanOrEqual(2 * delayMs);
  const { count, p50 } = percentilesOf(relay.held);
  expect(count).toBe(40);
  expect(p50).toBeGreaterThanOrEqual(delayMs * 0.999);
});

test('nothing is held shorter when so much is on its way that the relay is not woken by each chunk', async () => {
  const [delayMs, connections, trips] = [4, 16, 20];
  const relay = await echoBehindHop(delayMs);
  const shortest = await Promise.all(Array.from({ length: connections }, () => shortestTrip(relay, trips)));
  expect(Math.min(...shortest)).toBeGreaterThanOrEqual(2 * delayMs);
  const { count, p50 } = percentilesOf(relay.held);
  expect(count).toBe(2 * connections * trips);
  expect(p50).toBeGreaterThanOrEqual(delayMs * 0.999);
});
