import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, it } from 'vitest';

import { connectRaw, encodeRequest, type RawClient } from '../../support/raw-client.ts';
import { until } from '../../support/sidecar.ts';
import { LinkRelay } from './relay.ts';

let server: Server;
let accepted: Socket | undefined;
let received: Buffer[];
let relay: LinkRelay;
let client: RawClient;
let seed = 1;

/** The far end keeps what it gets and says nothing by itself. */
beforeEach(async () => {
  received = [];
  accepted = undefined;
  server = createServer((socket) => {
    accepted = socket;
    socket.on('data', (bytes: Buffer) => received.push(bytes));
    socket.on('error', () => {});
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  relay = await LinkRelay.start(
    (server.address() as AddressInfo).port,
    () => (seed = (seed * 16_807) % 2_147_483_647) / 2_147_483_647,
  );
});
afterEach(async () => {
  client.close();
  accepted?.destroy();
  await relay.stop();
  server.close();
});

async function connect(): Promise<void> {
  client = await connectRaw({ port: relay.port });
  await until('a link', () => accepted !== undefined);
}

function got(): string {
  return Buffer.concat(received).toString('latin1');
}

it('keeps the order of bytes that are delayed, torn and throttled by turns', async () => {
  await connect();
  const weathers = [
    { delayMs: [0, 5], bytesPerMs: Infinity, tearing: 1 },
    { delayMs: [0, 1], bytesPerMs: 100, tearing: 0 },
    { delayMs: [3, 3], bytesPerMs: Infinity, tearing: 0.5 },
  ] as const;
  const sent = Array.from({ length: 60 }, (_, i) => `${i},`.repeat(20));
  for (const [i, piece] of sent.entries()) {
    relay.weather = weathers[i % weathers.length] as (typeof weathers)[number];
    client.send(piece);
    await new Promise((resolve) => {
      setTimeout(resolve, 1);
    });
  }
  await until('all bytes', () => got().length === sent.join('').length);
  expect(got()).toBe(sent.join(''));
});

it('tears a reply from the invalidation behind it', async () => {
  await connect();
  relay.weather = { delayMs: [0, 0], bytesPerMs: Infinity, tearing: 1 };
  const chunks: string[] = [];
  client.socket.on('data', (bytes: Buffer) => chunks.push(bytes.toString('latin1')));
  accepted?.write('+OK\r\n>2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\nk\r\n');
  await until('both pieces', () => chunks.length === 2);
  expect(chunks[0]).toBe('+OK\r\n');
});

it('makes a link half-open: its far end is closed, and its near end stays open and silent', async () => {
  await connect();
  relay.links[0]?.halfOpen();
  await until('the end of the far side', () => accepted?.closed === true);
  client.send('lost');
  await client.readFrame(50).catch((error: Error) => expect(error.message).toContain('no whole reply'));
  expect(relay.links).toHaveLength(1);
  expect(got()).toBe('');
});

it('knows which reads are on their way, and which have been asked', async () => {
  await connect();
  const before = relay.reads.mark(3, ['GET', 'k']);
  client.send(Buffer.concat([encodeRequest(['SELECT', '3']), encodeRequest(['GET', 'k'])]));
  await until('the request', () => got().includes('GET'));
  expect(relay.reads.mark(3, ['GET', 'k'])).toBeUndefined();
  expect(relay.reads.mark(3, ['MGET', 'other', 'k'])).toBeUndefined();
  expect(relay.reads.mark(3, ['STRLEN', 'k'])).toBe(0);
  expect(relay.reads.mark(0, ['GET', 'k'])).toBe(0);
  accepted?.write('+OK\r\n>2\r\n+invalidate\r\n*1\r\n$1\r\nk\r\n$1\r\n1\r\n');
  await client.readFrames(3);
  expect(relay.reads.mark(3, ['GET', 'k'])).toBe((before ?? 0) + 1);
});
