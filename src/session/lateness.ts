/** From here on waiting is long. Units: ms. */
export const LONG_MS = 50;

/** How late a session's commands are because one of them waits for reads that may yet be sent, and all behind it, too: grows while that
 *  is so, and shrinks as fast while it is not. A session that waits for more than half of its time gets ever later.
 *  Units: ms of a monotonic clock. */
export class Lateness {
  #lateMs = 0;
  #since = 0;
  isWaiting = false;

  /** A command may not go yet. */
  wait(now: number): void {
    if (this.isWaiting) return;
    this.#lateMs = this.at(now);
    this.#since = now;
    this.isWaiting = true;
  }

  /** It has gone. */
  goOn(now: number): void {
    this.#lateMs = this.at(now);
    this.#since = now;
    this.isWaiting = false;
  }

  at(now: number): number {
    const passed = now - this.#since;
    return this.isWaiting ? this.#lateMs + passed : Math.max(0, this.#lateMs - passed);
  }
}
