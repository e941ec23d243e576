import { KeyLists } from './key-lists.ts';
import { type Policy, type Workload, weightOf } from './policy.ts';

const PROBATION = 1;
const PROTECTED = 2;

/** Segmented LRU: what is used on probation is protected, in up to 80 % of the capacity; the oldest on probation goes.
 *  Source: Karedla, Love, Wherry, "Caching strategies to improve disk system performance", Computer 27(3), 1994. */
export class Slru implements Policy {
  readonly #lists: KeyLists;
  readonly #weights: Uint32Array | undefined;
  readonly #capacity: number;
  readonly #protectedMost: number;

  constructor(workload: Workload, capacity: number) {
    this.#lists = new KeyLists(workload, 2);
    this.#weights = workload.weights;
    this.#capacity = capacity;
    this.#protectedMost = capacity * 0.8;
  }

  request(key: number): boolean {
    const lists = this.#lists;
    if (lists.listOf(key) !== 0) {
      lists.toNewest(PROTECTED, key);
      while (lists.weight(PROTECTED) > this.#protectedMost) {
        lists.toNewest(PROBATION, lists.oldest(PROTECTED));
      }
      return true;
    }
    const weight = weightOf(this.#weights, key);
    if (weight > this.#capacity) return false;
    while (lists.weight(PROBATION) + lists.weight(PROTECTED) + weight > this.#capacity) {
      lists.remove(lists.oldest(lists.weight(PROBATION) > 0 ? PROBATION : PROTECTED));
    }
    lists.toNewest(PROBATION, key);
    return false;
  }
}
