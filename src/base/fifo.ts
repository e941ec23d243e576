/** A first-in first-out queue in a ring that doubles when full: `shift` is O(1), where Array's is O(n).
 *  Shape: items are never undefined. Bounds: set by the caller; the ring keeps its largest size. */
export class Fifo<T> {
  #items: (T | undefined)[] = emptyRing<T>(16);
  #head = 0;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  push(item: T): void {
    if (this.#length === this.#items.length) this.#grow();
    this.#items[(this.#head + this.#length) & (this.#items.length - 1)] = item;
    this.#length++;
  }

  peek(): T | undefined {
    return this.#items[this.#head];
  }

  shift(): T | undefined {
    const item = this.#items[this.#head];
    if (item === undefined) return undefined;
    this.#items[this.#head] = undefined;
    this.#head = (this.#head + 1) & (this.#items.length - 1);
    this.#length--;
    return item;
  }

  /** The item `index` places behind the head. Bounds: 0 ≤ index < length, else undefined. */
  at(index: number): T | undefined {
    if (index >= this.#length) return undefined;
    return this.#items[(this.#head + index) & (this.#items.length - 1)];
  }

  #grow(): void {
    const size = this.#items.length;
    const grown = emptyRing<T>(size * 2);
    for (let i = 0; i < size; i++) grown[i] = this.#items[(this.#head + i) & (size - 1)];
    this.#items = grown;
    this.#head = 0;
  }
}

/** A ring without holes: V8 keeps such an array in its fast form. */
function emptyRing<T>(size: number): (T | undefined)[] {
  return Array.from<T | undefined>({ length: size });
}
