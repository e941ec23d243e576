import { commandWord, DEAD, EntryPool, HEADER_BYTES, HITS, HITS_SHIFT, PINNED, UNIT } from './entry-pool.ts';
import { KeyHash, mix } from './key-hash.ts';
import { KeyIndex } from './key-index.ts';
import { type Queue, Segments } from './segments.ts';
import type { EntryId, StoreStats } from './store.ts';

/** Entries in their segments and in the index, which always agree: what is indexed is live, and what is live is indexed. */
export class EntryTable {
  readonly pool: EntryPool;
  readonly index: KeyIndex;
  readonly segments: Segments;
  readonly stats: StoreStats;
  /** Units of live entries that hooks keep. */
  pinnedUnits = 0;
  readonly #hash: KeyHash;
  readonly #hashShift: number;

  constructor(plan: TablePlan, stats: StoreStats, seed: number) {
    this.pool = new EntryPool(plan.segments * plan.segmentBytes);
    this.index = new KeyIndex(plan.slots);
    this.segments = new Segments(plan.segments, plan.segmentBytes / UNIT);
    this.stats = stats;
    this.#hash = new KeyHash(seed);
    this.#hashShift = 32 - plan.hashBits;
  }

  hashOf(bytes: Buffer, keyStart: number, keyEnd: number): number {
    return this.#hash.of(bytes, keyStart, keyEnd) >> this.#hashShift;
  }

  /** One number for what popularity is counted of: not the key, which may have many variants, and not the fence, which
   *  changes with every link. */
  identityOf(id: EntryId, keyHash: number): number {
    const args = id.argsEnd === id.argsStart ? 0 : this.#hash.of(id.bytes, id.argsStart, id.argsEnd);
    return mix(keyHash, args ^ commandWord(id));
  }

  /** The same of an entry. */
  identityAt(unit: number): number {
    const { pool } = this;
    const argsBytes = pool.argsBytesAt(unit);
    const start = unit * UNIT + HEADER_BYTES + pool.keyBytesAt(unit);
    const args = argsBytes === 0 ? 0 : this.#hash.of(pool.bytes, start, start + argsBytes);
    return mix(pool.hashAt(unit), args ^ pool.commandAt(unit));
  }

  /** Put what was just written at `unit` into the index. */
  add(unit: number, hash: number, units: number): void {
    this.index.add(hash, unit);
    this.stats.entries++;
    this.stats.liveBytes += units * UNIT;
  }

  /** The entry in `slot` is no more. Other entries of its run may move into the slot. */
  drop(slot: number): void {
    const { pool, stats } = this;
    const unit = (this.index.slots[slot + 1] as number) - 1;
    const units = pool.unitsAt(unit);
    this.index.removeAt(slot);
    if ((pool.flagsAt(unit) & PINNED) !== 0) this.pinnedUnits -= units;
    pool.setFlags(unit, DEAD, DEAD);
    this.segments.lose(unit, units);
    stats.entries--;
    stats.liveBytes -= units * UNIT;
  }

  dropAt(unit: number): void {
    this.drop(this.index.slotOf(this.pool.hashAt(unit), unit));
  }

  /** Copy a live entry to the end of a queue that has room or a free segment to open. Returns where it is now. */
  moveTo(queue: Queue, unit: number, units: number): number {
    const { pool, segments, index } = this;
    const slot = index.slotOf(pool.hashAt(unit), unit);
    const to = this.append(queue, units);
    pool.move(unit, to, units);
    pool.setFlags(unit, DEAD, DEAD);
    segments.lose(unit, units);
    index.slots[slot + 1] = to + 1;
    return to;
  }

  /** Room in a queue that has some, or a free segment to open. */
  append(queue: Queue, units: number): number {
    const unit = this.segments.append(queue, units);
    if (unit !== -1) return unit;
    this.segments.open(queue);
    return this.segments.append(queue, units);
  }

  hitsAt(unit: number): number {
    return (this.pool.flagsAt(unit) & HITS) >> HITS_SHIFT;
  }

  isLive(unit: number): boolean {
    return (this.pool.flagsAt(unit) & DEAD) === 0;
  }

  clear(): void {
    this.index.clear();
    this.segments.freeAll();
    this.pinnedUnits = 0;
    this.stats.entries = 0;
    this.stats.liveBytes = 0;
  }
}

/** How the memory is divided. Units: segmentBytes is a multiple of 8. */
export interface TablePlan {
  slots: number;
  segments: number;
  segmentBytes: number;
  /** 32, or less in tests that want collisions. */
  hashBits: number;
}
