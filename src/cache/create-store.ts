import { unitsFor, UNIT } from './entry-pool.ts';
import { EntryTable } from './entry-table.ts';
import { ClockPolicy, type EvictionPolicy, FifoPolicy } from './eviction.ts';
import { FrequencySketch } from './frequency-sketch.ts';
import { Ghosts } from './ghosts.ts';
import { LruStore, VARIANT_OVERHEAD_BYTES } from './lru-store.ts';
import { type MemoryPlan, planMemory } from './memory-plan.ts';
import { RESERVE } from './reclaimer.ts';
import { S3Fifo } from './s3-fifo.ts';
import { SegmentStore, type SegmentStoreOptions } from './segment-store.ts';
import { type Store, StoreStats } from './store.ts';
import { TinyLfu } from './tiny-lfu.ts';
import { Trials } from './trials.ts';

export type Eviction = 's3fifo' | 'tinylfu' | 'fifo' | 'clock' | 'lru';

/** Make a store that evicts in one of these ways.
 *  Errors: RangeError when `maxBytes` leaves too little for segments (some 16 KiB are enough). */
export function createStore(eviction: Eviction, options: SegmentStoreOptions): Store {
  if (eviction === 'lru') return new LruStore(options);
  const plan = planMemory(options, POLICY_BYTES[eviction]);
  const table = new EntryTable(plan, new StoreStats(), options.seed);
  return new SegmentStore(table, policyOf(eviction, table, plan), plan, options);
}

function policyOf(eviction: InSegments, table: EntryTable, plan: MemoryPlan): EvictionPolicy {
  if (eviction === 'fifo') return new FifoPolicy();
  if (eviction === 'clock') return new ClockPolicy();
  const trials = new Trials(new Ghosts(plan.entries), table.stats);
  if (eviction === 's3fifo') return new S3Fifo(trials);
  return new TinyLfu(table, trials, new FrequencySketch(plan.entries));
}

/** Options of a store that holds `entries` equal entries and no more, for comparisons by hit ratio: index, ghosts and the
 *  like come on top, and so does the segment that is always free. What is missing to `entries` is at most one part in 256
 *  (they fill whole segments, 128 to 256 of them), and half a segment on average, the newest of each queue.
 *  Units: `keyBytes` with args; `replyBytes` may be up to 7 more. Bounds: `entries` ≥ 128. */
export function optionsForEntries(
  eviction: Eviction,
  entries: number,
  { keyBytes, replyBytes, seed }: { keyBytes: number; replyBytes: number; seed: number },
): SegmentStoreOptions {
  const common = { maxItemBytes: replyBytes, maxKeyBytes: keyBytes, seed };
  const lruEntryBytes = VARIANT_OVERHEAD_BYTES + keyBytes + replyBytes;
  if (eviction === 'lru') {
    return { ...common, maxBytes: entries * lruEntryBytes, expectedEntryBytes: lruEntryBytes };
  }
  const entryBytes = unitsFor(keyBytes + replyBytes) * UNIT;
  const perSegment = Math.ceil(entries / 256);
  const segments = Math.floor(entries / perSegment) + RESERVE;
  const segmentBytes = perSegment * entryBytes;
  const options = {
    ...common,
    segmentBytes,
    maxBytes: segments * segmentBytes,
    expectedEntryBytes: entryBytes,
  };
  while (planMemory(options, POLICY_BYTES[eviction]).segments < segments) options.maxBytes += entryBytes;
  return options;
}

type InSegments = Exclude<Eviction, 'lru'>;

/** What a policy remembers per expected entry: a ghost, and its part of the sketch. Units: bytes. */
const POLICY_BYTES: Readonly<Record<InSegments, number>> = { s3fifo: 4, tinylfu: 12, fifo: 0, clock: 0 };
