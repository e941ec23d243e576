import { FrequencySketch } from './frequency-sketch.ts';
import { HillClimber } from './hill-climber.ts';
import { KeyLists, NONE } from './key-lists.ts';
import { entriesIn, type Policy, type Workload, weightOf } from './policy.ts';

const WINDOW = 1;
const PROBATION = 2;
const PROTECTED = 3;

const windowShare = 0.01;
const protectedShare = 0.8;

/** W-TinyLFU: new keys pass through a small LRU window; what leaves it gets into the main SLRU only if it was requested more
 *  often than whom it would push out. The window is 1 % of the capacity, and stays so unless it is `adaptive`.
 *  Source: as of FrequencySketch and HillClimber. */
export class WTinyLfu implements Policy {
  readonly #lists: KeyLists;
  readonly #weights: Uint32Array | undefined;
  readonly #capacity: number;
  readonly #sketch: FrequencySketch;
  readonly #climber: HillClimber | undefined;
  #windowMost: number;
  #protectedMost: number;

  constructor(workload: Workload, capacity: number, adaptive: boolean) {
    const entries = entriesIn(workload, capacity);
    this.#lists = new KeyLists(workload, 3);
    this.#weights = workload.weights;
    this.#capacity = capacity;
    this.#sketch = new FrequencySketch(entries);
    this.#climber = adaptive ? new HillClimber(capacity, 10 * entries) : undefined;
    this.#windowMost = Math.max(1, Math.floor(capacity * windowShare));
    this.#protectedMost = Math.floor((capacity - this.#windowMost) * protectedShare);
  }

  request(key: number): boolean {
    this.#sketch.increment(key);
    const list = this.#lists.listOf(key);
    if (list === 0) this.#miss(key);
    else this.#hit(list, key);
    if (this.#climber !== undefined) this.#resize(this.#climber.observe(list !== 0));
    return list !== 0;
  }

  #hit(list: number, key: number): void {
    this.#lists.toNewest(list === WINDOW ? WINDOW : PROTECTED, key);
    this.#demote();
  }

  #miss(key: number): void {
    if (weightOf(this.#weights, key) > this.#capacity) return;
    this.#lists.toNewest(WINDOW, key);
    while (this.#lists.weight(WINDOW) > this.#windowMost) {
      const candidate = this.#lists.oldest(WINDOW);
      this.#lists.toNewest(PROBATION, candidate);
      this.#admit(candidate);
    }
    // A heavy key may be more than its window and all that was given up for it.
    while (this.#total() > this.#capacity) this.#lists.remove(this.#victim());
  }

  #admit(candidate: number): void {
    while (this.#total() > this.#capacity) {
      const victim = this.#victim();
      const wins = this.#sketch.frequency(candidate) > this.#sketch.frequency(victim);
      this.#lists.remove(wins ? victim : candidate);
      if (!wins || victim === candidate) return;
    }
  }

  #victim(): number {
    for (const list of [PROBATION, PROTECTED]) {
      const oldest = this.#lists.oldest(list);
      if (oldest !== NONE) return oldest;
    }
    return this.#lists.oldest(WINDOW);
  }

  #total(): number {
    return this.#lists.weight(WINDOW) + this.#lists.weight(PROBATION) + this.#lists.weight(PROTECTED);
  }

  #demote(): void {
    while (this.#lists.weight(PROTECTED) > this.#protectedMost) {
      this.#lists.toNewest(PROBATION, this.#lists.oldest(PROTECTED));
    }
  }

  #resize(growth: number): void {
    if (growth === 0) return;
    const amount =
      growth > 0 ? Math.min(growth, this.#protectedMost) : Math.max(growth, 1 - this.#windowMost);
    this.#windowMost += amount;
    this.#protectedMost -= amount;
    this.#demote();
    if (amount > 0) this.#fillWindow();
    while (this.#lists.weight(WINDOW) > this.#windowMost) {
      this.#lists.toNewest(PROBATION, this.#lists.oldest(WINDOW));
    }
  }

  /** A window that grew takes over whom the main part would give up next. */
  #fillWindow(): void {
    for (;;) {
      const key = this.#lists.oldest(PROBATION);
      if (key === NONE) return;
      if (this.#lists.weight(WINDOW) + weightOf(this.#weights, key) > this.#windowMost) return;
      this.#lists.toNewest(WINDOW, key);
    }
  }
}
