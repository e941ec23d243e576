import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';

import { childFrames, FrameReader } from './frame-reader.ts';

/** One connection to a scripted server: what the other side asks is read as requests, what it is told is up to the test. */
export class ScriptedConnection {
  readonly socket: Socket;
  readonly #reader = new FrameReader();
  #wake: () => void = () => {};
  #hasEnded = false;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.setNoDelay(true);
    socket.on('error', () => {});
    socket.on('data', (chunk: Buffer) => {
      this.#reader.push(chunk);
      this.#wake();
    });
    socket.on('close', () => {
      this.#hasEnded = true;
      this.#wake();
    });
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** The next request's arguments, as latin1.
   *  Errors: rejects when none has come within 20 seconds, or the other side has closed. */
  async request(): Promise<string[]> {
    const deadline = performance.now() + 20_000;
    for (;;) {
      const frame = this.#reader.take();
      if (frame !== undefined) return childFrames(frame).map(payload);
      if (this.#hasEnded) throw new Error('the other side has closed');
      if (performance.now() > deadline) throw new Error('no request within 20 s');
      await this.#change(deadline);
    }
  }

  /** This many requests, each joined by blanks. */
  async requests(count: number): Promise<string[]> {
    const requests: string[] = [];
    while (requests.length < count) requests.push((await this.request()).join(' '));
    return requests;
  }

  /** Resolves when the other side has closed, or this side has. */
  async ended(): Promise<void> {
    const deadline = performance.now() + 20_000;
    while (!this.#hasEnded) {
      if (performance.now() > deadline) throw new Error('not closed within 20 s');
      await this.#change(deadline);
    }
  }

  /** Shape: a string stands for its latin1 bytes. */
  send(bytes: string | Buffer): void {
    this.socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
  }

  /** End it with a reset. */
  reset(): void {
    this.socket.resetAndDestroy();
  }

  #change(deadline: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, deadline - performance.now() + 1);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

function payload(frame: Buffer): string {
  const text = frame.toString('latin1');
  return text.slice(text.indexOf('\n') + 1, -2);
}

/** Stands in for Redis where a test must decide each byte of the answers. */
export class ScriptedServer {
  readonly #server: Server;
  readonly #waiting: ScriptedConnection[] = [];
  readonly #all: ScriptedConnection[] = [];
  #wake: () => void = () => {};

  private constructor(server: Server) {
    this.#server = server;
    server.on('connection', (socket) => {
      const connection = new ScriptedConnection(socket);
      this.#all.push(connection);
      this.#waiting.push(connection);
      this.#wake();
    });
  }

  static async start(): Promise<ScriptedServer> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new ScriptedServer(server);
  }

  get address(): { host: string; port: number; tls: undefined } {
    return { host: '127.0.0.1', port: (this.#server.address() as AddressInfo).port, tls: undefined };
  }

  /** How many connections there have been. */
  get accepted(): number {
    return this.#all.length;
  }

  /** The next connection. Errors: rejects when none comes within 20 seconds. */
  async connection(): Promise<ScriptedConnection> {
    const deadline = performance.now() + 20_000;
    for (;;) {
      const connection = this.#waiting.shift();
      if (connection !== undefined) return connection;
      if (performance.now() > deadline) throw new Error('no connection within 20 s');
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 100);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  async stop(): Promise<void> {
    for (const { socket } of this.#all) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }
}
