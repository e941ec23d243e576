import { createStore, type Eviction, optionsForEntries } from '../../src/cache/create-store.ts';
import { HEADER_BYTES } from '../../src/cache/entry-pool.ts';
import type { EntryId, Store } from '../../src/cache/store.ts';
import { facts, now, reusedId, storeOptions } from '../workload/byte-cache.ts';
import { type Policy, type Workload, weightOf } from './policy/policy.ts';

/** An entry of a workload without weights takes 1 KiB of the store. Units: bytes. */
const equalKeyBytes = 8;
const equalValueBytes: number = 1024 - HEADER_BYTES - equalKeyBytes;
const keyBytes = 16;

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
      weights?.reduce((most, weight) => Math.max(most, weight), 0) ?? equalValueBytes,
    );
  }

  request(key: number): boolean {
    this.#id.bytes.writeUInt32LE(key, 0);
    if (this.store.find(this.#id, 3, now)) return true;
    const valueBytes =
      this.#weights === undefined ? equalValueBytes : Math.max(1, weightOf(this.#weights, key) - keyBytes);
    this.store.insert(this.#id, this.#source, 0, valueBytes, facts);
    return false;
  }
}

/** A store for a workload. Units: `capacity` in entries, or with weights in bytes, of which everything counts then. */
export function storePolicy(eviction: Eviction, workload: Workload, capacity: number): StorePolicy {
  const options =
    workload.weights === undefined
      ? optionsForEntries(eviction, capacity, {
          keyBytes: equalKeyBytes,
          replyBytes: equalValueBytes,
          seed: 1,
        })
      : storeOptions(capacity);
  return new StorePolicy(createStore(eviction, options), workload);
}
