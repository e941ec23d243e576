import { describe, expect, it } from 'vitest';

import { createStore, type Eviction, optionsForEntries } from '../../../src/cache/create-store.ts';
import { readThrough } from '../../support/store-entry.ts';

const EVICTIONS: Eviction[] = ['s3fifo', 'tinylfu', 'fifo', 'clock', 'lru'];

function storeFor(eviction: Eviction, entries: number, replyBytes = 976): ReturnType<typeof createStore> {
  return createStore(eviction, optionsForEntries(eviction, entries, { keyBytes: 8, replyBytes, seed: 1 }));
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, i) => from + i);
}

describe('createStore', () => {
  it.each(EVICTIONS)('allocates no more than it is allowed for %s, and says how much', (eviction) => {
    const store = createStore(eviction, {
      maxBytes: 1 << 20,
      expectedEntryBytes: 128,
      maxItemBytes: 1 << 20,
      maxKeyBytes: 1000,
      seed: 1,
    });
    expect(store.stats.limitBytes).toBeLessThanOrEqual(1 << 20);
    expect(store.stats.limitBytes).toBeGreaterThan(0.98 * (1 << 20));
  });
});

describe('optionsForEntries', () => {
  it.each(EVICTIONS.flatMap((eviction) => [128, 763, 1000, 7635].map((count) => ({ eviction, count }))))(
    'makes a $eviction store of $count entries and no more',
    ({ eviction, count }) => {
      const store = storeFor(eviction, count);
      let most = 0;
      for (let key = 0; key < count * 3; key++) {
        readThrough(store, [key], 976);
        most = Math.max(most, store.stats.entries);
      }
      expect(most).toBeLessThanOrEqual(count);
      expect(most).toBeGreaterThan(count * 0.99);
    },
  );
});

describe('what is evicted', () => {
  it('is the least recently used entry under lru', () => {
    const store = storeFor('lru', 128);
    readThrough(store, range(0, 128), 976);
    expect(readThrough(store, [0, 1], 976)).toBe(2);
    readThrough(store, range(128, 254), 976);
    expect([readThrough(store, [0, 1], 976), readThrough(store, [2], 976)]).toEqual([2, 0]);
  });

  it('is the oldest entry under fifo, hit or not', () => {
    const store = storeFor('fifo', 128);
    readThrough(store, range(0, 128), 976);
    readThrough(store, [0, 1], 976);
    readThrough(store, range(128, 130), 976);
    expect([readThrough(store, [127], 976), readThrough(store, [0], 976)]).toEqual([1, 0]);
  });

  it('is the oldest entry that was not hit under clock', () => {
    const store = storeFor('clock', 128);
    readThrough(store, range(0, 128), 976);
    readThrough(store, [0, 1], 976);
    readThrough(store, range(128, 190), 976);
    expect([readThrough(store, [0, 1], 976), readThrough(store, [2], 976)]).toEqual([2, 0]);
  });

  it.each(['s3fifo', 'tinylfu'] as const)('is what was asked for once, under %s', (eviction) => {
    const store = storeFor(eviction, 512);
    const often = range(0, 100);
    for (let i = 0; i < 3; i++) readThrough(store, often, 976);
    readThrough(store, range(1000, 5000), 976);
    expect(readThrough(store, often, 976)).toBeGreaterThan(85);
  });

  it.each(['s3fifo', 'tinylfu'] as const)(
    'comes back into the main queue of %s when it is missed soon',
    (eviction) => {
      const store = storeFor(eviction, 512);
      // Every tenth request is of a set that is too spread out to be hit on trial.
      let scanned = 1000;
      const hits = range(0, 20).map(() => {
        let round = 0;
        for (const key of range(0, 60)) {
          round += readThrough(store, [key], 976);
          readThrough(store, range(scanned, scanned + 9), 976);
          scanned += 9;
        }
        return round;
      });
      expect(hits[0]).toBe(0);
      expect(hits.at(-1)).toBeGreaterThan(50);
    },
  );

  it.each(['s3fifo', 'clock'] as const)('follows when other keys become popular, under %s', (eviction) => {
    const store = storeFor(eviction, 512);
    for (let i = 0; i < 20; i++) readThrough(store, range(0, 400), 976);
    for (let i = 0; i < 20; i++) readThrough(store, range(1000, 1400), 976);
    expect(readThrough(store, range(1000, 1400), 976)).toBeGreaterThan(360);
  });
});
