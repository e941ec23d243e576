import { KeyLists, NONE } from './key-lists.ts';
import { type Policy, type Workload, weightOf } from './policy.ts';

/** Requested once lately, and its memory of keys. */
const ONCE = 1;
const ONCE_GONE = 2;
/** Requested more often lately, and its memory of keys. */
const OFTEN = 3;
const OFTEN_GONE = 4;

/** ARC: two LRUs whose split follows the hits in what each has given up.
 *  Source: Megiddo, Modha, "ARC: a self-tuning, low overhead replacement cache", FAST 2003, figure 4. */
export class Arc implements Policy {
  readonly #lists: KeyLists;
  readonly #weights: Uint32Array | undefined;
  readonly #capacity: number;
  /** What ONCE should hold; p of the paper. */
  #share = 0;

  constructor(workload: Workload, capacity: number) {
    this.#lists = new KeyLists(workload, 4);
    this.#weights = workload.weights;
    this.#capacity = capacity;
  }

  request(key: number): boolean {
    const lists = this.#lists;
    const list = lists.listOf(key);
    if (list === ONCE || list === OFTEN) {
      lists.toNewest(OFTEN, key);
      return true;
    }
    const weight = weightOf(this.#weights, key);
    if (weight > this.#capacity) return false;
    if (list === 0) this.#forget(weight);
    else this.#learn(list, weight);
    lists.remove(key);
    this.#makeRoom(weight, list === OFTEN_GONE);
    lists.toNewest(list === 0 ? ONCE : OFTEN, key);
    return false;
  }

  #learn(list: number, weight: number): void {
    const [once, often] = [this.#lists.weight(ONCE_GONE), this.#lists.weight(OFTEN_GONE)];
    this.#share =
      list === ONCE_GONE
        ? Math.min(this.#capacity, this.#share + Math.max(1, often / once) * weight)
        : Math.max(0, this.#share - Math.max(1, once / often) * weight);
  }

  /** Keeps what is known of single requests to the capacity, and all that is known to twice of it. */
  #forget(weight: number): void {
    const lists = this.#lists;
    while (lists.weight(ONCE) + lists.weight(ONCE_GONE) + weight > this.#capacity) {
      const gone = lists.oldest(ONCE_GONE);
      lists.remove(gone === NONE ? lists.oldest(ONCE) : gone);
    }
    const known = (): number => [ONCE, ONCE_GONE, OFTEN, OFTEN_GONE].reduce((n, l) => n + lists.weight(l), 0);
    while (known() + weight > 2 * this.#capacity && lists.weight(OFTEN_GONE) > 0) {
      lists.remove(lists.oldest(OFTEN_GONE));
    }
  }

  #makeRoom(weight: number, returnsToOften: boolean): void {
    const lists = this.#lists;
    while (lists.weight(ONCE) + lists.weight(OFTEN) + weight > this.#capacity) {
      const once = lists.weight(ONCE);
      const tooMany = once > this.#share || (returnsToOften && once === this.#share);
      const fromOnce = once > 0 && (tooMany || lists.weight(OFTEN) === 0);
      if (fromOnce) lists.toNewest(ONCE_GONE, lists.oldest(ONCE));
      else lists.toNewest(OFTEN_GONE, lists.oldest(OFTEN));
    }
  }
}
