import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';

import { boundSendBuffer } from '../../../src/base/send-buffer.ts';

const PIECE = Buffer.alloc(65_536);
const PIECES = 160;
const MB = 1024 * 1024;

const sockets: Socket[] = [];
let server: Server;

afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
  server.close();
});

/** What the kernel takes for a client that reads nothing, of 10 MB. Units: bytes. */
async function takenUnread(bytes: number | undefined): Promise<number> {
  server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  if (bytes !== undefined) expect(await boundSendBuffer(server, bytes)).toBeUndefined();
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1').pause();
  const [accepted] = (await once(server, 'connection')) as [Socket];
  sockets.push(client, accepted);
  for (let i = 0; i < PIECES; i++) accepted.write(PIECE);
  await delay(200);
  return accepted.bytesWritten - accepted.writableLength;
}

describe('the send buffer of a listener', () => {
  test('bounds what the kernel holds for each of its clients', async () => {
    const bounded = await takenUnread(16 * 1024);
    expect(bounded).toBeLessThan(MB / 2);
    server.close();
    expect(await takenUnread(undefined)).toBeGreaterThan(2 * bounded);
  });

  test('says why when there is nothing to be bounded', async () => {
    server = createServer();
    expect(await boundSendBuffer(server, 16 * 1024)).toMatch(/descriptor of a listening socket/);
  });
});
