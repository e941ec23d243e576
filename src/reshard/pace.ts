import { setTimeout as delay } from 'node:timers/promises';
import type { Clock } from '../base/clock.ts';

/** Holds a loop to so many keys a second. Bounds: never more than a tenth of a second's worth, or one batch, at once. */
export class Pace {
  readonly #rate: number;
  readonly #clock: Clock;
  /** When the keys that were let through are paid for. */
  #paidAt: number;

  constructor(ratePerSecond: number, clock: Clock) {
    this.#rate = ratePerSecond;
    this.#clock = clock;
    this.#paidAt = clock.now();
  }

  /** Resolves when `keys` more may go. */
  async take(keys: number): Promise<void> {
    const now = this.#clock.now();
    // What was not used is lost, or a pause would be followed by a burst.
    this.#paidAt = Math.max(this.#paidAt, now - 100) + (keys * 1000) / this.#rate;
    if (this.#paidAt > now) await delay(this.#paidAt - now);
  }
}
