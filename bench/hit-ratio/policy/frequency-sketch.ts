/** How often keys were requested lately, roughly: a count-min sketch of four rows whose counts end at 15 and are halved
 *  when ten times the entries have been counted.
 *  Cost: 16 counts of a byte an entry, rounded up to a power of two.
 *  Source: Einziger, Friedman, Manes, "TinyLFU: a highly efficient cache admission policy", TOS 13(4), 2017; Caffeine's
 *  FrequencySketch. */
export class FrequencySketch {
  readonly #counts: Uint8Array;
  readonly #mask: number;
  readonly #sample: number;
  #counted = 0;

  constructor(entries: number) {
    const width = 4 * 2 ** Math.ceil(Math.log2(Math.max(8, entries)));
    this.#counts = new Uint8Array(4 * width);
    this.#mask = width - 1;
    this.#sample = 10 * entries;
  }

  /** Bounds: 0–15. Never less than the true count since the last halving (up to 15). */
  frequency(key: number): number {
    let least = 15;
    for (let row = 0; row < 4; row++) least = Math.min(least, this.#counts[this.#place(key, row)] as number);
    return least;
  }

  increment(key: number): void {
    let counted = false;
    for (let row = 0; row < 4; row++) {
      const place = this.#place(key, row);
      const count = this.#counts[place] as number;
      if (count === 15) continue;
      this.#counts[place] = count + 1;
      counted = true;
    }
    if (counted && ++this.#counted >= this.#sample) this.#halve();
  }

  #halve(): void {
    let odd = 0;
    for (let i = 0; i < this.#counts.length; i++) {
      const count = this.#counts[i] as number;
      odd += count & 1;
      this.#counts[i] = count >>> 1;
    }
    this.#counted = (this.#counted - (odd >>> 2)) >>> 1;
  }

  #place(key: number, row: number): number {
    let hash = Math.imul(key + 1, 0x9e3779b1) ^ Math.imul(row + 1, 0x85ebca6b);
    hash = Math.imul(hash ^ (hash >>> 16), 0x7feb352d);
    hash = Math.imul(hash ^ (hash >>> 15), 0x846ca68b);
    return row * (this.#mask + 1) + ((hash ^ (hash >>> 16)) & this.#mask);
  }
}
