import { createStore, type Eviction } from '../../src/cache/create-store.ts';
import { HEADER_BYTES } from '../../src/cache/entry-pool.ts';
import type { SegmentStoreOptions } from '../../src/cache/segment-store.ts';
import type { EntryId, Store } from '../../src/cache/store.ts';
import { facts, now, reusedId, storeOptions } from '../workload/byte-cache.ts';
import { type Policy, type Workload, weightOf } from './policy/policy.ts';

/** An entry of a workload without weights takes so much of the store. Units: bytes. */
const equalEntryBytes = 1024;
const equalKeyBytes = 8;
const keyBytes = 16;
/** As many as a store of a common size has; with fewer its queues could not be told apart finely. */
const segmentsLeast = 128;

/** The near-cache's own store, read through. */
export class StorePolicy implements Policy {
  readonly store: Store;
  readonly #weights: Uint32Array | undefined;
  readonly #id: EntryId;
  readonly #source: Buffer;

  constructor(store: Store, { weights }: Pick<Workload, 'weights'>) {
    this.store = store;
    this.#weights = weights;
    this.#id = reusedId(Buffer.alloc(keyBytes));
    this.#id.keyEnd =
      this.#id.argsStart =
      this.#id.argsEnd =
        weights === undefined ? equalKeyBytes : keyBytes;
    this.#source = Buffer.alloc(
      weights?.reduce((most, weight) => Math.max(most, weight), 0) ?? equalEntryBytes,
    );
  }

  request(key: number): boolean {
    this.#id.bytes.writeUInt32LE(key, 0);
    if (this.store.find(this.#id, 3, now)) return true;
    const valueBytes =
      this.#weights === undefined
        ? equalEntryBytes - HEADER_BYTES - equalKeyBytes
        : Math.max(1, weightOf(this.#weights, key) - keyBytes);
    this.store.insert(this.#id, this.#source, 0, valueBytes, facts);
    return false;
  }
}

/** A store for a workload. Units: `capacity` in entries, or with weights in bytes, of which everything counts then. */
export function storePolicy(eviction: Eviction, workload: Workload, capacity: number): StorePolicy {
  const options = workload.weights === undefined ? optionsFor(eviction, capacity) : storeOptions(capacity);
  return new StorePolicy(createStore(eviction, options), workload);
}

/** Options of a store that holds `entries` equal entries: found by trying, since a store counts all of its memory. It never
 *  holds more, and less only where entries do not divide into segments. */
function optionsFor(eviction: Eviction, entries: number): SegmentStoreOptions {
  const segmentBytes = equalEntryBytes * Math.max(1, Math.floor(entries / segmentsLeast));
  const options = (maxBytes: number): SegmentStoreOptions => ({
    ...storeOptions(maxBytes),
    expectedEntryBytes: equalEntryBytes,
    maxKeyBytes: equalKeyBytes,
    segmentBytes,
  });
  const guess = 1.2 * equalEntryBytes * entries + 16 * segmentBytes;
  const bytesAnEntry = guess / mostHeld(eviction, options(guess));
  let [enough, tooMuch] = [0.8 * bytesAnEntry * entries, 1.2 * bytesAnEntry * entries];
  while (tooMuch - enough > equalEntryBytes / 8) {
    const middle = (enough + tooMuch) / 2;
    if (mostHeld(eviction, options(middle)) > entries) tooMuch = middle;
    else enough = middle;
  }
  return options(Math.floor(enough));
}

/** How many equal entries are in the store when it evicts for the first time. */
function mostHeld(eviction: Eviction, options: SegmentStoreOptions): number {
  const policy = new StorePolicy(
    createStore(eviction, { ...options, maxBytes: Math.floor(options.maxBytes) }),
    {
      weights: undefined,
    },
  );
  const { stats } = policy.store;
  let held = 0;
  for (let key = 0; stats.evicted === 0; key++) {
    held = stats.entries;
    policy.request(key);
    if (held === stats.entries && stats.evicted === 0) throw new RangeError(`${eviction} refuses an entry`);
  }
  return held;
}
