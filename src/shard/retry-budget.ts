/** Retries that may be spent without commands having been sent first. */
const RESERVE = 10;

/** Lets a part of all commands be sent a second time, so that retries never multiply the load on a shard that is in trouble.
 *  Units: percent of commands. Source: Finagle's RetryBudget; Envoy's retry_budget. */
export class RetryBudget {
  /** Granted so far. */
  retries = 0;
  readonly #percent: number;
  #tokens = RESERVE;
  #seen = 0;

  constructor(percent: number) {
    this.#percent = percent;
  }

  /** May one command be sent again? `commands`: how many have been sent since the start. */
  take(commands: number): boolean {
    if (this.#percent === 0) return false;
    const earned = ((commands - this.#seen) * this.#percent) / 100;
    this.#tokens = Math.min(RESERVE + (commands * this.#percent) / 100, this.#tokens + earned);
    this.#seen = commands;
    if (this.#tokens < 1) return false;
    this.#tokens--;
    this.retries++;
    return true;
  }
}
