import { FORM, FORM_SHIFT, HITS, PINNED, REFRESHING, unitsFor } from './entry-pool.ts';
import { EntryTable } from './entry-table.ts';
import type { EvictionHooks, EvictionPolicy } from './eviction.ts';
import type { MemoryPlan } from './memory-plan.ts';
import { Reclaimer } from './reclaimer.ts';
import { FREE, NONE, type Queue } from './segments.ts';
import {
  emptyFound,
  emptyId,
  type EntryFacts,
  type EntryId,
  type Form,
  type Found,
  RESP2_ONLY,
  RESP3_ONLY,
  SAME,
  type Store,
  type StoreOptions,
  type StoreStats,
} from './store.ts';

/** What tests and benchmarks may set beside the rest. */
export interface SegmentStoreOptions extends StoreOptions {
  hooks?: EvictionHooks;
  /** Units: bytes, a multiple of 8. */
  segmentBytes?: number;
  /** Fewer than 32 make keys collide. */
  hashBits?: number;
}

/** Replies in one block of memory that was allocated at the start: nothing of it is an object, so there is nothing for the
 *  garbage collector, and the limit is what the process grows by.
 *
 *  Bounds: `maxBytes` covers all. Keys and args are at most 65,535 bytes each; an entry lives at most 49.7 days.
 *  Cost: `find` is one or two cache misses; `insert` copies the reply and now and then empties a segment (up to some ms at
 *  1 MiB a segment). Source: eviction study, sections 6 and 8. */
export class SegmentStore implements Store {
  readonly stats: StoreStats;
  readonly found: Found;
  readonly maxItemBytes: number;
  readonly #table: EntryTable;
  readonly #policy: EvictionPolicy;
  readonly #reclaimer: Reclaimer;
  readonly #maxKeyBytes: number;
  readonly #visited: EntryId;
  /** Where `found` came from, until something changes. */
  #foundUnit: number = NONE;
  /** What the entry that was replaced last leaves to its successor; FREE = there was none. */
  #oldQueue: Queue = FREE;
  #oldHits = 0;

  constructor(table: EntryTable, policy: EvictionPolicy, plan: MemoryPlan, options: SegmentStoreOptions) {
    this.#table = table;
    this.#policy = policy;
    this.#reclaimer = new Reclaimer(table, policy, options.hooks ?? {});
    this.stats = table.stats;
    this.stats.limitBytes = plan.totalBytes;
    this.maxItemBytes = plan.maxItemBytes;
    this.#maxKeyBytes = Math.min(options.maxKeyBytes, 0xffff);
    this.found = emptyFound(table.pool.bytes);
    this.#visited = emptyId(table.pool.bytes);
  }

