/** A priority queue of keys in which a key's rank can change.
 *  Cost: 12 bytes a key of the workload and 4 an entry; O(log entries) a change. */
export class KeyHeap {
  readonly #heap: number[] = [];
  readonly #rank: Float64Array;
  /** Place in the heap + 1; 0 = not in it. */
  readonly #place: Uint32Array;

  constructor(keys: number) {
    this.#rank = new Float64Array(keys);
    this.#place = new Uint32Array(keys);
  }

  get size(): number {
    return this.#heap.length;
  }

  has(key: number): boolean {
    return this.#place[key] !== 0;
  }

  /** The key of the lowest rank; undefined when empty. */
  lowest(): number | undefined {
    return this.#heap[0];
  }

  /** Adds a key, or changes the rank of one that is there. */
  set(key: number, rank: number): void {
    this.#rank[key] = rank;
    if (!this.has(key)) this.#put(this.#heap.length, key);
    this.#settle(key);
  }

  remove(key: number): void {
    const place = (this.#place[key] as number) - 1;
    if (place < 0) return;
    this.#place[key] = 0;
    const last = this.#heap.pop() as number;
    if (last === key) return;
    this.#put(place, last);
    this.#settle(last);
  }

  #settle(key: number): void {
    this.#rise(key);
    this.#sink(key);
  }

  #rise(key: number): void {
    const rank = this.#rank[key] as number;
    let place = (this.#place[key] as number) - 1;
    while (place > 0) {
      const parent = (place - 1) >>> 1;
      const above = this.#heap[parent] as number;
      if ((this.#rank[above] as number) <= rank) break;
      this.#put(place, above);
      place = parent;
    }
    this.#put(place, key);
  }

  #sink(key: number): void {
    const rank = this.#rank[key] as number;
    let place = (this.#place[key] as number) - 1;
    for (;;) {
      const child = this.#lowerChild(place);
      if (child === undefined) break;
      const below = this.#heap[child] as number;
      if ((this.#rank[below] as number) >= rank) break;
      this.#put(place, below);
      place = child;
    }
    this.#put(place, key);
  }

  #lowerChild(place: number): number | undefined {
    const [left, right] = [2 * place + 1, 2 * place + 2];
    if (left >= this.#heap.length) return undefined;
    if (right >= this.#heap.length) return left;
    const [a, b] = [this.#heap[left] as number, this.#heap[right] as number];
    return (this.#rank[b] as number) < (this.#rank[a] as number) ? right : left;
  }

  #put(place: number, key: number): void {
    this.#heap[place] = key;
    this.#place[key] = place + 1;
  }
}
