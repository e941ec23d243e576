import type { Random } from '../base/random.ts';

/** Exponential back-off with full jitter, so that a fleet does not reconnect in step.
 *  Units: ms. Bounds: 0 < delay ≤ maxMs. Source: AWS Architecture Blog, "Exponential Backoff And Jitter" (2015). */
export class Backoff {
  #failures = 0;
  readonly #baseMs: number;
  readonly #maxMs: number;
  readonly #random: Random;

  constructor(baseMs: number, maxMs: number, random: Random) {
    this.#baseMs = baseMs;
    this.#maxMs = maxMs;
    this.#random = random;
  }

  /** The delay before the next try; each call doubles the ceiling. */
  nextMs(): number {
    const ceiling = Math.min(this.#maxMs, this.#baseMs * 2 ** Math.min(this.#failures, 30));
    this.#failures++;
    return 1 + this.#random() * (ceiling - 1);
  }

  reset(): void {
    this.#failures = 0;
  }
}
