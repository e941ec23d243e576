import { expect, test } from 'vitest';

import { CacheStats } from '../../../src/cache/cache-stats.ts';
import type { Entry, EntryId } from '../../../src/cache/entry.ts';
import { Generation } from '../../../src/cache/generation.ts';
import { NearCache } from '../../../src/cache/near-cache.ts';

const generation = new Generation();
generation.isTracking = true;

function cacheOf(maxBytes: number): { cache: NearCache; stats: CacheStats } {
  const stats = new CacheStats();
  const times = { maxStalenessMs: 1000, maxTtlMs: 1000, negativeTtlMs: 1000 };
  return { cache: new NearCache({ ...times, maxBytes, maxItemBytes: 100_000 }, stats), stats };
}

function idOf(key: string, rest = ''): EntryId {
  return { key, commandId: 1, db: 0, identity: 0, rest };
}

function put(cache: NearCache, id: EntryId, bytes: number): Entry | undefined {
  const flight = cache.startFlight(id, generation, 0, 1000);
  flight.pttl = -1;
  cache.land(flight, Buffer.alloc(bytes, 'x'), false, false);
  return cache.find(id, generation, 0);
}

test('the key that was used least recently goes when room is needed', () => {
  const { cache, stats } = cacheOf(10_000);
  const first = put(cache, idOf('first'), 3000) as Entry;
  const second = put(cache, idOf('second'), 3000) as Entry;
  cache.find(idOf('first'), generation, 0);
  put(cache, idOf('third'), 3000);
  expect([first.isLive, second.isLive]).toEqual([true, false]);
  expect(cache.find(idOf('second'), generation, 0)).toBeUndefined();
  expect([stats.entries, stats.evicted]).toEqual([2, 1]);
});

test('the bytes that are counted are those of the entries', () => {
  const { cache, stats } = cacheOf(100_000);
  put(cache, idOf('a'), 100);
  const one = stats.bytes;
  put(cache, idOf('b'), 100);
  expect(stats.bytes).toBe(2 * one);
  cache.revoke('a');
  expect(stats.bytes).toBe(one);
  put(cache, idOf('b'), 50);
  expect(stats.bytes).toBe(one - 50);
});

test('a RESP2 form that differs is counted, and one that is the same is not held twice', () => {
  const { cache, stats } = cacheOf(100_000);
  const entry = put(cache, idOf('k'), 100) as Entry;
  const alone = stats.bytes;
  cache.keepResp2(entry, Buffer.from(entry.reply));
  expect(entry.resp2).toBe(entry.reply);
  expect(stats.bytes).toBe(alone);
  cache.keepResp2(entry, Buffer.alloc(40));
  expect(stats.bytes).toBe(alone + 40);
});

test('a RESP2 form made for an entry that was revoked meanwhile brings nothing back', () => {
  const { cache, stats } = cacheOf(100_000);
  const entry = put(cache, idOf('k'), 100) as Entry;
  cache.revoke('k');
  cache.keepResp2(entry, Buffer.alloc(40));
  expect(cache.find(idOf('k'), generation, 0)).toBeUndefined();
  expect([stats.entries, stats.bytes]).toEqual([0, 0]);
});

test('one key keeps so many variants, the newest', () => {
  const { cache, stats } = cacheOf(1_000_000);
  const entries = Array.from({ length: 70 }, (_, i) => put(cache, idOf('k', String(i)), 10) as Entry);
  expect(entries.map(({ isLive }) => isLive)).toEqual([...Array(6).fill(false), ...Array(64).fill(true)]);
  expect(stats.entries).toBe(64);
});

test('variants of one key that outgrow the whole cache are all gone, also for a hit that waits', () => {
  const { cache, stats } = cacheOf(10_000);
  const first = put(cache, idOf('k', 'a'), 6000) as Entry;
  expect(put(cache, idOf('k', 'b'), 6000)).toBeUndefined();
  expect(cache.mayServe(first, 0)).toBe(false);
  expect([stats.entries, stats.bytes]).toEqual([0, 0]);
});

test('a reply larger than the whole cache is not kept', () => {
  const { cache, stats } = cacheOf(10_000);
  expect(put(cache, idOf('k'), 20_000)).toBeUndefined();
  expect([stats.entries, stats.bytes]).toEqual([0, 0]);
});
