import type { Clock } from '../base/clock.ts';
import type { KeyPattern } from './key-pattern.ts';

/** Of one of the two halves, each key counted with what a Set takes for it. */
const BYTES_MAX = 4 * 1024 * 1024;
const KEY_OVERHEAD_BYTES = 64;
/** Each is asked at every fill. */
const PATTERNS_MAX = 64;

/** Keys of which nothing that is read now may be kept: they were changed elsewhere, and Redis may still show what they held before
 *  (coherence spec §8, application channel). A key is held for the hold-off at least, and for twice that at most: what came
 *  in one hold-off is forgotten together, after the next.
 *  Bounds: BYTES_MAX and PATTERNS_MAX for each half; beyond that every key is held. Cost: nothing while no key is held. */
export class HoldOff {
  readonly #holdMs: number;
  readonly #clock: Clock;
  #newer = new Half();
  #older = new Half();
  #turnsAt = Number.NEGATIVE_INFINITY;
  #allUntil = Number.NEGATIVE_INFINITY;
  #isIdle = true;

  constructor(holdMs: number, clock: Clock) {
    this.#holdMs = holdMs;
    this.#clock = clock;
  }

  /** May nothing of the key that is read from now on be kept? */
  holds(key: string): boolean {
    if (this.#isIdle) return false;
    const now = this.#turn();
    if (now < this.#allUntil || this.#newer.has(key) || this.#older.has(key)) return true;
    this.#isIdle = now >= this.#allUntil && this.#newer.count + this.#older.count === 0;
    return false;
  }

  /** These keys have changed elsewhere, and all that fit a pattern. */
  hold(keys: readonly string[], patterns: readonly KeyPattern[] = []): void {
    this.#turn();
    this.#isIdle = false;
    if (!this.#newer.add(keys, patterns)) this.holdAll();
  }

  /** Any key may have changed elsewhere. */
  holdAll(): void {
    this.#allUntil = this.#clock.now() + this.#holdMs;
    this.#isIdle = false;
    // Whatever else is held is held no longer than that.
    this.#newer = new Half();
    this.#older = new Half();
  }

  /** Keys and patterns that are held now. */
  get count(): number {
    this.#turn();
    return this.#newer.count + this.#older.count;
  }

  /** Is every key held now? */
  get holdsAll(): boolean {
    return this.#clock.now() < this.#allUntil;
  }

  /** Forget what was held for long enough. Returns the time. */
  #turn(): number {
    const now = this.#clock.now();
    if (now < this.#turnsAt) return now;
    this.#older = now < this.#turnsAt + this.#holdMs ? this.#newer : new Half();
    this.#newer = new Half();
    this.#turnsAt = now + this.#holdMs;
    return now;
  }
}

/** What came within one hold-off. */
class Half {
  readonly #keys = new Set<string>();
  readonly #patterns: KeyPattern[] = [];
  #bytes = 0;

  get count(): number {
    return this.#keys.size + this.#patterns.length;
  }

  has(key: string): boolean {
    return this.#keys.has(key) || this.#patterns.some((pattern) => pattern.fits(key));
  }

  /** False = there is no room. */
  add(keys: readonly string[], patterns: readonly KeyPattern[]): boolean {
    for (const key of keys) {
      if (this.#keys.has(key)) continue;
      this.#bytes += KEY_OVERHEAD_BYTES + key.length;
      if (this.#bytes > BYTES_MAX) return false;
      this.#keys.add(key);
    }
    this.#patterns.push(...patterns);
    return this.#patterns.length <= PATTERNS_MAX;
  }
}
