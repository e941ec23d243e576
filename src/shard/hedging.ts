/** So many latencies are remembered, and looked at again after so many more. */
const REMEMBERED = 256;
const REVIEW_EVERY = 32;
/** Fewer say nothing yet. */
const ENOUGH = 64;
const QUANTILE = 0.95;

/** When a read of a shard has taken longer than most do, so that a replica is asked as well.
 *  Units: ms. Source: Dean, Barroso: The Tail at Scale, 2013 (hedged requests). */
export class Hedging {
  /** How long 95 of 100 of the last reads took; undefined = too few have been seen. */
  delayMs: number | undefined;
  /** Reads that a replica was asked for too, and those that it answered first. */
  sent = 0;
  won = 0;
  readonly #latencies = new Float64Array(REMEMBERED);
  #count = 0;

  /** A read of the primary took so long. */
  note(latencyMs: number): void {
    this.#latencies[this.#count++ % REMEMBERED] = latencyMs;
    if (this.#count < ENOUGH || this.#count % REVIEW_EVERY !== 0) return;
    const sorted = this.#latencies.slice(0, Math.min(this.#count, REMEMBERED)).toSorted();
    this.delayMs = Math.max(1, sorted[Math.floor(sorted.length * QUANTILE)] as number);
  }
}
