import { once } from 'node:events';
import { createConnection, type Socket } from 'node:net';

import { FrameReader } from './frame-reader.ts';

/** One argument of a request; a string stands for its latin1 bytes, so '\xff' is one byte. */
export type Argument = string | Buffer;

/** A socket that speaks RESP and decodes nothing: what a test sees is what was on the wire. */
export interface RawClient {
  readonly socket: Socket;
  /** Sends these bytes as they are (a string as latin1). */
  send(bytes: Argument): void;
  /** Sends one command as a multibulk. */
  request(args: readonly Argument[]): void;
  /** The bytes of exactly one reply or push.
   *  Errors: rejects when none has come within `timeoutMs` (default 20 000) or the connection has ended. */
  readFrame(timeoutMs?: number): Promise<Buffer>;
  readFrames(count: number, timeoutMs?: number): Promise<Buffer[]>;
  /** Sends one command and reads one frame. */
  call(...args: readonly Argument[]): Promise<Buffer>;
  /** What has arrived and was not read. */
  rest(): Buffer;
  close(): void;
  /** Resolves when the connection has ended, by either side or by an error. */
  readonly closed: Promise<void>;
}

/** Connects to a port of 127.0.0.1 or to a Unix socket.
 *  Errors: rejects when nothing listens there. */
export async function connectRaw(target: { port: number } | { path: string }): Promise<RawClient> {
  const socket = createConnection('path' in target ? target : { host: '127.0.0.1', ...target });
  await once(socket, 'connect');
  socket.setNoDelay(true);
  return new SocketClient(socket);
}

/** A command as multibulk bytes. */
export function encodeRequest(args: readonly Argument[]): Buffer {
  const parts: Buffer[] = [Buffer.from(`*${args.length}\r\n`)];
  for (const arg of args) {
    const bytes = toBytes(arg);
    parts.push(Buffer.from(`$${bytes.length}\r\n`), bytes, Buffer.from('\r\n'));
  }
  return Buffer.concat(parts);
}

/** An argument as latin1 text. */
export function textOf(argument: Argument): string {
  return typeof argument === 'string' ? argument : argument.toString('latin1');
}

function toBytes(argument: Argument): Buffer {
  return typeof argument === 'string' ? Buffer.from(argument, 'latin1') : argument;
}

class SocketClient implements RawClient {
  readonly socket: Socket;
  readonly closed: Promise<void>;
  readonly #reader = new FrameReader();
  #ended = false;
  #wake: () => void = () => {};

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => {
      this.#reader.push(chunk);
      this.#wake();
    });
    // A reset is an end like any other here; 'close' follows.
    socket.on('error', () => {});
    this.closed = new Promise((resolve) => {
      socket.once('close', () => {
        this.#ended = true;
        this.#wake();
        resolve();
      });
    });
  }

  send(bytes: Argument): void {
    this.socket.write(toBytes(bytes));
  }

  request(args: readonly Argument[]): void {
    this.send(encodeRequest(args));
  }

  async call(...args: readonly Argument[]): Promise<Buffer> {
    this.request(args);
    return this.readFrame();
  }

  async readFrame(timeoutMs = 20_000): Promise<Buffer> {
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      this.#wake();
    }, timeoutMs);
    try {
      for (;;) {
        const frame = this.#reader.take();
        if (frame !== undefined) return frame;
        if (this.#ended) throw new Error('the connection ended before a whole reply came');
        if (late) throw new Error(`no whole reply within ${timeoutMs} ms`);
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    } finally {
      clearTimeout(timer);
    }
  }

  async readFrames(count: number, timeoutMs?: number): Promise<Buffer[]> {
    const frames: Buffer[] = [];
    while (frames.length < count) frames.push(await this.readFrame(timeoutMs));
    return frames;
  }

  rest(): Buffer {
    return this.#reader.rest();
  }

  close(): void {
    this.socket.destroy();
  }
}
