import type { Socket } from 'node:net';
import type { ByteSink } from './output-buffer.ts';
import { settleRun } from './output-buffer.ts';

/** Who hears of a socket's life. Every method is called from the event loop, never from inside a call to the socket. */
export interface ByteSocketEvents {
  /** buffer[0, length) was read; the bytes are only valid until the call returns. */
  bytes(buffer: Buffer, length: number): void;
  /** The other side sends no more. */
  ended(): void;
  /** The socket is gone; called exactly once. */
  closed(reason: string): void;
  /** What was waiting to be written has left. */
  drained(): void;
}

/** One shared read buffer: a read is consumed before the callback returns, so no socket needs its own, and a
 *  thousand idle connections cost no read memory. */
export const sharedReadBuffer: Buffer = Buffer.allocUnsafeSlow(65536);

const LINGER_MS = 2000;

type WithHandle = Socket & { _handle?: { writeQueueSize?: number } | null };

/** Send what was written and `lastWords`, then close. What still comes in is read and dropped, since closing over unread
 *  bytes is a reset, which may overtake the last words. Bounds: whoever takes nothing, or does not close its side, within
 *  LINGER_MS is cut off. */
export function endSocket(socket: Socket, lastWords?: Buffer): void {
  if (lastWords !== undefined) socket.write(lastWords);
  socket.setTimeout(LINGER_MS, () => socket.destroy());
  socket.end(() => {
    const timer = setTimeout(() => socket.destroy(), LINGER_MS).unref();
    socket.once('close', () => clearTimeout(timer));
  });
  socket.resume();
}

/** A socket as the data path wants it: bytes in by callback, one write a turn, known backlog.
 *  Errors: never throws; a failing socket ends in `closed` with the reason in words. */
export class ByteSocket implements ByteSink {
  #socket: Socket | undefined;
  #events: ByteSocketEvents;
  #reason = 'closed';
  #isPaused = false;

  constructor(events: ByteSocketEvents) {
    this.#events = events;
  }

  /** For `onread.callback` of a socket made with the shared read buffer. */
  readonly read = (length: number, buffer: Uint8Array): boolean => {
    this.#events.bytes(buffer as Buffer, length);
    settleRun();
    return !this.#isPaused;
  };

  /** Take over a socket. `readsByCallback` = it was made with `onread: { buffer, callback: this.read }`. */
  attach(socket: Socket, readsByCallback: boolean): void {
    this.#socket = socket;
    if (!readsByCallback) socket.on('data', (chunk: Buffer) => this.read(chunk.length, chunk));
    socket.on('end', () => this.#events.ended());
    socket.on('drain', () => this.#events.drained());
    socket.on('error', (error: NodeJS.ErrnoException) => {
      // A system error has its short form; TLS says in words what is wrong with a certificate.
      this.#reason = error.syscall === undefined ? error.message : `${error.syscall} ${error.code}`;
    });
    socket.on('close', () => {
      this.#socket = undefined;
      this.#events.closed(this.#reason);
    });
  }

  /** Bytes that were written but have not left the process. */
  get backlog(): number {
    return this.#socket?.writableLength ?? 0;
  }

  /** Bytes that Node has read and a paused reader has not been given. */
  get unread(): number {
    return this.#socket?.readableLength ?? 0;
  }

  /** Changes whenever the kernel has taken something of what was written, and never else.
   *  Source: `writeQueueSize` of the handle, by which Node's own time-out of a socket sees that a large write goes on. */
  get progress(): number {
    const socket: WithHandle | undefined = this.#socket;
    if (socket === undefined) return 0;
    return socket.bytesWritten - socket.writableLength - (socket._handle?.writeQueueSize ?? 0);
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }

  pause(): void {
    if (this.#isPaused) return;
    this.#isPaused = true;
    this.#socket?.pause();
  }

  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#socket?.resume();
  }

  corkedWrite(pieces: readonly Buffer[]): boolean {
    const socket = this.#socket;
    if (socket === undefined || socket.destroyed) return true;
    if (pieces.length === 1) {
      socket.write(pieces[0] as Buffer);
    } else {
      socket.cork();
      for (const piece of pieces) socket.write(piece);
      socket.uncork();
    }
    // Node counts a write as pending until libuv took all of it: zero means that nothing refers to the pieces any more.
    return socket.writableLength === 0;
  }

  /** Send what was written, then close. */
  end(): void {
    if (this.#socket !== undefined) endSocket(this.#socket);
  }

  /** Close now; `closed` follows with this reason. */
  destroy(reason: string): void {
    if (this.#socket === undefined || this.#socket.destroyed) return;
    this.#reason = reason;
    this.#socket.destroy();
  }
}
