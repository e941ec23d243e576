import type { EntryId } from '../../src/cache/store.ts';
import { MB } from '../../src/config/units.ts';
import { reusedId, StoreCache, storeOptions } from '../workload/byte-cache.ts';

export const keyBytes = 24;
export const valueBytes = 300;

/** Keys one after another in one buffer, as in a request. Shape: each is the number it stands for, in 24 digits. */
export class KeyBlock {
  readonly id: EntryId;
  readonly #count: number;
  #next: number;

  constructor(count: number, first: number) {
    this.id = reusedId(Buffer.allocUnsafeSlow(count * keyBytes));
    this.#count = count;
    this.#next = first;
    this.renew();
  }

  /** Other keys than ever before, in the place of these. */
  renew(): void {
    for (let i = 0; i < this.#count; i++) {
      this.id.bytes.write(String(this.#next++).padStart(keyBytes, '0'), i * keyBytes, 'latin1');
    }
  }

  /** Makes `id` the key at that place. */
  name(place: number): EntryId {
    const { id } = this;
    id.keyStart = place * keyBytes;
    id.keyEnd = id.argsStart = id.argsEnd = id.keyStart + keyBytes;
    return id;
  }
}

/** The default eviction with a limit that so many entries fill, and hardly more. */
export function storeOf(entries: number): StoreCache {
  const limit = 8 * MB;
  const sample = new StoreCache('s3fifo', storeOptions(limit));
  const keys = new KeyBlock(Math.ceil(limit / valueBytes), 0);
  const value = Buffer.alloc(valueBytes);
  let held = 0;
  for (let i = 0; sample.evicted === 0; i++) {
    held = sample.entries;
    sample.insert(keys.name(i), value, 0, valueBytes);
  }
  return new StoreCache('s3fifo', storeOptions(Math.ceil((limit / held) * entries * 1.01)));
}
