import { EventEmitter } from 'node:events';

/** As much of a `net.Socket` as the data path uses, for one process: what is written goes to `onWrite` at once, what is read
 *  comes when the schedule says so. Events follow at the end of a turn, as they do in Node.
 *
 *  The bytes of a read are overwritten when the read is over, so that whoever keeps a view of them is noticed. */
export class FakeSocket extends EventEmitter {
  destroyed = false;
  readonly writableLength = 0;
  remoteAddress = '127.0.0.1';
  remotePort = 1;
  localAddress = '127.0.0.1';
  localPort = 2;
  readonly #onWrite: (bytes: Buffer) => void;
  readonly #onClose: () => void;
  readonly #onRead: OnRead | undefined;
  #isPaused = false;
  #unread: Buffer[] = [];

  constructor(parts: { onWrite: (bytes: Buffer) => void; onClose: () => void; onRead?: OnRead | undefined }) {
    super();
    this.#onWrite = parts.onWrite;
    this.#onClose = parts.onClose;
    this.#onRead = parts.onRead;
  }

  // --- what the other side does ----------------------------------------------------------------------------------

  /** Bytes arrive. */
  arrive(bytes: Buffer): void {
    this.#unread.push(Buffer.from(bytes));
    this.#read();
  }

  /** The other side has closed: nothing more arrives. */
  hangUp(): void {
    if (!this.destroyed) this.emit('end');
  }

  #read(): void {
    while (!this.#isPaused && !this.destroyed) {
      const bytes = this.#unread.shift();
      if (bytes === undefined) return;
      if (this.#onRead === undefined) {
        this.emit('data', bytes);
      } else {
        const { buffer, callback } = this.#onRead;
        bytes.copy(buffer);
        callback(bytes.length, buffer);
      }
      (this.#onRead?.buffer ?? bytes).fill('!', 0, bytes.length);
    }
  }

  // --- net.Socket ------------------------------------------------------------------------------------------------

  write(bytes: Buffer): boolean {
    if (!this.destroyed) this.#onWrite(Buffer.from(bytes));
    return true;
  }

  cork(): void {}

  uncork(): void {}

  pause(): this {
    this.#isPaused = true;
    return this;
  }

  resume(): this {
    this.#isPaused = false;
    setImmediate(() => this.#read());
    return this;
  }

  setTimeout(): this {
    return this;
  }

  end(): this {
    return this.destroy();
  }

  destroy(): this {
    if (this.destroyed) return this;
    this.destroyed = true;
    setImmediate(() => {
      this.#onClose();
      this.emit('close');
    });
    return this;
  }
}

/** The option of `net.connect`. */
export interface OnRead {
  buffer: Buffer;
  callback: (length: number, buffer: Buffer) => void;
}
