import type { Clock } from '../base/clock.ts';
import type { Waiter } from './shared-options.ts';

/** Units: ms; reads a second in the first second. */
export interface RampOptions {
  /** 0 = no ramp. */
  readonly forMs: number;
  readonly rate: number;
  readonly queueTimeoutMs: number;
}

/** Units: ms. */
interface Wait {
  readonly read: number;
  readonly since: number;
}

const STEP_MS = 10;
/** A burst of so many ms' worth may go at once. */
const BURST_MS = 100;

/** Lets a shard that was away warm up: for a while after it is back, reads that the near-cache has lost are sent at a rate that
 *  doubles each second, oldest first, so that the many nearcaches of an app do not bring it down again.
 *  Bounds: nobody waits for longer than `queueTimeoutMs`. */
export class Ramp {
  readonly #options: RampOptions;
  readonly #clock: Clock;
  readonly #waiting = new Map<Waiter, Wait>();
  /** Those who have been woken and may go now, or say that they do not want to any more by saying nothing. */
  #woken = new Map<Waiter, Wait>();
  #startedAt: number = Number.NEGATIVE_INFINITY;
  #tokens = 0;
  #filledAt = 0;
  #isTicking = false;
  isActive = false;
  /** Reads that had to wait, and those that waited too long. */
  delayed = 0;
  refused = 0;

  constructor(options: RampOptions, clock: Clock) {
    this.#options = options;
    this.#clock = clock;
  }

  get queueTimeoutMs(): number {
    return this.#options.queueTimeoutMs;
  }

  /** The shard is back. */
  begin(now: number): void {
    if (this.#options.forMs === 0) return;
    this.isActive = true;
    this.#startedAt = now;
    this.#filledAt = now;
    this.#tokens = 0;
  }

  /** May one more read be sent? wait = `waiter` is woken when it may; late = it has waited long enough. `read` is what the waiter calls
   *  it: what an earlier one of it had to wait, which was then answered otherwise, is not this one's. */
  admit(waiter: Waiter, read: number, now: number): 'go' | 'wait' | 'late' {
    this.#fill(now);
    if (!this.isActive) return 'go';
    const wait = this.#woken.get(waiter) ?? this.#waiting.get(waiter);
    const since = wait?.read === read ? wait.since : undefined;
    // Who came before goes first.
    const isNext = this.#woken.has(waiter) || this.#waiting.size === 0;
    if (this.#tokens >= 1 && isNext) {
      this.#tokens--;
      this.#woken.delete(waiter);
      return 'go';
    }
    if (since !== undefined && now - since >= this.#options.queueTimeoutMs) {
      this.#woken.delete(waiter);
      this.#waiting.delete(waiter);
      this.refused++;
      return 'late';
    }
    if (since === undefined) this.delayed++;
    this.#woken.delete(waiter);
    this.#waiting.set(waiter, { read, since: since ?? now });
    this.#tick();
    return 'wait';
  }

  #fill(now: number): void {
    if (!this.isActive) return;
    const { forMs, rate } = this.#options;
    const age = now - this.#startedAt;
    if (age >= forMs) {
      this.isActive = false;
      return;
    }
    const perMs = (rate * 2 ** Math.floor(age / 1000)) / 1000;
    this.#tokens = Math.min(Math.max(1, perMs * BURST_MS), this.#tokens + perMs * (now - this.#filledAt));
    this.#filledAt = now;
  }

  /** Wake as many as may go now, and those who have waited too long. */
  #tick(): void {
    if (this.#isTicking) return;
    this.#isTicking = true;
    this.#clock.after(STEP_MS, () => {
      this.#isTicking = false;
      const now = this.#clock.now();
      this.#fill(now);
      let room = this.isActive ? Math.floor(this.#tokens) : Number.POSITIVE_INFINITY;
      this.#woken = new Map();
      for (const [waiter, wait] of this.#waiting) {
        const isLate = now - wait.since >= this.#options.queueTimeoutMs;
        if (room < 1 && !isLate) break;
        if (!isLate) room--;
        this.#waiting.delete(waiter);
        this.#woken.set(waiter, wait);
      }
      for (const waiter of this.#woken.keys()) waiter.wake();
      // Once more, so that whoever says nothing is forgotten.
      if (this.#waiting.size + this.#woken.size > 0) this.#tick();
    });
  }
}
