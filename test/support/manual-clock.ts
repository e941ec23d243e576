import type { Clock } from '../../src/base/clock.ts';

interface Timer {
  due: number;
  /** 0 = once. */
  periodMs: number;
  run: () => void;
}

/** A clock that stands still until a test moves it. */
export class ManualClock implements Clock {
  #now = 1000;
  #timers = new Set<Timer>();

  now(): number {
    return this.#now;
  }

  after(delayMs: number, run: () => void): () => void {
    return this.#add({ due: this.#now + delayMs, periodMs: 0, run });
  }

  every(periodMs: number, run: () => void): () => void {
    return this.#add({ due: this.#now + periodMs, periodMs, run });
  }

  /** How many timers wait, and when the next one is due, from now. Units: ms. */
  get waiting(): { count: number; nextMs: number } {
    const next = Math.min(...[...this.#timers].map((timer) => timer.due));
    return { count: this.#timers.size, nextMs: next - this.#now };
  }

  /** Move on, running what falls due in order. */
  advance(ms: number): void {
    const end = this.#now + ms;
    for (;;) {
      const [next] = [...this.#timers].filter((timer) => timer.due <= end).toSorted((a, b) => a.due - b.due);
      if (next === undefined) break;
      this.#now = next.due;
      if (next.periodMs === 0) this.#timers.delete(next);
      else next.due += next.periodMs;
      next.run();
    }
    this.#now = end;
  }

  #add(timer: Timer): () => void {
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }
}
