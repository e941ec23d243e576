import { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { ByteSink } from './output-buffer.ts';
import { settleRun } from './output-buffer.ts';
import { atEndOfTurn, type EndOfTurn } from './turn.ts';

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
/** Read from one socket in a turn before the others have theirs: libuv would read 2 MB, of which each has to be copied on. */
const TURN_BYTES = 131_072;

type WithHandle = Socket & {
  _handle?: {
    bytesWritten?: number;
    writeQueueSize?: number;
    useUserBuffer?: (buffer: Buffer) => void;
  } | null;
};

/** Node's own fields for `onread`, which every socket has. */
const FIELDS = Object.getOwnPropertySymbols(new Socket());
const BUFFER = FIELDS.find(({ description }) => description === 'kBuffer');
const CALLBACK = FIELDS.find(({ description }) => description === 'kBufferCb');

/** Have a socket that a server accepted read into the shared buffer, as `onread` does for one that connects: a server has no
 *  such option, and each read would take 64 KB beside the heap, which V8 collects in whole cycles of garbage collection.
 *  False = this Node has it no more, or the socket is one of TLS: it tells what it reads by its `data` events
 *  (docs/decisions/0011). */
function readIntoShared(socket: WithHandle, read: ByteSocket['read']): boolean {
  const handle = socket._handle;
  if (BUFFER === undefined || CALLBACK === undefined || socket instanceof TLSSocket) return false;
  if (typeof handle?.useUserBuffer !== 'function') return false;
  Object.assign(socket, { [BUFFER]: sharedReadBuffer, [CALLBACK]: read });
  handle.useUserBuffer(sharedReadBuffer);
  return true;
}

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
export class ByteSocket implements ByteSink, EndOfTurn {
  isListed = false;
  #socket: Socket | undefined;
  #events: ByteSocketEvents;
  #reason = 'closed';
  #isPaused = false;
  /** In this turn, by reads that filled the buffer. Units: bytes. */
  #bytesRead = 0;

  constructor(events: ByteSocketEvents) {
    this.#events = events;
  }

  /** For `onread.callback` of a socket made with the shared read buffer. */
  readonly read = (length: number, buffer: Uint8Array): boolean => {
    // A buffer that was not filled ends it anyway.
    if (length === sharedReadBuffer.length) this.#countRead(length);
    this.#events.bytes(buffer as Buffer, length);
    settleRun();
    if (this.#hasHadItsTurn) this.#socket?.pause();
    return !this.#isPaused && !this.#hasHadItsTurn;
  };

  #countRead(length: number): void {
    this.#bytesRead += length;
    atEndOfTurn(this);
  }

  get #hasHadItsTurn(): boolean {
    return this.#bytesRead >= TURN_BYTES;
  }

  endTurn(): void {
    const goesOn = this.#hasHadItsTurn && !this.#isPaused;
    this.#bytesRead = 0;
    if (goesOn) this.#socket?.resume();
  }

  /** Take over a socket. `readsByCallback` = it was made with `onread: { buffer, callback: this.read }`; else nothing may have been
   *  read from it yet. */
  attach(socket: Socket, readsByCallback: boolean): void {
    this.#socket = socket;
    if (!readsByCallback && readIntoShared(socket, this.read)) socket.resume();
    else if (!readsByCallback) socket.on('data', (chunk: Buffer) => this.read(chunk.length, chunk));
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

  /** Bytes that were written but have not left the process. Node counts a write until libuv took all of it: zero means that nothing
   *  refers to what was written any more. */
  get backlog(): number {
    return this.#socket?.writableLength ?? 0;
  }

  /** Bytes that Node has read and a paused reader has not been given. */
  get unread(): number {
    return this.#socket?.readableLength ?? 0;
  }

  /** What the kernel has taken of what was written so far. Units: bytes.
   *  Source: `writeQueueSize` of the handle, by which Node's own time-out of a socket sees that a large write goes on; without it,
   *  whole writes count. */
  get progress(): number {
    const socket: WithHandle | undefined = this.#socket;
    if (socket === undefined) return 0;
    const { bytesWritten, writeQueueSize } = socket._handle ?? {};
    if (bytesWritten !== undefined && writeQueueSize !== undefined) return bytesWritten - writeQueueSize;
    return socket.bytesWritten - socket.writableLength;
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
    if (!this.#hasHadItsTurn) this.#socket?.resume();
  }

  corkedWrite(pieces: readonly Buffer[]): void {
    const socket = this.#socket;
    if (socket === undefined || socket.destroyed) return;
    if (pieces.length === 1) {
      socket.write(pieces[0] as Buffer);
    } else {
      socket.cork();
      for (const piece of pieces) socket.write(piece);
      socket.uncork();
    }
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
