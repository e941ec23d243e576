import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { type ListenAddress, Listener, type ListenerOptions } from '../../../src/session/listener.ts';
import type { SessionContext } from '../../../src/session/session-context.ts';
import { type Certificate, Certificates } from '../../support/certificates.ts';
import { freePort } from '../../../src/drill/servers/free-port.ts';
import { lonelyContext } from '../../support/session-context.ts';
import { until } from '../../support/sidecar.ts';

const LOOPBACK: ListenAddress = { kind: 'tcp', host: '127.0.0.1', port: 0 };
const hasIpv6 = Object.values(networkInterfaces()).some((list) =>
  list?.some(({ address }) => address === '::1'),
);

let context: SessionContext;
let listener: Listener;
let directory: string;
const sockets: Socket[] = [];

beforeEach(() => {
  context = lonelyContext();
  directory = mkdtempSync(join(tmpdir(), 'nearcache-listen-'));
});

afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
  listener.close();
  context.upstream.close();
  rmSync(directory, { recursive: true });
});

function listen(options: Partial<ListenerOptions>): Promise<string[]> {
  const defaults = {
    addresses: [LOOPBACK],
    skipsMissing: false,
    tls: undefined,
    clientsMax: 10,
    handshakeMs: 10_000,
    sendBufferBytes: 0,
  };
  listener = new Listener({ ...defaults, ...options }, context);
  return listener.open();
}

/** Open a connection to an address as `open` names it. */
async function dial(name: string, allowHalfOpen = false): Promise<Socket> {
  const path = name.startsWith('unix:') ? name.slice(5) : undefined;
  const [, host, port] = /^\[?(.*?)\]?:(\d+)$/.exec(name) ?? [];
  const socket =
    path === undefined
      ? connect({ host: host as string, port: Number(port), allowHalfOpen })
      : connect({ path, allowHalfOpen });
  sockets.push(socket);
  socket.on('error', () => {});
  await once(socket, 'connect');
  return socket;
}

async function ask(socket: Socket, request: string): Promise<string> {
  socket.write(request);
  const [answer] = (await once(socket, 'data')) as [Buffer];
  return String(answer);
}

/** Both ends are in this process. */
function openSockets(): number {
  return process.getActiveResourcesInfo().filter((kind) => kind === 'TCPSocketWrap').length;
}

function hex(port: number): string {
  return port.toString(16).toUpperCase().padStart(4, '0');
}

async function rest(socket: Socket): Promise<string> {
  let text = '';
  for await (const chunk of socket) text += String(chunk);
  return text;
}

describe('a TCP listener', () => {
  it('says which port it got, and serves there', async () => {
    const [name] = await listen({});
    expect(name).toMatch(/^127\.0\.0\.1:[1-9]\d*$/);
    expect(await ask(await dial(name as string), 'PING\r\n')).toBe('+PONG\r\n');
    expect(context.stats.accepted).toBe(1);
  });

  it.skipIf(!hasIpv6)('serves IPv6, and leaves the same port of IPv4 to others', async () => {
    const port = await freePort();
    const names = await listen({
      addresses: [
        { kind: 'tcp', host: '::1', port },
        { kind: 'tcp', host: '127.0.0.1', port },
      ],
    });
    expect(names).toEqual([`[::1]:${port}`, `127.0.0.1:${port}`]);
    expect(await ask(await dial(`[::1]:${port}`), 'PING\r\n')).toBe('+PONG\r\n');
  });

  it('names the address that is in use', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const address = other.address() as { port: number };
    const opening = listen({ addresses: [{ kind: 'tcp', host: '127.0.0.1', port: address.port }] });
    await expect(opening).rejects.toThrow(`cannot listen on 127.0.0.1:${address.port}: EADDRINUSE`);
    other.close();
  });

  // Reserved for documentation: no machine has it.
  const elsewhere: ListenAddress = { kind: 'tcp', host: '192.0.2.1', port: 0 };

  it('leaves out an address that the machine does not have only when it was not asked for', async () => {
    await expect(listen({ addresses: [elsewhere] })).rejects.toThrow(
      'cannot listen on 192.0.2.1:0: EADDRNOTAVAIL',
    );
    expect(await listen({ addresses: [elsewhere, LOOPBACK], skipsMissing: true })).toHaveLength(1);
  });

  it.skipIf(process.platform !== 'linux')(
    'asks after half a minute whether a silent client is there',
    async () => {
      const [name] = await listen({});
      const socket = await dial(name as string);
      await ask(socket, 'PING\r\n');
      // Of the listener's side: its own port, the client's, …, the kind of timer (2 = keep-alive), and when it goes off in 1/100 s.
      const [own, other] = [socket.remotePort, socket.localPort].map((port) => hex(port as number));
      const timer = new RegExp(`:${own} \\w+:${other} \\S+ \\S+ 02:(\\w+)`).exec(
        readFileSync('/proc/net/tcp', 'latin1'),
      );
      expect(Number.parseInt(timer?.[1] ?? '', 16)).toBeGreaterThan(2000);
      expect(Number.parseInt(timer?.[1] ?? '', 16)).toBeLessThanOrEqual(3000);
    },
  );

  it('fails when no address is left', async () => {
    await expect(listen({ addresses: [elsewhere], skipsMissing: true })).rejects.toThrow(
      'none of the listen addresses',
    );
  });

  it('takes no more connections once it is closed, and leaves the open ones alone', async () => {
    const [name] = await listen({});
    const socket = await dial(name as string);
    await ask(socket, 'PING\r\n');
    listener.close();
    await expect(dial(name as string)).rejects.toThrow('ECONNREFUSED');
    expect(await ask(socket, 'PING\r\n')).toBe('+PONG\r\n');
  });
});

