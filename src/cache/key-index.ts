/** Where the entries are: an open-addressed table of (hash of the key, unit + 1), with linear probing. All entries of one
 *  hash lie on one run of slots, which ends at the first empty one.
 *  Bounds: sized once and never grown; at most `capacity` entries, which leaves enough slots empty for runs to end.
 *  Cost: 8 bytes a slot; a slot is removed by moving its successors up, so there are no tombstones. */
export class KeyIndex {
  /** Pairs: slots[s] = hash, slots[s + 1] = unit + 1 or 0 = empty, for even s. */
  readonly slots: Int32Array;
  readonly capacity: number;
  count = 0;
  readonly #scale: number;

  /** Units: `slots` in pairs. */
  constructor(slots: number) {
    this.slots = new Int32Array(slots * 2);
    this.capacity = Math.floor(slots * LOAD_MAX);
    this.#scale = slots / 2 ** 32;
  }

  /** The first slot to look at. */
  home(hash: number): number {
    return (((hash >>> 0) * this.#scale) | 0) << 1;
  }

  next(slot: number): number {
    const next = slot + 2;
    return next === this.slots.length ? 0 : next;
  }

  /** Bounds: there is room (`count` < `capacity`). */
  add(hash: number, unit: number): void {
    const { slots } = this;
    let slot = this.home(hash);
    while (slots[slot + 1] !== 0) slot = this.next(slot);
    slots[slot] = hash;
    slots[slot + 1] = unit + 1;
    this.count++;
  }

  /** The slot of the entry at `unit`, which is there. */
  slotOf(hash: number, unit: number): number {
    const { slots } = this;
    let slot = this.home(hash);
    while (slots[slot + 1] !== unit + 1) {
      if (slots[slot + 1] === 0) throw new Error('nearcache: an entry is missing from its index');
      slot = this.next(slot);
    }
    return slot;
  }

  /** Empty a slot. Later slots of its run may move up, one of them into `slot` itself: look at that again. */
  removeAt(slot: number): void {
    const { slots } = this;
    let hole = slot;
    for (let from = this.next(hole); slots[from + 1] !== 0; from = this.next(from)) {
      const hash = slots[from] as number;
      if (this.#distance(this.home(hash), from) < this.#distance(hole, from)) continue;
      slots[hole] = hash;
      slots[hole + 1] = slots[from + 1] as number;
      hole = from;
    }
    slots[hole + 1] = 0;
    this.count--;
  }

  clear(): void {
    this.slots.fill(0);
    this.count = 0;
  }

  #distance(from: number, to: number): number {
    return to >= from ? to - from : to - from + this.slots.length;
  }
}

/** Above this load runs get long: a miss looks at 23 slots on average at 0.85, at 50 at 0.9. */
const LOAD_MAX = 0.85;
export const SLOT_BYTES = 8;
