/** How much of the cache new entries get before they must have proved themselves, as the ghosts vote: an entry asked for
 *  soon after it was dropped on trial says that trials are too short, one dropped from the main queue that they are too long.
 *  Source: S3-FIFO's adaptive variant (Yang et al., "FIFO queues are all you need for cache eviction", SOSP 2023, §6.2.2). */
export class Share {
  /** Units: part of the whole. */
  value: number = SHARE_START;
  #forSmall = 0;
  #forMain = 0;

  vote(forSmall: boolean): void {
    if (forSmall) this.#forSmall++;
    else this.#forMain++;
    if (this.#forSmall + this.#forMain < VOTES) return;
    if (this.#forSmall >= 2 * this.#forMain) this.value = Math.min(this.value + STEP, SHARE_MAX);
    else if (this.#forMain >= 2 * this.#forSmall) this.value = Math.max(this.value - STEP, SHARE_MIN);
    this.#forSmall = 0;
    this.#forMain = 0;
  }
}

const SHARE_START = 0.1;
const SHARE_MIN = 0.02;
const SHARE_MAX = 0.5;
const STEP = 0.001;
const VOTES = 100;
