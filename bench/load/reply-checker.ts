/** Counts the replies in one connection's stream and compares every byte: a proxy that answers fast but wrongly must not
 *  look fast. Cost: one memcmp a reply. */
export class ReplyChecker {
  readonly #expected: Buffer;
  #at = 0;

  /** `expected` is what every reply must be. Bounds: at least one byte. */
  constructor(expected: Buffer) {
    this.#expected = expected;
  }

  /** Takes what has arrived and returns how many replies that has completed.
   *  Errors: throws at the first byte that differs. */
  feed(chunk: Buffer): number {
    const expected = this.#expected;
    let completed = 0;
    for (let from = 0; from < chunk.length; ) {
      const length = Math.min(chunk.length - from, expected.length - this.#at);
      if (chunk.compare(expected, this.#at, this.#at + length, from, from + length) !== 0) {
        throw new Error(`unexpected reply: ${JSON.stringify(chunk.toString('latin1', from, from + 80))}`);
      }
      from += length;
      this.#at += length;
      if (this.#at < expected.length) break;
      this.#at = 0;
      completed++;
    }
    return completed;
  }
}
