import { lstatSync, readFileSync, unlinkSync } from 'node:fs';
import { createServer, type ListenOptions, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { endSocket } from '../base/byte-socket.ts';
import { errorLine } from '../base/errors.ts';
import { boundSendBuffer } from '../base/send-buffer.ts';
import { Session } from './session.ts';
import type { SessionContext } from './session-context.ts';

/** After so much silence the system asks whether the client's machine is still there: one that has vanished says nothing. */
const KEEP_ALIVE_MS = 30_000;
/** Refused ones that are waited for until they have heard why; each takes an open file. */
const REFUSED_MAX = 32;

/** Where apps connect. Shape: as in the configuration; `port` 0 = any free one. */
export type ListenAddress =
  | { readonly kind: 'tcp' | 'tls'; readonly host: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string };

/** Files of a TLS listener; `ca` given = clients must show a certificate of it. */
export interface ListenerTls {
  cert: string;
  key: string;
  ca: string | undefined;
}

export interface ListenerOptions {
  addresses: readonly ListenAddress[];
  /** An address that this machine does not have is left out in silence (::1 of the default). */
  skipsMissing: boolean;
  tls: ListenerTls | undefined;
  clientsMax: number;
  /** Who connects by TLS is no session before it is done with it. Units: ms. */
  handshakeMs: number;
  /** Of the kernel, for each client; 0 = as it likes. Units: bytes. */
  sendBufferBytes: number;
}

/** Accepts sessions on TCP, Unix and TLS addresses.
 *  Errors: `open` rejects with the address in its message. Bounds: `clientsMax` sessions; one more hears why, and is closed;
 *  `REFUSED_MAX` of those at a time; of TLS, those that shake hands count among them, for `handshakeMs` at most. */
export class Listener {
  #options: ListenerOptions;
  #context: SessionContext;
  #servers: Server[] = [];
  #isDraining = false;
  #refusedOpen = 0;

  constructor(options: ListenerOptions, context: SessionContext) {
    this.#options = options;
    this.#context = context;
  }

  /** Open all addresses; resolves with what they really are (ports filled in). */
  async open(): Promise<string[]> {
    const opened: string[] = [];
    for (const address of this.#options.addresses) {
      const name = await this.#openOne(address);
      if (name !== undefined) opened.push(name);
    }
    if (opened.length === 0) throw new Error('none of the listen addresses exists on this machine');
    return opened;
  }

  /** Accept no more. Open sessions stay. */
  close(): void {
    this.#isDraining = true;
    for (const server of this.#servers) server.close();
  }

  async #openOne(address: ListenAddress): Promise<string | undefined> {
    const server = this.#server(address);
    const options: ListenOptions =
      address.kind === 'unix'
        ? { path: address.path }
        : { host: address.host, port: address.port, ipv6Only: address.host.includes(':') };
    if (address.kind === 'unix') removeStaleSocket(address.path);
    try {
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        server.listen({ ...options, backlog: 1024 }, () => {
          server.off('error', reject);
          resolve();
        });
      });
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (this.#options.skipsMissing && (code === 'EADDRNOTAVAIL' || code === 'EAFNOSUPPORT'))
        return undefined;
      throw new Error(`cannot listen on ${describe(address)}: ${code ?? String(error)}`, { cause: error });
    }
    server.on('error', (error) => this.#context.log.error({ error }, 'listener failed'));
    this.#servers.push(server);
    if (address.kind !== 'unix') await this.#boundSendBuffer(server);
    // It was told to close meanwhile.
    if (this.#isDraining) server.close();
    const bound = server.address();
    return typeof bound === 'object' && bound !== null && address.kind !== 'unix'
      ? describe({ ...address, port: bound.port })
      : describe(address);
  }

  /** Connections that came in this moment have what the kernel likes. */
  async #boundSendBuffer(server: Server): Promise<void> {
    const { sendBufferBytes } = this.#options;
    if (sendBufferBytes === 0) return;
    const reason = await boundSendBuffer(server, sendBufferBytes);
    if (reason !== undefined) this.#context.log.info({ reason }, '--client-send-buffer is not heeded');
  }

  #server(address: ListenAddress): Server {
    const accept = (socket: Socket): void => this.#accept(socket);
    // Half-open: an app that has sent its last request still hears the replies.
    const common = {
      allowHalfOpen: true,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: KEEP_ALIVE_MS,
    };
    if (address.kind !== 'tls') return createServer(common, accept);
    const { tls, clientsMax, handshakeMs } = this.#options;
    if (tls === undefined) throw new Error(`${describe(address)} needs --tls-cert and --tls-key`);
    const server = createTlsServer(
      {
        ...common,
        handshakeTimeout: handshakeMs,
        cert: readFileSync(tls.cert),
        key: readFileSync(tls.key),
        ...(tls.ca === undefined
          ? {}
          : { ca: readFileSync(tls.ca), requestCert: true, rejectUnauthorized: true }),
      },
      (socket) => accept(socket.ref()),
    );
    // Before, nobody waits for it when nearcache stops.
    server.on('connection', (socket: Socket) => socket.unref());
    // Those that are no sessions yet count, too: each takes an open file.
    server.maxConnections = clientsMax + REFUSED_MAX;
    server.on('tlsClientError', (error, socket) => {
      this.#context.log.info({ reason: error.message }, 'TLS client refused');
      // Node only tells when the time is over, or the client has gone.
      socket.destroy();
    });
    return server;
  }

  #accept(socket: Socket): void {
    const { stats, registry } = this.#context;
    if (this.#isDraining || registry.size >= this.#options.clientsMax) {
      stats.refused++;
      this.#refuse(socket, errorLine(this.#isDraining ? 'DRAINING' : 'CLIENTS_LIMIT'));
      return;
    }
    stats.accepted++;
    registry.add(new Session(this.#context, registry.nextId(), socket));
  }

  /** The last word reaches whoever has sent something only if that is read; where too many come, those that have sent nothing hear it. */
  #refuse(socket: Socket, lastWord: Buffer): void {
    socket.on('error', () => undefined);
    if (this.#refusedOpen < REFUSED_MAX) {
      this.#refusedOpen++;
      socket.once('close', () => this.#refusedOpen--);
      endSocket(socket, lastWord);
    } else {
      socket.write(lastWord);
      socket.destroy();
    }
  }
}

/** A socket that a killed nearcache left behind would make listening fail; any other file is not ours to remove. */
function removeStaleSocket(path: string): void {
  if (lstatSync(path, { throwIfNoEntry: false })?.isSocket() === true) unlinkSync(path);
}

function describe(address: ListenAddress): string {
  if (address.kind === 'unix') return `unix:${address.path}`;
  const host = address.host.includes(':') ? `[${address.host}]` : address.host;
  return `${address.kind === 'tls' ? 'tls://' : ''}${host}:${address.port}`;
}