describe('the limit of clients', () => {
  it('tells one client too many so in Redis’s words, and closes', async () => {
    const [name] = await listen({ clientsMax: 1 });
    const first = await dial(name as string);
    await ask(first, 'PING\r\n');
    expect(await rest(await dial(name as string))).toBe('-ERR max number of clients reached\r\n');
    expect(context.stats).toMatchObject({ open: 1, refused: 1 });
    first.destroy();
    await until('gone', () => context.registry.size === 0);
    expect(await ask(await dial(name as string), 'PING\r\n')).toBe('+PONG\r\n');
  });

  it('keeps no file open for refused clients, whatever they have sent', async () => {
    const [name] = await listen({ clientsMax: 0 });
    const refused = await Promise.all(Array.from({ length: 20 }, () => dial(name as string)));
    for (const socket of refused) socket.write('PING\r\n'.repeat(1000));
    const answers = await Promise.all(refused.map(rest));
    expect(new Set(answers)).toEqual(new Set(['-ERR max number of clients reached\r\n']));
    for (const socket of refused) socket.destroy();
    await until('closed', () => openSockets() === 0);
  });

  it('waits for few of those that do not go, and tells them all', async () => {
    const [name] = await listen({ clientsMax: 0 });
    const refused = await Promise.all(Array.from({ length: 50 }, () => dial(name as string, true)));
    const words = await Promise.all(refused.map((socket) => once(socket, 'data')));
    expect(new Set(words.map(String))).toEqual(new Set(['-ERR max number of clients reached\r\n']));
    await until('bounded', () => openSockets() - refused.length === 32);
  });
});

describe('a Unix socket', () => {
  const pathOf = (): string => join(directory, 'nearcache.sock');

  it('is served', async () => {
    const names = await listen({ addresses: [{ kind: 'unix', path: pathOf() }] });
    expect(names).toEqual([`unix:${pathOf()}`]);
    expect(await ask(await dial(names[0] as string), 'PING\r\n')).toBe('+PONG\r\n');
  });

  it('replaces one that a killed process left behind', async () => {
    const script = `require('net').createServer().listen(${JSON.stringify(pathOf())}, () => process.kill(process.pid, 'SIGKILL'))`;
    const { spawnSync } = await import('node:child_process');
    spawnSync(process.execPath, ['-e', script]);
    expect(existsSync(pathOf())).toBe(true);
    const [name] = await listen({ addresses: [{ kind: 'unix', path: pathOf() }] });
    expect(await ask(await dial(name as string), 'PING\r\n')).toBe('+PONG\r\n');
  });

  it('does not replace a file that is no socket', async () => {
    writeFileSync(pathOf(), 'precious');
    const opening = listen({ addresses: [{ kind: 'unix', path: pathOf() }] });
    await expect(opening).rejects.toThrow(`cannot listen on unix:${pathOf()}: EADDRINUSE`);
    expect(readFileSync(pathOf(), 'utf8')).toBe('precious');
  });
});

