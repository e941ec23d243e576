import { describe, expect, it } from 'vitest';

import { createStore, optionsForEntries } from '../../../src/cache/create-store.ts';
import { LruStore } from '../../../src/cache/lru-store.ts';
import { get, idOf, put, readThrough, removeKey } from '../../support/store-entry.ts';

function storeOf(maxBytes = 1 << 20): LruStore {
  return new LruStore({
    maxBytes,
    expectedEntryBytes: 128,
    maxItemBytes: 1 << 20,
    maxKeyBytes: 1000,
    seed: 1,
  });
}

describe('LruStore', () => {
  it('hits exactly as often as an exact LRU of so many entries', () => {
    const store = createStore('lru', optionsForEntries('lru', 128, { keyBytes: 8, replyBytes: 20, seed: 1 }));
    const order: number[] = [];
    let expected = 0;
    let hits = 0;
    for (let i = 0; i < 20_000; i++) {
      const key = Math.floor(((i * 7919) % 1009) ** 2 / 3000);
      const at = order.indexOf(key);
      if (at !== -1) {
        expected++;
        order.splice(at, 1);
      } else if (order.length === 128) order.shift();
      order.push(key);
      hits += readThrough(store, [key], 20);
    }
    expect(hits).toBe(expected);
    expect(hits).toBeGreaterThan(1000);
  });

  it('counts an estimate of the memory that its objects take', () => {
    const store = storeOf();
    put(store, idOf('key', { args: 'ar' }), 'x'.repeat(100));
    expect(store.stats.liveBytes).toBe(500 + 105);
    removeKey(store, 'key');
    expect(store.stats.liveBytes).toBe(0);
  });

  it('keeps 64 variants of a key; a further one takes the place of the first to end', () => {
    const store = storeOf();
    for (let i = 0; i < 65; i++)
      put(store, idOf('k', { args: `${i}` }), 'v', { deadline: i === 7 ? 500 : 1000 });
    expect(get(store, idOf('k', { args: '7' }))).toBeUndefined();
    expect(store.stats.entries).toBe(64);
    expect(removeKey(store, 'k')).toBe(64);
  });

  it('says once that an entry is due for a refresh', () => {
    const store = storeOf();
    put(store, idOf('k'), 'v', { refreshAt: 600 });
    get(store, idOf('k'));
    store.refreshing();
    get(store, idOf('k'));
    expect(store.found.refreshAt).toBe(Infinity);
  });

  it('drops a key whose variants have outgrown the whole cache', () => {
    const store = storeOf(32_000);
    for (let i = 0; i < 64; i++) put(store, idOf('k', { args: `${i}` }), 'x'.repeat(200));
    expect(store.stats.entries).toBeLessThan(64);
    expect(store.stats.liveBytes).toBeLessThanOrEqual(32_000);
    expect(store.stats.evicted).toBeGreaterThan(0);
  });

  it('keeps no reply that is over a 64th of the cache, and drops what that was to replace', () => {
    const store = storeOf(64_000);
    put(store, idOf('k'), 'old');
    expect(put(store, idOf('k'), 'x'.repeat(1001))).toBe(false);
    expect(get(store, idOf('k'))).toBeUndefined();
  });
});
