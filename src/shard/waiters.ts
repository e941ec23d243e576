import type { Waiter } from './shared-options.ts';

/** Those that are to try again when something has changed. Whoever still has to wait then adds itself anew. */
export class Waiters {
  #waiting = new Set<Waiter>();

  add(waiter: Waiter): void {
    this.#waiting.add(waiter);
  }

  wakeAll(): void {
    const waiting = this.#waiting;
    if (waiting.size === 0) return;
    this.#waiting = new Set();
    for (const waiter of waiting) waiter.wake();
  }
}
