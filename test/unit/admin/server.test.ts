import { once } from 'node:events';
import { createConnection, createServer, type Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { type AdminServer, type AdminState, startAdmin } from '../../../src/admin/server.ts';
import { createLogger } from '../../../src/base/log.ts';
import type { Metrics } from '../../../src/metrics/registry.ts';

const SHARDS = [{ name: 'shard0', address: '10.0.0.1:6379', state: 'down', error: 'ECONNREFUSED' }];

let server: AdminServer | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
});

async function start(
  given: Partial<AdminState> = {},
  options: Partial<Parameters<typeof startAdmin>[0]> = {},
): Promise<(path: string) => Promise<{ status: number; type: string | null; body: string }>> {
  const metrics: Metrics = {
    contentType: 'text/plain; version=0.0.4; charset=utf-8',
    text: async () => 'm 1\n',
  };
  server = await startAdmin({
    host: '127.0.0.1',
    port: 0,
    metrics,
    state: { started: true, draining: false, shards: () => SHARDS, ...given },
    logger: createLogger({ level: 'silent', format: 'json' }),
    ...options,
  });
  const { port } = server;
  return async (path) => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`);
    return {
      status: response.status,
      type: response.headers.get('content-type'),
      body: await response.text(),
    };
  };
}

describe('probes', () => {
  test.each([
    [{ started: false }, { startupz: 503, livez: 200, readyz: 503 }, 'starting'],
    [{}, { startupz: 200, livez: 200, readyz: 200 }, 'ready'],
    [{ draining: true }, { startupz: 200, livez: 200, readyz: 503 }, 'draining'],
  ])('state %o answers %o', async (state, expected, status) => {
    const get = await start(state);
    const [startupz, livez, readyz] = await Promise.all(['/startupz', '/livez', '/readyz'].map(get));
    expect({ startupz: startupz?.status, livez: livez?.status, readyz: readyz?.status }).toEqual(expected);
    expect(JSON.parse(readyz?.body as string)).toEqual({ status, shards: SHARDS });
  });

  test('a shard that is down does not make the sidecar unready', async () => {
    const get = await start({ shards: () => SHARDS });
    expect((await get('/readyz')).status).toBe(200);
  });

  test('state is read at each request', async () => {
    const state = { started: false, draining: false, shards: () => [] };
    const get = await start({}, { state });
    expect((await get('/startupz')).status).toBe(503);
    state.started = true;
    expect((await get('/startupz')).status).toBe(200);
  });
});

describe('strangers', () => {
  async function connect(): Promise<Socket> {
    const { port } = server as AdminServer;
    const socket = createConnection({ host: '127.0.0.1', port });
    socket.on('error', () => undefined);
    await once(socket, 'connect');
    return socket;
  }

  test('more than 64 connections are closed, those that are there are served', async () => {
    const get = await start();
    const idle = await Promise.all(Array.from({ length: 63 }, connect));
    // Its connection is kept, and is the last one.
    expect((await get('/livez')).status).toBe(200);
    await once(await connect(), 'close');
    const asked = idle[0] as Socket;
    asked.write('GET /livez HTTP/1.1\r\nHost: a\r\n\r\n');
    expect(String((await once(asked, 'data'))[0])).toContain('200 OK');
    for (const socket of idle) socket.destroy();
  });

  test.each(['', 'GET /livez HTTP/1.1\r\nHo'])(
    'who asks nothing whole (%j) is closed in time',
    async (part) => {
      await start({}, { requestMs: 200 });
      const socket = await connect();
      socket.write(part);
      expect(String((await once(socket, 'data'))[0])).toContain('408 Request Timeout');
      await once(socket, 'close');
    },
  );
});

describe('other endpoints', () => {
  test('metrics are served with their content type', async () => {
    const get = await start();
    expect(await get('/metrics')).toEqual({
      status: 200,
      type: 'text/plain; version=0.0.4; charset=utf-8',
      body: 'm 1\n',
    });
  });

  test('the index names every endpoint', async () => {
    const { body } = await (await start())('/');
    for (const path of ['/startupz', '/livez', '/readyz', '/metrics']) expect(body).toContain(path);
  });

  test('an unknown path is a 404 in clear words', async () => {
    const { status, body } = await (await start())('/nope');
    expect([status, body]).toEqual([
      404,
      'GET /nope: there is no such endpoint. GET / lists those there are.\n',
    ]);
  });

  test('a failing endpoint is a 500 that tells nothing, and a log line that does', async () => {
    const lines: string[] = [];
    const logger = createLogger({
      level: 'error',
      format: 'json',
      destination: { write: (line) => void lines.push(line) },
    });
    const shards = (): never => {
      throw new Error('boom');
    };
    const { status, body } = await (await start({ shards }, { logger }))('/readyz');
    expect([status, body]).toEqual([500, 'internal error; see the log\n']);
    expect(lines.join('')).toContain('boom');
  });
});

describe('listening', () => {
  test('a port in use is a clear error', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const { port } = other.address() as { port: number };
    await expect(start({}, { port })).rejects.toThrow(
      `cannot open the admin server: port ${port} of 127.0.0.1 is in use; choose another with --admin, or off`,
    );
    await new Promise((resolve) => other.close(resolve));
  });

  test('an address of another machine is a clear error', async () => {
    await expect(start({}, { host: '192.0.2.1' })).rejects.toThrow(
      '192.0.2.1 is not an address of this machine',
    );
  });

  test('all addresses include the loopback of IPv4', async () => {
    const get = await start({}, { host: '::' });
    expect((await get('/livez')).status).toBe(200);
  });

  test('closing ends the server although a client keeps its connection open', async () => {
    const get = await start();
    await get('/livez');
    await server?.close();
    await expect(get('/livez')).rejects.toThrow('fetch failed');
  });
});
