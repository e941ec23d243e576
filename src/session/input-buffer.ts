import { settleRun } from '../base/output-buffer.ts';

/** Bytes of a session that were read but not consumed: a request's beginning, or requests that must wait.
 *  Shape: bytes[start, end). Bounds: grows to what one request may hold (`bigValueBytes`) and one read; given back when
 *  empty, so that an idle session holds none. */
const FIRST_SIZE = 16384;
const FREE_MAX = 64;
/** Of FIRST_SIZE. Every chunk of a pipeline that ends within a request needs one for a moment. */
const free: Buffer[] = [];

export class InputBuffer {
  bytes: Buffer | undefined;
  start = 0;
  end = 0;

  get length(): number {
    return this.end - this.start;
  }

  /** Memory it takes. Units: bytes. */
  get capacity(): number {
    return this.bytes?.length ?? 0;
  }

  /** Drop everything. */
  clear(): void {
    this.consumeTo(this.end);
  }

  append(source: Buffer, from: number, to: number): void {
    const size = to - from;
    const buffer = this.#withRoom(size);
    source.copy(buffer, this.end, from, to);
    this.end += size;
  }

  /** Drop what lies before `at`. */
  consumeTo(at: number): void {
    this.start = at;
    if (this.start < this.end) return;
    this.start = 0;
    this.end = 0;
    this.#giveBack();
  }

  #giveBack(): void {
    settleRun();
    if (this.bytes?.length === FIRST_SIZE && free.length < FREE_MAX) free.push(this.bytes);
    this.bytes = undefined;
  }

  #withRoom(size: number): Buffer {
    const old = this.bytes;
    if (old !== undefined && old.length - this.end >= size) return old;
    const held = this.length;
    let capacity = FIRST_SIZE;
    while (capacity < held + size) capacity *= 2;
    const grown = old !== undefined && old.length >= capacity ? old : take(capacity);
    if (old !== undefined) old.copy(grown, 0, this.start, this.end);
    if (grown !== old) this.#giveBack();
    this.bytes = grown;
    this.start = 0;
    this.end = held;
    return grown;
  }
}

function take(capacity: number): Buffer {
  return (capacity === FIRST_SIZE ? free.pop() : undefined) ?? Buffer.allocUnsafeSlow(capacity);
}
