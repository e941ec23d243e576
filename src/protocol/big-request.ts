import type { RequestLimits } from './limits.ts';
import { CR } from './bytes.ts';
import { lengthError, parseInteger } from './request-line.ts';

/** The longest line that holds a 64-bit number; a longer one is wrong whatever its bytes are. */
const LINE_BYTES = 21;

/** Finds the end of a request that is too large to be collected. It keeps counts only, whatever is announced. */
export class BigRequest {
  error = '';
  done = false;
  readonly #limits: RequestLimits;
  #authenticated = true;
  /** Where the next line or payload begins, relative to the next chunk: negative inside a payload. */
  #at = 0;
  #argsLeft = 0;
  /** Length of the payload at `#at`; -1 when its length line comes first. */
  #bulk = -1;
  readonly #line: Buffer = Buffer.alloc(LINE_BYTES);
  #lineLength = 0;
  #sawCr = false;
  /** Redis looks for the line's end with strchr: behind a NUL it never finds one. */
  #sawNul = false;

  constructor(limits: RequestLimits) {
    this.#limits = limits;
  }

  /** Take over at offset `at` of the request, before `argsLeft` arguments. */
  begin(at: number, argsLeft: number, bulk: number, authenticated: boolean): void {
    this.error = '';
    this.done = false;
    this.#at = at;
    this.#argsLeft = argsLeft;
    this.#bulk = bulk;
    this.#authenticated = authenticated;
    this.#beginLine();
  }

  /** How many bytes of this chunk belong to the request; -1 on a protocol error. */
  skim(chunk: Buffer, start: number, end: number): number {
    let at = start + this.#at;
    while (this.#argsLeft > 0) {
      if (this.#bulk < 0) at = this.#readLine(chunk, at, end);
      if (at < 0 && this.error !== '') return -1;
      if (this.#bulk < 0 || at + this.#bulk + 2 > end) {
        this.#at = at - end;
        return end - start;
      }
      at += this.#bulk + 2;
      this.#bulk = -1;
      this.#argsLeft -= 1;
    }
    this.done = true;
    return at - start;
  }

  #beginLine(): void {
    this.#lineLength = 0;
    this.#sawCr = false;
    this.#sawNul = false;
  }

  /** Read the length line as far as it is here; gives the offset behind what was read, -1 on an error. */
  #readLine(chunk: Buffer, from: number, end: number): number {
    for (let at = from; at < end; at += 1) {
      const byte = chunk[at] as number;
      if (this.#sawCr) return this.#endLine() ? at + 1 : -1;
      if (byte === CR && !this.#sawNul) {
        this.#sawCr = true;
        continue;
      }
      if (byte === 0) this.#sawNul = true;
      if (this.#lineLength < LINE_BYTES) this.#line[this.#lineLength] = byte;
      this.#lineLength += 1;
      if (this.#lineLength > this.#limits.inlineBytes) {
        this.error = 'too big bulk count string';
        return -1;
      }
    }
    return end;
  }

  #endLine(): boolean {
    const length = parseInteger(this.#line, 1, this.#lineLength);
    const sign = this.#lineLength === 0 ? CR : (this.#line[0] as number);
    const error = lengthError(sign, length, this.#limits, this.#authenticated);
    this.#beginLine();
    if (error !== undefined) {
      this.error = error;
      return false;
    }
    this.#bulk = length;
    return true;
  }
}
