import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, it } from 'vitest';

import { Session } from '../../../src/session/session.ts';
import { encodeRequest } from '../../support/raw-client.ts';
import { lonelyContext } from '../../support/session-context.ts';

const KB = 1024;

let server: Server;
let client: Socket;
let socket: Socket;
let session: Session;

beforeEach(async () => {
  server = createServer({ allowHalfOpen: true });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  client = connect({ host: '127.0.0.1', port });
  [socket] = (await once(server, 'connection')) as [Socket];
  // As on a Node that cannot have it read into the shared buffer: it tells by its events what it has read.
  Object.assign((socket as unknown as { _handle: object })._handle, { useUserBuffer: undefined });
  const context = lonelyContext();
  session = new Session({ ...context, options: { ...context.options, inFlightMax: 10_000 } }, 1, socket);
  session.context.registry.add(session);
});
afterEach(() => {
  client.destroy();
  socket.destroy();
  server.close();
});

it('serves one session only so much in a turn, and the rest in the turns that follow', async () => {
  const requests = 800;
  let received = '';
  client.setEncoding('latin1').on('data', (text: string) => (received += text));
  // As read from the socket in one piece.
  socket.emit(
    'data',
    Buffer.concat(Array.from({ length: requests }, () => encodeRequest(['CLIENT', 'LIST']))),
  );

  expect(session.backlog).toBeGreaterThan(64 * KB);
  expect(session.backlog).toBeLessThan(66 * KB);
  await expect.poll(() => received.split('addr=').length - 1, { timeout: 20_000 }).toBe(2 * requests);
  expect(session.backlog).toBe(0);
});
