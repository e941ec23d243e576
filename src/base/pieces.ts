/** Up to here, copying eight bytes at a time is faster than a call into the runtime, which takes some 25 ns. */
const WORDS_MAX = 200;
const WORD = 8;

/** A buffer of which, or into which, many short pieces are copied. Cost: 80 ns, what three pieces save. */
export class Pieces {
  readonly buffer: Buffer;
  readonly #view: DataView;

  constructor(buffer: Buffer) {
    this.buffer = buffer;
    this.#view = new DataView(buffer.buffer, buffer.byteOffset, buffer.length);
  }

  /** Copies buffer[start, end) to `target` at `at`. Returns where they end there.
   *  Bounds: both have room for it, and are not the same memory. */
  copy(start: number, end: number, target: Pieces, at: number): number {
    const size = end - start;
    const from = this.#view;
    const to = target.#view;
    if (size > WORDS_MAX) {
      this.buffer.copy(target.buffer, at, start, end);
    } else if (size < WORD) {
      for (let i = 0; i < size; i++) to.setUint8(at + i, from.getUint8(start + i));
    } else {
      // The last word ends where the piece ends, and has bytes in common with the one before it.
      const last = size - WORD;
      for (let i = 0; i < last; i += WORD) to.setBigUint64(at + i, from.getBigUint64(start + i, true), true);
      to.setBigUint64(at + last, from.getBigUint64(start + last, true), true);
    }
    return at + size;
  }
}
