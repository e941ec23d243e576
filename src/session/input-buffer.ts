/** Bytes of a session that were read but not consumed: a request's beginning, or requests that must wait.
 *  Shape: bytes[start, end). Bounds: grows to what one request may hold (`bigValueBytes`) and one read; given back when
 *  empty, so that an idle session holds none. */
const FIRST_SIZE = 16384;

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
    this.bytes = undefined;
  }

  #withRoom(size: number): Buffer {
    const old = this.bytes;
    if (old !== undefined && old.length - this.end >= size) return old;
    const held = this.length;
    let capacity = FIRST_SIZE;
    while (capacity < held + size) capacity *= 2;
    const grown = old !== undefined && old.length >= capacity ? old : Buffer.allocUnsafeSlow(capacity);
    if (old !== undefined) old.copy(grown, 0, this.start, this.end);
    this.bytes = grown;
    this.start = 0;
    this.end = held;
    return grown;
  }
}
