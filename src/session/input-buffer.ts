import { settleRun } from '../base/output-buffer.ts';

/** Bytes of a session that were read but not consumed: a request's beginning, or requests that must wait.
 *  Shape: bytes[start, end). Bounds: grows to what one request may hold (`bigValueBytes`) and one read; given back when
 *  empty, so that an idle session holds none. */
const FIRST_SIZE = 16384;
/** Of each size. Every chunk of a pipeline that ends within a request needs one for a moment. Units: bytes. */
const FREE_BYTES = 2_097_152;
const free: ReadonlyMap<number, Buffer[]> = new Map([1, 2, 4, 8].map((times) => [times * FIRST_SIZE, []]));

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
    const { bytes, capacity } = this;
    const list = free.get(capacity);
    if (bytes !== undefined && list !== undefined && list.length * capacity < FREE_BYTES) list.push(bytes);
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
  return free.get(capacity)?.pop() ?? Buffer.allocUnsafeSlow(capacity);
}
