import { KeyLists, NONE } from './key-lists.ts';
import { type Policy, type Workload, weightOf } from './policy.ts';

const IN = 1;
/** Keys only, no values. */
const OUT = 2;
const MAIN = 3;

/** 2Q, full version: new keys pass through a FIFO of 25 %; those requested again soon after they have left it (a memory of
 *  50 %) go to an LRU.
 *  Source: Johnson, Shasha, "2Q: a low overhead high performance buffer management replacement algorithm", VLDB 1994. */
export class TwoQueue implements Policy {
  readonly #lists: KeyLists;
  readonly #weights: Uint32Array | undefined;
  readonly #capacity: number;

  constructor(workload: Workload, capacity: number) {
    this.#lists = new KeyLists(workload, 3);
    this.#weights = workload.weights;
    this.#capacity = capacity;
  }

  request(key: number): boolean {
    const list = this.#lists.listOf(key);
    if (list === IN) return true;
    if (list === MAIN) {
      this.#lists.toNewest(MAIN, key);
      return true;
    }
    const weight = weightOf(this.#weights, key);
    if (weight > this.#capacity) return false;
    // Out of the memory first, so that making room does not push it out.
    this.#lists.remove(key);
    this.#reclaim(weight);
    this.#lists.toNewest(list === OUT ? MAIN : IN, key);
    return false;
  }

  #reclaim(weight: number): void {
    const lists = this.#lists;
    while (lists.weight(IN) + lists.weight(MAIN) + weight > this.#capacity) {
      const main = lists.oldest(MAIN);
      if (lists.weight(IN) <= this.#capacity / 4 && main !== NONE) {
        lists.remove(main);
        continue;
      }
      lists.toNewest(OUT, lists.oldest(IN));
      while (lists.weight(OUT) > this.#capacity / 2) lists.remove(lists.oldest(OUT));
    }
  }
}
