import { ASTERISK, BANG, BAR, CR, DOLLAR, EQUALS, GREATER, MINUS, PERCENT, TILDE, ZERO } from './bytes.ts';

/** Below this many bytes a loop is faster than a call to copy. */
const SMALL_BYTES = 24;

/** A reading place in one whole frame, and the bytes that are written instead of it.
 *
 *  What the reader passes is copied unchanged, in runs as long as possible, except what stands between a `flush` and
 *  the `replace` or `resumeAt` behind it. Errors: a RangeError for a frame that is cut; none for one that
 *  ReplyScanner accepted. */
export class FrameRewriter {
  readonly frame: Buffer;
  /** The next byte to read. */
  at: number;
  readonly #end: number;
  /** What lies between here and `at` is still to be copied. */
  #copied: number;
  #bytes: Buffer;
  #length = 0;

  constructor(frame: Buffer, start: number, end: number) {
    this.frame = frame;
    this.at = start;
    this.#end = end;
    this.#copied = start;
    this.#bytes = Buffer.allocUnsafe(end - start + ((end - start) >> 2) + 16);
  }

  /** First byte of the value at hand. */
  type(): number {
    return this.frame[this.at] as number;
  }

  /** Read the line at hand as a number. */
  header(): number {
    const frame = this.frame;
    const isNegative = frame[this.at + 1] === MINUS;
    let at = this.at + (isNegative ? 2 : 1);
    let value = 0;
    for (; at < this.#end && frame[at] !== CR; at += 1) value = value * 10 + (frame[at] as number) - ZERO;
    this.#goTo(at + 2);
    return isNegative ? -value : value;
  }

  /** Pass over the line at hand. */
  line(): void {
    let at = this.at + 1;
    while (at < this.#end && this.frame[at] !== CR) at += 1;
    this.#goTo(at + 2);
  }

  /** Pass over a bulk, or a nil that looks like one. */
  bulk(): void {
    const length = this.header();
    if (length >= 0) this.body(length);
  }

  /** Pass over the bytes of a body and its line end. */
  body(length: number): void {
    this.#goTo(this.at + length + 2);
  }

  /** Pass over this many values and all that is in them. Cost: O(values). */
  skip(values: number): void {
    for (let left = values; left > 0; left -= 1) {
      const type = this.type();
      if (type === DOLLAR || type === EQUALS || type === BANG) this.bulk();
      else if (type === ASTERISK || type === TILDE || type === GREATER) left += Math.max(0, this.header());
      else if (type === PERCENT) left += this.header() * 2;
      else if (type === BAR)
        left += this.header() * 2 + 1; // An attribute is no value itself.
      else this.line();
    }
  }

  /** Copy what was passed so far. */
  flush(): void {
    if (this.at > this.#copied) this.#copy(this.#copied, this.at);
    this.#copied = this.at;
  }

  /** Write this, of one-byte chars, instead of what was passed since the flush. */
  replace(text: string): void {
    this.#ensure(text.length);
    for (let at = 0; at < text.length; at += 1) this.#bytes[this.#length + at] = text.charCodeAt(at);
    this.#length += text.length;
    this.#copied = this.at;
  }

  /** Copy again from this offset, which may lie before `at`. */
  resumeAt(offset: number): void {
    this.#copied = offset;
  }

  /** The whole result; bytes that nobody else holds. */
  take(): Buffer {
    this.flush();
    return this.#bytes.subarray(0, this.#length);
  }

  /** A cut frame must not become a wrong reply or a search without end. */
  #goTo(offset: number): void {
    if (offset > this.#end) throw new RangeError('reply frame is cut');
    this.at = offset;
  }

  #copy(start: number, end: number): void {
    const count = end - start;
    this.#ensure(count);
    if (count > SMALL_BYTES) this.frame.copy(this.#bytes, this.#length, start, end);
    else
      for (let at = 0; at < count; at += 1) this.#bytes[this.#length + at] = this.frame[start + at] as number;
    this.#length += count;
  }

  #ensure(count: number): void {
    const needed = this.#length + count;
    if (needed <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafe(Math.max(needed, this.#bytes.length * 2));
    this.#bytes.copy(grown, 0, 0, this.#length);
    this.#bytes = grown;
  }
}
