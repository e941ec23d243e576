/** Counts roughly how often something was asked for lately: four counters of 4 bits for each, of which the least counts.
 *  All four lie within one cache line. Counters are halved block by block, so that what was popular long ago fades and no
 *  request waits for a whole table.
 *  Source: count-min sketch with ageing as in TinyLFU (Einziger, Friedman, Manes, 2017). Cost: 8 bytes an expected entry. */
export class FrequencySketch {
  readonly #words: Int32Array;
  readonly #blocks: number;
  readonly #scale: number;
  /** Requests between the halving of one block and the next. */
  readonly #pace: number;
  #since = 0;
  #halved = 0;

  /** Bounds: `entries` ≥ 1. */
  constructor(entries: number) {
    this.#blocks = Math.ceil((entries * 2) / BLOCK_WORDS);
    this.#words = new Int32Array(this.#blocks * BLOCK_WORDS);
    this.#scale = this.#blocks / 2 ** 32;
    this.#pace = (SAMPLE * entries) / this.#blocks;
  }

  /** Units: bytes. */
  get byteLength(): number {
    return this.#words.byteLength;
  }

  increment(identity: number): void {
    const words = this.#words;
    const first = this.#blockOf(identity);
    let bits = Math.imul(identity, 0x9e3779b1);
    for (let row = 0; row < ROWS; row++) {
      // Each row has four words of the block, and each word eight counters.
      const at = first + (row << 2) + (bits & 3);
      const shift = bits & 0x1c;
      const word = words[at] as number;
      if (((word >>> shift) & 15) !== 15) words[at] = word + (1 << shift);
      bits = (bits >>> 5) | (bits << 27);
    }
    this.#since++;
    if (this.#since >= this.#pace) this.#halveNext();
  }

  /** Bounds: 0–15. */
  estimate(identity: number): number {
    const words = this.#words;
    const first = this.#blockOf(identity);
    let bits = Math.imul(identity, 0x9e3779b1);
    let least = 15;
    for (let row = 0; row < ROWS; row++) {
      const word = words[first + (row << 2) + (bits & 3)] as number;
      least = Math.min(least, (word >>> (bits & 0x1c)) & 15);
      bits = (bits >>> 5) | (bits << 27);
    }
    return least;
  }

  #halveNext(): void {
    this.#since -= this.#pace;
    const first = this.#halved * BLOCK_WORDS;
    for (let at = first; at < first + BLOCK_WORDS; at++) {
      this.#words[at] = ((this.#words[at] as number) >>> 1) & 0x77777777;
    }
    this.#halved = this.#halved + 1 === this.#blocks ? 0 : this.#halved + 1;
  }

  #blockOf(identity: number): number {
    return (((identity >>> 0) * this.#scale) | 0) * BLOCK_WORDS;
  }
}

const ROWS = 4;
/** 64 bytes. */
const BLOCK_WORDS = 16;
/** Every counter is halved once in so many requests per entry. */
const SAMPLE = 10;