  find(id: EntryId, proto: 2 | 3, now: number): boolean {
    const table = this.#table;
    const { index, pool } = table;
    const { slots } = index;
    const hash = table.hashOf(id.bytes, id.keyStart, id.keyEnd);
    if (this.#policy.hearsRequests) this.#policy.requested(table.identityOf(id, hash));
    for (let slot = index.home(hash); slots[slot + 1] !== 0; slot = index.next(slot)) {
      if (slots[slot] !== hash) continue;
      const unit = (slots[slot + 1] as number) - 1;
      if (!pool.isOf(unit, id) || !serves(pool.formAt(unit), proto)) continue;
      if (now >= pool.deadlineAt(unit)) {
        this.stats.expired++;
        table.drop(slot);
        this.#foundUnit = NONE;
        return false;
      }
      pool.readInto(unit, this.found);
      pool.countHit(unit);
      this.#foundUnit = unit;
      return true;
    }
    return false;
  }

  insert(id: EntryId, source: Buffer, start: number, end: number, facts: EntryFacts): boolean {
    const table = this.#table;
    const keyBytes = id.keyEnd - id.keyStart + id.argsEnd - id.argsStart;
    if (keyBytes > this.#maxKeyBytes) return false;
    const units = unitsFor(keyBytes + end - start);
    const hash = table.hashOf(id.bytes, id.keyStart, id.keyEnd);
    this.#foundUnit = NONE;
    // A converted form says nothing new.
    if (facts.form !== RESP2_ONLY) this.#dropDoubted(id, hash, source, start, end);
    const reused = this.#replace(id, hash, facts.form, units);
    if (end - start > this.maxItemBytes || units > table.segments.segmentUnits) {
      if (reused !== NONE) table.dropAt(reused);
      return false;
    }
    if (reused !== NONE) {
      table.pool.write(reused, hash, id, facts, table.pool.flagsAt(reused) & (HITS | PINNED));
      table.pool.writeReply(reused, source, start, end);
      return true;
    }
    // Making room moves entries, and the reply may be one's.
    const isOwn = source.buffer === table.pool.bytes.buffer;
    const reply = isOwn ? Buffer.from(source.subarray(start, end)) : source;
    const queue =
      this.#oldQueue === FREE ? this.#policy.queueFor(table.identityOf(id, hash), units) : this.#oldQueue;
    const unit = this.#reclaimer.makeRoom(queue, units, facts.filledAt);
    table.pool.write(unit, hash, id, facts, this.#oldHits);
    table.pool.writeReply(unit, reply, isOwn ? 0 : start, isOwn ? end - start : end);
    table.add(unit, hash, units);
    return true;
  }

  refreshing(): void {
    if (this.#foundUnit !== NONE) this.#table.pool.setFlags(this.#foundUnit, REFRESHING, REFRESHING);
  }

  commandInUse(id: EntryId): number {
    const table = this.#table;
    const { index, pool } = table;
    const { slots } = index;
    const hash = table.hashOf(id.bytes, id.keyStart, id.keyEnd);
    for (let slot = index.home(hash); slots[slot + 1] !== 0; slot = index.next(slot)) {
      if (slots[slot] !== hash) continue;
      const unit = (slots[slot + 1] as number) - 1;
      if (table.hitsAt(unit) === 0 || !pool.isPlainBeside(unit, id)) continue;
      if (pool.hasKey(unit, id.bytes, id.keyStart, id.keyEnd)) return pool.commandAt(unit) & 0xffff;
    }
    return -1;
  }

  remove(bytes: Buffer, keyStart: number, keyEnd: number): number {
    const table = this.#table;
    const { index, pool } = table;
    const { slots } = index;
    const hash = table.hashOf(bytes, keyStart, keyEnd);
    this.#foundUnit = NONE;
    let removed = 0;
    let slot = index.home(hash);
    while (slots[slot + 1] !== 0) {
      if (slots[slot] === hash && pool.hasKey((slots[slot + 1] as number) - 1, bytes, keyStart, keyEnd)) {
        table.drop(slot);
        removed++;
      } else slot = index.next(slot);
    }
    return removed;
  }

  removeWhere(test: (id: EntryId) => boolean): number {
    const { segments, pool } = this.#table;
    this.#foundUnit = NONE;
    let removed = 0;
    for (let segment = 0; segment < segments.count; segment++) {
      const end = segments.endOf(segment);
      for (let unit = segments.startOf(segment); unit < end; unit += pool.unitsAt(unit)) {
        if (!this.#table.isLive(unit)) continue;
        pool.viewInto(unit, this.#visited);
        if (!test(this.#visited)) continue;
        this.#table.dropAt(unit);
        removed++;
      }
    }
    return removed;
  }

  clear(): void {
    this.#foundUnit = NONE;
    this.#table.clear();
  }

  #dropDoubted(id: EntryId, hash: number, source: Buffer, start: number, end: number): void {
    const { index, pool } = this.#table;
    const { slots } = index;
    let slot = index.home(hash);
    while (slots[slot + 1] !== 0) {
      const unit = (slots[slot + 1] as number) - 1;
      const isOfKey = slots[slot] === hash && pool.hasKey(unit, id.bytes, id.keyStart, id.keyEnd);
      if (isOfKey && pool.isDoubtedBy(unit, id, source, start, end)) this.#table.drop(slot);
      else slot = index.next(slot);
    }
  }

  /** End what the new entry takes the place of. Returns one that it can overwrite, or NONE. */
  #replace(id: EntryId, hash: number, form: Form, units: number): number {
    const { index, pool } = this.#table;
    const { slots } = index;
    this.#oldQueue = FREE;
    this.#oldHits = 0;
    let reused = NONE;
    let variants = 0;
    let oldest = NONE;
    let slot = index.home(hash);
    while (slots[slot + 1] !== 0) {
      const unit = (slots[slot + 1] as number) - 1;
      if (slots[slot] === hash && pool.hasKey(unit, id.bytes, id.keyStart, id.keyEnd)) {
        if (!pool.isOf(unit, id) || !this.#yields(unit, form)) {
          variants++;
          if (oldest === NONE || pool.deadlineAt(unit) < pool.deadlineAt(oldest)) oldest = unit;
        } else if (reused === NONE && pool.unitsAt(unit) === units) reused = unit;
        else {
          this.#inherit(unit);
          this.#table.drop(slot);
          continue;
        }
      }
      slot = index.next(slot);
    }
    if (variants >= VARIANTS_MAX) this.#table.dropAt(oldest);
    return reused;
  }

  /** Does the entry, of the same id, give way to one of `form`? If not, it serves only RESP3 from now on. */
  #yields(unit: number, form: Form): boolean {
    const { pool } = this.#table;
    if (form !== RESP2_ONLY || pool.formAt(unit) === RESP2_ONLY) return true;
    pool.setFlags(unit, FORM, RESP3_ONLY << FORM_SHIFT);
    return false;
  }

  #inherit(unit: number): void {
    const { pool, segments } = this.#table;
    this.#oldQueue = segments.queueOf(segments.segmentOf(unit));
    this.#oldHits = pool.flagsAt(unit) & HITS;
  }
}

function serves(form: Form, proto: 2 | 3): boolean {
  return form === SAME || form === proto;
}

/** Variants kept of one key, which share a run of index slots; a further one takes the place of the first to end. */
const VARIANTS_MAX = 64;
