import { type Workload, weightOf } from './policy.ts';

/** No key. */
export const NONE = -1;

/** Lists of keys, each from its oldest to its newest; a key is in one of them or in none.
 *  Shape: lists are numbered from 1; 0 means in none.
 *  Cost: 9 bytes a key of the workload; every method O(1). */
export class KeyLists {
  readonly #keys: number;
  readonly #weights: Uint32Array | undefined;
  readonly #listOf: Uint8Array;
  /** The ring of a list runs through its sentinel, whose newer neighbour is the oldest key. */
  readonly #newer: Int32Array;
  readonly #older: Int32Array;
  readonly #weightOf: Float64Array;

  constructor({ keys, weights }: Workload, lists: number) {
    this.#keys = keys;
    this.#weights = weights;
    this.#listOf = new Uint8Array(keys);
    this.#newer = new Int32Array(keys + lists + 1).map((_, i) => i);
    this.#older = this.#newer.slice();
    this.#weightOf = new Float64Array(lists + 1);
  }

  listOf(key: number): number {
    return this.#listOf[key] as number;
  }

  /** What the keys of a list weigh together. */
  weight(list: number): number {
    return this.#weightOf[list] as number;
  }

  /** The oldest key of a list, or NONE. */
  oldest(list: number): number {
    return this.#orNone(this.#newer[this.#keys + list] as number);
  }

  /** The neighbour of a listed key towards the newest, or NONE. */
  newer(key: number): number {
    return this.#orNone(this.#newer[key] as number);
  }

  /** Moves the key, from wherever it is, to the new end of the list. */
  toNewest(list: number, key: number): void {
    this.#link(list, key, this.#older[this.#keys + list] as number);
  }

  /** Moves the key, from wherever it is, to the old end of the list. */
  toOldest(list: number, key: number): void {
    this.#link(list, key, this.#keys + list);
  }

  /** Takes the key out of its list, if it is in one. */
  remove(key: number): void {
    const list = this.listOf(key);
    if (list === 0) return;
    const [older, newer] = [this.#older[key] as number, this.#newer[key] as number];
    this.#newer[older] = newer;
    this.#older[newer] = older;
    this.#listOf[key] = 0;
    this.#weightOf[list] = this.weight(list) - weightOf(this.#weights, key);
  }

  #link(list: number, key: number, after: number): void {
    if (after === key) return;
    this.remove(key);
    // Removing the key does not move `after`: it is another node.
    const newer = this.#newer[after] as number;
    this.#newer[after] = key;
    this.#older[key] = after;
    this.#newer[key] = newer;
    this.#older[newer] = key;
    this.#listOf[key] = list;
    this.#weightOf[list] = this.weight(list) + weightOf(this.#weights, key);
  }

  #orNone(node: number): number {
    return node < this.#keys ? node : NONE;
  }
}