describe('a TLS listener', () => {
  let certificates: Certificates;
  let authority: Certificate;
  let own: Certificate;

  beforeAll(() => {
    certificates = new Certificates();
    authority = certificates.authority('authority');
    own = certificates.signed('nearcache', authority, 'DNS:localhost,IP:127.0.0.1');
  });

  afterAll(() => certificates.remove());

  async function listenTls(ca?: string, options: Partial<ListenerOptions> = {}): Promise<number> {
    const tls = { cert: own.cert, key: own.key, ca };
    const addresses = [{ kind: 'tls', host: '127.0.0.1', port: 0 }] as const;
    const [name] = await listen({ addresses, tls, ...options });
    expect(name).toMatch(/^tls:\/\/127\.0\.0\.1:\d+$/);
    return Number(name?.slice(name.lastIndexOf(':') + 1));
  }

  async function joinTls(port: number, options: ConnectionOptions = {}): Promise<Socket> {
    const ca = readFileSync(authority.cert);
    const socket = connectTls({ host: '127.0.0.1', port, ca, ...options });
    sockets.push(socket);
    await once(socket, 'secureConnect');
    return socket;
  }

  function shown(certificate: Certificate): ConnectionOptions {
    return { cert: readFileSync(certificate.cert), key: readFileSync(certificate.key) };
  }

  it('serves a client that trusts its certificate', async () => {
    const socket = await joinTls(await listenTls());
    expect(await ask(socket, 'PING\r\n')).toBe('+PONG\r\n');
    expect(await ask(socket, `ECHO ${'x'.repeat(50_000)}\r\n`)).toContain('$50000');
  });

  it('closes in order on QUIT', async () => {
    const socket = await joinTls(await listenTls());
    socket.write('PING\r\nQUIT\r\n');
    expect(await rest(socket)).toBe('+PONG\r\n+OK\r\n');
    await until('gone', () => context.registry.size === 0);
  });

  it('makes no session of a client that does not speak TLS', async () => {
    const socket = await dial(`127.0.0.1:${await listenTls()}`);
    socket.write('PING\r\nPING\r\nPING\r\n');
    await rest(socket).catch(() => '');
    expect(context.stats.accepted).toBe(0);
  });

  it('waits for a handshake for so long only', async () => {
    const socket = await dial(`127.0.0.1:${await listenTls(undefined, { handshakeMs: 100 })}`);
    await once(socket.resume(), 'close');
    expect(context.stats.accepted).toBe(0);
  });

  it('has a limit of clients that have not shaken hands', async () => {
    const port = await listenTls(undefined, { clientsMax: 1, handshakeMs: 3000 });
    const sockets = await Promise.all(Array.from({ length: 40 }, () => dial(`127.0.0.1:${port}`)));
    const closed = sockets.map((socket) => once(socket.resume(), 'close'));
    await Promise.race(closed);
    await until('bounded', () => sockets.filter((socket) => socket.closed).length === 40 - 33);
    // Whoever goes before has not said so in TLS, and is waited for as long as any other.
    for (const socket of sockets) socket.destroy();
    await until('served again', async () => {
      const socket = await joinTls(port).catch(() => undefined);
      return socket !== undefined && (await ask(socket, 'PING\r\n')) === '+PONG\r\n';
    });
  });

  it('takes only clients that show a certificate of its authority, when it has one', async () => {
    const port = await listenTls(authority.cert);
    const client = certificates.signed('client', authority, 'DNS:client');
    const socket = await joinTls(port, shown(client));
    expect(await ask(socket, 'PING\r\n')).toBe('+PONG\r\n');
    const strangers = certificates.authority('strangers');
    const stranger = certificates.signed('stranger', strangers, 'DNS:client');
    for (const options of [{}, shown(stranger)]) {
      // In TLS 1.3 the client is through before the server has judged its certificate.
      const refused = await joinTls(port, options);
      refused.write('PING\r\n');
      expect(await rest(refused).catch(() => 'no answer')).toMatch(/^(no answer)?$/);
    }
    expect(context.stats.accepted).toBe(1);
  });

  it('needs a certificate', async () => {
    const opening = listen({ addresses: [{ kind: 'tls', host: '127.0.0.1', port: 0 }] });
    await expect(opening).rejects.toThrow('tls://127.0.0.1:0 needs --tls-cert and --tls-key');
  });
});
