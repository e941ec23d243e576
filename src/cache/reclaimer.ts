import { HITS, HITS_MAX, HITS_SHIFT, PINNED, UNIT } from './entry-pool.ts';
import type { EntryTable } from './entry-table.ts';
import type { EvictionHooks, EvictionPolicy, StoredEntry } from './eviction.ts';
import { FREE, MAIN, NONE, type Queue } from './segments.ts';
import { emptyFound, emptyId, type EntryId, type Found } from './store.ts';

/** Makes room, a segment at a time: what the policy keeps of a segment is copied to the main queue, the rest is dropped. */
export class Reclaimer {
  readonly #table: EntryTable;
  readonly #policy: EvictionPolicy;
  readonly #hooks: EvictionHooks;
  readonly #viewed: { id: EntryId; facts: Found; bytes: number };

  constructor(table: EntryTable, policy: EvictionPolicy, hooks: EvictionHooks) {
    this.#table = table;
    this.#policy = policy;
    this.#hooks = hooks;
    const { bytes } = table.pool;
    this.#viewed = { id: emptyId(bytes), facts: emptyFound(bytes), bytes: 0 };
  }

  /** Room for an entry at the end of a queue, and in the index. Other entries may move or go. */
  makeRoom(queue: Queue, units: number, now: number): number {
    const { segments, index } = this.#table;
    for (let emptied = 0; index.count >= index.capacity; emptied++) this.#reclaim(emptied, now);
    const unit = segments.append(queue, units);
    if (unit !== -1) return unit;
    for (let emptied = 0; (segments.held[FREE] as number) <= RESERVE; emptied++) this.#reclaim(emptied, now);
    return this.#table.append(queue, units);
  }

  /** Empty one segment: a queue's oldest, unless removed entries have left another one half empty. */
  #reclaim(emptied: number, now: number): void {
    const { segments } = this.#table;
    const holed = emptied < PATIENCE ? segments.emptiest() : NONE;
    if (holed !== NONE) this.#empty(holed, now, COMPACTING);
    else {
      const oldest = segments.oldest(this.#policy.victimQueue(segments), 0);
      this.#empty(oldest, now, Math.floor(emptied / PATIENCE));
    }
  }

  #empty(segment: number, now: number, pressure: number): void {
    const table = this.#table;
    const { pool, segments, stats } = table;
    const queue = segments.queueOf(segment);
    segments.seal(segment);
    const end = segments.endOf(segment);
    for (let unit = segments.startOf(segment), units = 0; unit < end; unit += units) {
      units = pool.unitsAt(unit);
      if (!table.isLive(unit)) continue;
      if (now >= pool.deadlineAt(unit)) {
        stats.expired++;
        table.dropAt(unit);
      } else if (pressure === COMPACTING) table.moveTo(queue, unit, units);
      else if (this.#keeps(queue, unit, units, pressure)) table.moveTo(MAIN, unit, units);
      else {
        stats.evicted++;
        table.dropAt(unit);
      }
    }
    segments.free(segment);
  }

  /** Ask the policy, and the hooks. What is kept goes on with a clean sheet if it was on trial, else with one hit less. */
  #keeps(queue: Queue, unit: number, units: number, pressure: number): boolean {
    const table = this.#table;
    const { isPinned, weightOf } = this.#hooks;
    if (isPinned !== undefined && this.#pin(unit, units, isPinned)) return true;
    const hits = table.hitsAt(unit);
    const weight = weightOf === undefined ? 1 : weightOf(this.#view(unit, units));
    const counted = Math.min(HITS_MAX, Math.floor(hits * weight));
    if (!this.#policy.keeps(queue, counted, table.identityAt(unit), unit, pressure)) return false;
    const left = queue === MAIN ? hits - 1 : Math.floor(weight) - 1;
    table.pool.setFlags(unit, HITS, Math.min(HITS_MAX, Math.max(0, left)) << HITS_SHIFT);
    return true;
  }

  #pin(unit: number, units: number, isPinned: (entry: StoredEntry) => boolean): boolean {
    const table = this.#table;
    const { pool, segments } = table;
    if ((pool.flagsAt(unit) & PINNED) !== 0) {
      table.pinnedUnits -= units;
      pool.setFlags(unit, PINNED, 0);
    }
    const limit = (segments.count * segments.segmentUnits) / 2;
    if (table.pinnedUnits + units > limit || !isPinned(this.#view(unit, units))) return false;
    table.pinnedUnits += units;
    pool.setFlags(unit, PINNED, PINNED);
    return true;
  }

  #view(unit: number, units: number): StoredEntry {
    const { pool } = this.#table;
    pool.viewInto(unit, this.#viewed.id);
    pool.readInto(unit, this.#viewed.facts);
    this.#viewed.bytes = units * UNIT;
    return this.#viewed;
  }
}

/** Segments that are always free: a segment keeps at most its own content, so that one more holds what is left after the
 *  queue's newest is full. */
export const RESERVE = 1;
/** After so many segments for one entry the policy must let more go: a cache in which everything was hit would
 *  otherwise be copied three times over at once. */
const PATIENCE = 16;
/** Instead of a pressure: every live entry is kept, in its own queue. */
const COMPACTING = -1;
