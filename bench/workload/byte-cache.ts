/** Caches under one roof, as a data path would use them: keys are bytes of a request, values bytes of a reply. */
import { LRUCache } from 'lru-cache';

import { createStore } from '../../src/cache/create-store.ts';
import { type EntryFacts, type EntryId, SAME, type Store, type StoreOptions } from '../../src/cache/store.ts';
import type { Eviction } from '../../src/config/config.ts';
import { KB, MB } from '../../src/config/units.ts';

export interface ByteCache {
  readonly entries: number;
  /** Entries dropped to make room. */
  readonly evicted: number;
  find(id: EntryId): boolean;
  /** Copies the value found last to the target, from `at` on. */
  copyFound(target: Buffer, at: number): void;
  /** Keeps source[start, end). */
  insert(id: EntryId, source: Buffer, start: number, end: number): void;
  remove(id: EntryId): void;
}

/** As the command line has them, but for the size. */
export function storeOptions(maxBytes: number): StoreOptions {
  return { maxBytes, expectedEntryBytes: 128, maxItemBytes: MB, maxKeyBytes: 4 * KB, seed: 1 };
}

/** An id that is filled anew for each request. Shape: the key begins at the buffer's start. */
export function reusedId(bytes: Buffer): EntryId {
  return { bytes, keyStart: 0, keyEnd: 0, argsStart: 0, argsEnd: 0, commandId: 1, db: 0, fence: 1 };
}

/** Nothing expires here; time stands still. */
export const now = 0;
export const facts: EntryFacts = {
  form: SAME,
  filledAt: now,
  deadline: now + 1e9,
  refreshAt: Infinity,
  loadMs: 0,
  policy: 0,
};

/** The near-cache's own. */
export class StoreCache implements ByteCache {
  readonly #store: Store;

  constructor(eviction: Eviction, options: StoreOptions) {
    this.#store = createStore(eviction, options);
  }

  get entries(): number {
    return this.#store.stats.entries;
  }

  get evicted(): number {
    return this.#store.stats.evicted;
  }

  find(id: EntryId): boolean {
    return this.#store.find(id, 3, now);
  }

  copyFound(target: Buffer, at: number): void {
    const { found } = this.#store;
    found.bytes.copy(target, at, found.start, found.end);
  }

  insert(id: EntryId, source: Buffer, start: number, end: number): void {
    this.#store.insert(id, source, start, end, facts);
  }

  remove(id: EntryId): void {
    this.#store.remove(id.bytes, id.keyStart, id.keyEnd);
  }
}

const emptyBuffer = Buffer.alloc(0);

/** lru-cache with Buffers: the key becomes a string, since Buffers are compared by identity. latin1 keeps all bytes apart.
 *  Shape: bounded by `maxBytes` of keys and values, or by `maxEntries`. */
export class LruCacheOfBuffers implements ByteCache {
  readonly #map: LRUCache<string, Buffer>;
  /** Does `insert` keep the source itself, which must be an entry's value and no more? */
  readonly #keepsSource: boolean;
  #found: Buffer = emptyBuffer;
  evicted = 0;

  constructor(bound: { readonly maxBytes: number } | { readonly maxEntries: number }, keepsSource: boolean) {
    this.#keepsSource = keepsSource;
    this.#map = new LRUCache<string, Buffer>(
      'maxBytes' in bound
        ? { maxSize: bound.maxBytes, sizeCalculation: (value, key) => value.length + key.length }
        : { max: bound.maxEntries },
    );
  }

  get entries(): number {
    return this.#map.size;
  }

  find(id: EntryId): boolean {
    const value = this.#map.get(id.bytes.latin1Slice(id.keyStart, id.keyEnd));
    if (value === undefined) return false;
    this.#found = value;
    return true;
  }

  copyFound(target: Buffer, at: number): void {
    this.#found.copy(target, at);
  }

  insert(id: EntryId, source: Buffer, start: number, end: number): void {
    const key = id.bytes.latin1Slice(id.keyStart, id.keyEnd);
    this.#map.set(key, this.#keepsSource ? source : ownCopy(source, start, end));
  }

  remove(id: EntryId): void {
    this.#map.delete(id.bytes.latin1Slice(id.keyStart, id.keyEnd));
  }
}

/** The load without a cache. */
export class NoCache implements ByteCache {
  readonly entries = 0;
  readonly evicted = 0;

  find(): boolean {
    return false;
  }

  copyFound(): void {}

  insert(): void {}

  remove(): void {}
}

/** A value of its own memory: a slice of a socket's chunk would keep all of that alive. */
export function ownCopy(source: Buffer, start: number, end: number): Buffer {
  const copy = Buffer.allocUnsafeSlow(end - start);
  source.copy(copy, 0, start, end);
  return copy;
}
