/** Policies of one queue: they differ in what a hit does and in whom the queue gives up. */
import { KeyLists, NONE } from './key-lists.ts';
import { type Policy, type Workload, weightOf } from './policy.ts';

const QUEUE = 1;

abstract class OneQueue implements Policy {
  protected readonly lists: KeyLists;
  readonly #weights: Uint32Array | undefined;
  readonly #capacity: number;

  constructor(workload: Workload, capacity: number) {
    this.lists = new KeyLists(workload, 1);
    this.#weights = workload.weights;
    this.#capacity = capacity;
  }

  request(key: number): boolean {
    if (this.lists.listOf(key) === QUEUE) {
      this.used(key);
      return true;
    }
    const weight = weightOf(this.#weights, key);
    if (weight > this.#capacity) return false;
    while (this.lists.weight(QUEUE) + weight > this.#capacity) this.lists.remove(this.victim());
    this.lists.toNewest(QUEUE, key);
    return false;
  }

  protected abstract used(key: number): void;

  /** A key of the queue, which is not empty. */
  protected abstract victim(): number;
}

/** The oldest goes. */
export class Fifo extends OneQueue {
  protected used(): void {}

  protected victim(): number {
    return this.lists.oldest(QUEUE);
  }
}

/** The one that was used longest ago goes. */
export class Lru extends OneQueue {
  protected used(key: number): void {
    this.lists.toNewest(QUEUE, key);
  }

  protected victim(): number {
    return this.lists.oldest(QUEUE);
  }
}

/** The oldest goes, unless it was used since it was last looked at; then it counts as new. */
export class Clock extends OneQueue {
  readonly #used: Uint8Array;

  constructor(workload: Workload, capacity: number) {
    super(workload, capacity);
    this.#used = new Uint8Array(workload.keys);
  }

  protected used(key: number): void {
    this.#used[key] = 1;
  }

  protected victim(): number {
    let key = this.lists.oldest(QUEUE);
    while (this.#used[key] === 1) {
      this.#used[key] = 0;
      this.lists.toNewest(QUEUE, key);
      key = this.lists.oldest(QUEUE);
    }
    return key;
  }
}

/** A hand goes from old to new, spares once what was used and evicts where it stands; nothing moves.
 *  Source: Zhang et al., "SIEVE is simpler than LRU", NSDI 2024. */
export class Sieve extends OneQueue {
  readonly #used: Uint8Array;
  #hand = NONE;

  constructor(workload: Workload, capacity: number) {
    super(workload, capacity);
    this.#used = new Uint8Array(workload.keys);
  }

  protected used(key: number): void {
    this.#used[key] = 1;
  }

  protected victim(): number {
    let key = this.#hand === NONE ? this.lists.oldest(QUEUE) : this.#hand;
    while (this.#used[key] === 1) {
      this.#used[key] = 0;
      key = this.lists.newer(key);
      if (key === NONE) key = this.lists.oldest(QUEUE);
    }
    this.#hand = this.lists.newer(key);
    return key;
  }
}
