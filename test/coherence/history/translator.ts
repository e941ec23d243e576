/** Puts other addresses into what a server says, so that who listens goes on through relays. Every new text is as long as the old
 *  one: no frame changes its length. */
export class Translator {
  readonly #words: readonly (readonly [Buffer, Buffer])[];
  readonly #longest: number;
  #rest: Buffer = Buffer.alloc(0);

  /** `words`: by what each text is replaced. Errors: throws when two are not of the same length. */
  constructor(words: ReadonlyMap<string, string>) {
    this.#words = [...words].map(([from, to]) => [Buffer.from(from, 'latin1'), Buffer.from(to, 'latin1')]);
    if (this.#words.some(([from, to]) => from.length !== to.length))
      throw new Error('a text would change its length');
    this.#longest = Math.max(0, ...this.#words.map(([from]) => from.length));
  }

  /** What may be passed on of what has come so far. A chunk that ends within a line is continued by another, and only then can the
   *  end of it be told. */
  take(bytes: Buffer): Buffer {
    const all = Buffer.concat([this.#rest, bytes]);
    for (const [from, to] of this.#words) {
      for (let at = all.indexOf(from); at !== -1; at = all.indexOf(from, at + from.length)) to.copy(all, at);
    }
    const isWhole = all[all.length - 1] === NEWLINE;
    const kept = isWhole ? 0 : Math.min(all.length, this.#longest);
    this.#rest = all.subarray(all.length - kept);
    return all.subarray(0, all.length - kept);
  }
}

const NEWLINE = 0x0a;
