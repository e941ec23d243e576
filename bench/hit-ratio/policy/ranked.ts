/** Policies that rank all keys and give up the lowest. */
import { KeyHeap } from './key-heap.ts';
import { type Policy, type Workload, weightOf } from './policy.ts';

abstract class Ranked implements Policy {
  /** How many requests there have been. */
  protected time = 0;
  readonly #heap: KeyHeap;
  readonly #weights: Uint32Array | undefined;
  readonly #capacity: number;
  #weight = 0;

  constructor({ keys, weights }: Workload, capacity: number) {
    this.#heap = new KeyHeap(keys);
    this.#weights = weights;
    this.#capacity = capacity;
  }

  request(key: number): boolean {
    const hit = this.#heap.has(key);
    const rank = this.rank(key);
    this.time++;
    const weight = weightOf(this.#weights, key);
    if (!hit) {
      if (weight > this.#capacity) return false;
      while (this.#weight + weight > this.#capacity) this.#evict();
      this.#weight += weight;
    }
    this.#heap.set(key, rank);
    return hit;
  }

  /** The rank of the key that is requested now; the others keep theirs. */
  protected abstract rank(key: number): number;

  #evict(): void {
    const victim = this.#heap.lowest() as number;
    this.#heap.remove(victim);
    this.#weight -= weightOf(this.#weights, victim);
  }
}

/** The least often requested goes, of several the one used longest ago. Counts outlive eviction. */
export class PerfectLfu extends Ranked {
  readonly #counts: Uint32Array;
  readonly #requests: number;

  constructor(workload: Workload, capacity: number) {
    super(workload, capacity);
    this.#counts = new Uint32Array(workload.keys);
    this.#requests = workload.requests.length;
  }

  protected rank(key: number): number {
    const count = (this.#counts[key] as number) + 1;
    this.#counts[key] = count;
    return count * this.#requests + this.time;
  }
}

/** The one whose last request but one is longest ago goes; those requested only once go first, by LRU. History outlives
 *  eviction.
 *  Source: O'Neil, O'Neil, Weikum, "The LRU-K page replacement algorithm", SIGMOD 1993, with K = 2. */
export class Lru2 extends Ranked {
  /** The time of the last request + 1; 0 = never. */
  readonly #last: Uint32Array;
  readonly #requests: number;

  constructor(workload: Workload, capacity: number) {
    super(workload, capacity);
    this.#last = new Uint32Array(workload.keys);
    this.#requests = workload.requests.length;
  }

  protected rank(key: number): number {
    const last = this.#last[key] as number;
    this.#last[key] = this.time + 1;
    return last === 0 ? this.time - this.#requests : last;
  }
}

/** Belady's bound: knows the future and keeps what is needed soonest; what is not needed again before all it holds is not
 *  kept at all. No policy has more hits when all keys weigh the same.
 *  Errors: RangeError on a workload with weights, for which this is no bound. */
export class Clairvoyant implements Policy {
  readonly #next: Float64Array;
  readonly #heap: KeyHeap;
  readonly #capacity: number;
  #time = 0;

  constructor(workload: Workload, capacity: number) {
    if (workload.weights !== undefined) throw new RangeError('Belady bounds only entries of equal weight');
    this.#next = nextRequests(workload);
    this.#heap = new KeyHeap(workload.keys);
    this.#capacity = capacity;
  }

  request(key: number): boolean {
    const hit = this.#heap.has(key);
    const next = this.#next[this.#time++] as number;
    if (next === Infinity) this.#heap.remove(key);
    else this.#heap.set(key, -next);
    if (this.#heap.size > this.#capacity) this.#heap.remove(this.#heap.lowest() as number);
    return hit;
  }
}

/** For each request, when its key is requested next; Infinity = never. */
function nextRequests({ requests, keys }: Workload): Float64Array {
  const next = new Float64Array(requests.length);
  const seen = new Float64Array(keys).fill(Infinity);
  for (let i = requests.length - 1; i >= 0; i--) {
    const key = requests[i] as number;
    next[i] = seen[key] as number;
    seen[key] = i;
  }
  return next;
}
