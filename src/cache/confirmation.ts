/** Until when it is certain that a link leads to the primary that serves its keys: who was asked, and when (coherence spec
 *  R11). A link may be healthy while another primary has taken over.
 *  Units: monotonic ms. */
export class Confirmation {
  /** When the newest confirmed question was asked. */
  askedAt: number = Number.NEGATIVE_INFINITY;
  readonly #maxAgeMs: number;

  constructor(maxAgeMs: number) {
    this.#maxAgeMs = maxAgeMs;
  }

  isFresh(now: number): boolean {
    return now - this.askedAt <= this.#maxAgeMs;
  }
}
