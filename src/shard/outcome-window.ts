const BUCKETS = 10;

/** What came of the commands to a shard over the last `windowMs`, in up to ten buckets: fewer where it is turned seldom.
 *  Units: counts of commands. */
export class OutcomeWindow {
  /** The bucket of now. */
  commands = 0;
  failed = 0;
  slow = 0;
  readonly #bucketMs: number;
  readonly #windowMs: number;
  readonly #past: { startedAt: number; commands: number; failed: number; slow: number }[] = [];
  #startedAt: number;

  constructor(windowMs: number, now: number) {
    this.#windowMs = windowMs;
    this.#bucketMs = windowMs / BUCKETS;
    this.#startedAt = now;
  }

  /** Begin a new bucket when that of now is over. */
  turn(now: number): void {
    if (now - this.#startedAt < this.#bucketMs) return;
    const { commands, failed, slow } = this;
    this.#past.push({ startedAt: this.#startedAt, commands, failed, slow });
    while (now - (this.#past[0]?.startedAt ?? now) >= this.#windowMs) this.#past.shift();
    this.#startedAt = now;
    this.commands = this.failed = this.slow = 0;
  }

  /** Forget all of it. */
  clear(now: number): void {
    this.#past.length = 0;
    this.#startedAt = now;
    this.commands = this.failed = this.slow = 0;
  }

  /** Of the whole window. */
  get sums(): { commands: number; failed: number; slow: number } {
    const sums = { commands: this.commands, failed: this.failed, slow: this.slow };
    for (const { commands, failed, slow } of this.#past) {
      sums.commands += commands;
      sums.failed += failed;
      sums.slow += slow;
    }
    return sums;
  }
}
