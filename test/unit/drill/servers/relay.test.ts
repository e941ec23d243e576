import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { once } from 'node:events';
import { afterEach, beforeEach, expect, test } from 'vitest';

import { connectRaw } from '../../../support/raw-client.ts';
import { startRelay } from '../../../../src/drill/servers/relay.ts';
import type { RawClient } from '../../../support/raw-client.ts';
import type { Relay, RelayOptions } from '../../../../src/drill/servers/relay.ts';

let echo: Server;
let relay: Relay;
let chunks: Buffer[];
let client: RawClient;

beforeEach(async () => {
  chunks = [];
  echo = createServer((socket: Socket) => {
    socket.on('error', () => {});
    socket.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      socket.write(chunk);
    });
  });
  echo.listen(0, '127.0.0.1');
  await once(echo, 'listening');
});

afterEach(async () => {
  client.close();
  await relay.stop();
  echo.close();
});

async function relayed(options: RelayOptions = {}): Promise<void> {
  relay = await startRelay((echo.address() as AddressInfo).port, options);
  client = await connectRaw({ port: relay.port });
}

const numbers = Array.from({ length: 500 }, (_, i) => `:${i}\r\n`);

test('bytes stay in order while the delay changes under them', async () => {
  await relayed({ delayMs: 5 });
  for (const [i, number] of numbers.entries()) {
    relay.delayMs = i % 7;
    client.send(number);
    if (i % 50 === 0) await new Promise(setImmediate);
  }
  expect(Buffer.concat(await client.readFrames(numbers.length)).toString()).toBe(numbers.join(''));
});

test('a delay is waited out each way', async () => {
  await relayed({ delayMs: 30 });
  const start = performance.now();
  client.send('+a\r\n');
  await client.readFrame();
  expect(performance.now() - start).toBeGreaterThanOrEqual(58);
});

test('bytes arrive in pieces when they are split', async () => {
  await relayed({ splitBytes: 1 });
  client.send('$10\r\n0123456789\r\n');
  expect((await client.readFrame()).toString()).toBe('$10\r\n0123456789\r\n');
  expect(chunks.length).toBeGreaterThan(1);
});

test('a paused direction keeps its bytes until it is resumed', async () => {
  await relayed();
  relay.pause('down');
  client.send('+a\r\n');
  await expect(client.readFrame(50)).rejects.toThrow('no whole reply');
  expect(Buffer.concat(chunks).toString()).toBe('+a\r\n');
  relay.resume('down');
  expect((await client.readFrame()).toString()).toBe('+a\r\n');
});

test('a half-open connection stays open and silent while a new one works', async () => {
  await relayed();
  client.send('+a\r\n');
  await client.readFrame();
  relay.halfOpen();
  client.send('+b\r\n');
  await expect(client.readFrame(50)).rejects.toThrow('no whole reply');
  const second = await connectRaw({ port: relay.port });
  expect((await second.call('x')).toString()).toBe('*1\r\n$1\r\nx\r\n');
  expect(relay.connections).toBe(2);
  second.close();
});

test('a cut ends the connection and a new one is accepted', async () => {
  await relayed();
  client.send('+a\r\n');
  await client.readFrame();
  relay.cut();
  await client.closed;
  client = await connectRaw({ port: relay.port });
  expect((await client.call('x')).toString()).toBe('*1\r\n$1\r\nx\r\n');
});
