import { beforeEach, describe, expect, test } from 'vitest';

import { CacheStats } from '../../../src/cache/cache-stats.ts';
import type { Entry, EntryId } from '../../../src/cache/entry.ts';
import type { Flight } from '../../../src/cache/flight.ts';
import { Generation } from '../../../src/cache/generation.ts';
import { NearCache } from '../../../src/cache/near-cache.ts';

const MAX_TTL_MS = 60_000;
const NEGATIVE_TTL_MS = 1000;
const MAX_ITEM_BYTES = 10_000;

let cache: NearCache;
let stats: CacheStats;
let generation: Generation;

beforeEach(() => {
  cache = cacheOf(10_000_000);
  generation = trackingGeneration();
});

function cacheOf(maxBytes: number): NearCache {
  stats = new CacheStats();
  const limits = { maxBytes, maxItemBytes: MAX_ITEM_BYTES, maxStalenessMs: 1000 };
  return new NearCache({ ...limits, maxTtlMs: MAX_TTL_MS, negativeTtlMs: NEGATIVE_TTL_MS }, stats);
}

function trackingGeneration(): Generation {
  const made = new Generation();
  made.isTracking = true;
  return made;
}

function idOf(key: string, change: Partial<EntryId> = {}): EntryId {
  return { key, commandId: 1, db: 0, identity: 0, rest: '', ...change };
}

function start(id: EntryId, pttl = -1, now = 0): Flight {
  const flight = cache.startFlight(id, generation, now, MAX_TTL_MS);
  flight.pttl = pttl;
  return flight;
}

function land(flight: Flight, reply = '$1\r\nv\r\n'): void {
  cache.land(flight, Buffer.from(reply), false, false);
}

function put(id: EntryId, reply?: string): Entry {
  land(start(id), reply);
  return cache.find(id, generation, 0) as Entry;
}

function read(id: EntryId, now = 0): string | undefined {
  return cache.find(id, generation, now)?.reply.toString();
}

test('a reply that landed is found by whoever asks the same', () => {
  put(idOf('k'), '$1\r\na\r\n');
  expect(read(idOf('k'))).toBe('$1\r\na\r\n');
});

test('the same key of another command, database, user or arguments is another entry', () => {
  const variants = [{}, { commandId: 2 }, { db: 1 }, { identity: 1 }, { rest: 'x' }].map((change) =>
    idOf('k', change),
  );
  for (const [i, id] of variants.entries()) {
    expect(read(id)).toBeUndefined();
    put(id, `:${i}\r\n`);
  }
  expect(variants.map((id) => read(id))).toEqual(variants.map((_, i) => `:${i}\r\n`));
  expect(stats.entries).toBe(variants.length);
});

test('a newer reply takes the place of the older one', () => {
  const old = put(idOf('k'), ':1\r\n');
  put(idOf('k'), ':2\r\n');
  expect(read(idOf('k'))).toBe(':2\r\n');
  expect(old.isLive).toBe(false);
  expect(stats.entries).toBe(1);
});

test('the reply is copied out of the buffer it came in', () => {
  const chunk = Buffer.from('$1\r\nv\r\n');
  cache.land(start(idOf('k')), chunk, false, false);
  chunk.fill('!');
  expect(read(idOf('k'))).toBe('$1\r\nv\r\n');
});

describe('how long an entry lives', () => {
  test.each([
    ['no expiry: the longest time allowed', -1, false, MAX_TTL_MS],
    ['an expiry: until then', 5000, false, 5000],
    ['an expiry beyond the longest time: the longest time', MAX_TTL_MS + 1, false, MAX_TTL_MS],
    ['about to expire: kept when there are 10 ms left', 10, false, 10],
    ['about to expire: not kept with 9', 9, false, undefined],
    ['PTTL 0 is a living key about to expire', 0, false, undefined],
    ['no key: a short time', -2, false, NEGATIVE_TTL_MS],
    ['nil of no key: a short time', -2, true, NEGATIVE_TTL_MS],
    ['nil inside a key without expiry: a short time', -1, true, NEGATIVE_TTL_MS],
    ['nil inside a key with an expiry: a short time', 5000, true, NEGATIVE_TTL_MS],
    ['nil inside a key about to expire: not kept', 9, true, undefined],
    ['a TTL that nobody could read: not kept', Number.NaN, false, undefined],
  ])('%s', (_, pttl, isNil, ttlMs) => {
    const sentAt = 1000;
    cache.land(start(idOf('k'), pttl, sentAt), Buffer.from('_\r\n'), false, isNil);
    if (ttlMs === undefined) {
      expect(read(idOf('k'), sentAt)).toBeUndefined();
      expect(stats.refused.ttl).toBe(1);
    } else {
      // One ms early, because PTTL rounds up.
      expect(read(idOf('k'), sentAt + ttlMs - 1.5)).toBe('_\r\n');
      expect(read(idOf('k'), sentAt + ttlMs - 1)).toBeUndefined();
      expect(stats.expired).toBe(1);
    }
  });

  test('it counts from the time of sending, not of landing', () => {
    land(start(idOf('k'), 100, 0));
    expect(read(idOf('k'), 98)).toBeDefined();
    expect(read(idOf('k'), 99)).toBeUndefined();
  });

  test('a flight may bring a limit of its own', () => {
    const flight = cache.startFlight(idOf('k'), generation, 0, 50);
    flight.pttl = -1;
    land(flight);
    expect(read(idOf('k'), 49)).toBeUndefined();
  });

  test('one variant expires without the others', () => {
    land(start(idOf('k'), 100));
    put(idOf('k', { commandId: 2 }));
    expect(read(idOf('k'), 500)).toBeUndefined();
    expect(read(idOf('k', { commandId: 2 }), 500)).toBeDefined();
    expect(stats.entries).toBe(1);
  });
});

describe('what is not kept', () => {
  test('an error', () => {
    cache.land(start(idOf('k')), Buffer.from('-WRONGTYPE …\r\n'), true, false);
    expect(read(idOf('k'))).toBeUndefined();
    expect(stats.refused.error).toBe(1);
  });

  test('a reply over the limit of an item', () => {
    land(start(idOf('k')), 'x'.repeat(MAX_ITEM_BYTES + 1));
    expect(read(idOf('k'))).toBeUndefined();
    expect(stats.refused.size).toBe(1);
    land(start(idOf('k')), 'x'.repeat(MAX_ITEM_BYTES));
    expect(read(idOf('k'))).toBeDefined();
  });

  test('the reply of a link that was lost', () => {
    const flight = start(idOf('k'));
    generation.isAlive = false;
    land(flight);
    expect(read(idOf('k'))).toBeUndefined();
    expect(stats.refused.revoked).toBe(1);
  });

  test.each([
    ['an invalidation', () => cache.revoke('k')],
    ['a flush', () => cache.flush()],
    ['a write', () => (cache.close('k'), cache.open('k'))],
    ['a command that may change everything', () => (cache.closeAll(), cache.openAll())],
  ])('a reply whose flight began before %s', (_, happens) => {
    const flights = [start(idOf('k')), start(idOf('k')), start(idOf('k', { db: 1 }))];
    happens();
    for (const flight of flights) land(flight);
    expect(stats.refused.revoked).toBe(3);
    expect(stats.fills).toBe(0);
    put(idOf('k'));
    expect(read(idOf('k'))).toBeDefined();
  });

  test('a reply that comes while a write of its key is on its way', () => {
    cache.close('k');
    cache.close('k');
    cache.open('k');
    land(start(idOf('k')));
    expect(read(idOf('k'))).toBeUndefined();
    expect(stats.refused.closed).toBe(1);
    land(start(idOf('other')));
    expect(read(idOf('other'))).toBeDefined();
  });

  test('a reply whose flight began while a write of its key was on its way', () => {
    cache.close('k');
    const flight = start(idOf('k'));
    cache.open('k');
    land(flight);
    expect(read(idOf('k'))).toBeUndefined();
  });

  test('a reply that nobody waits for any more', () => {
    const flight = start(idOf('k'));
    cache.abandon(flight);
    land(flight);
    expect(read(idOf('k'))).toBeUndefined();
  });
});

describe('what ends entries', () => {
  test('a revoked key loses all its variants, in every database', () => {
    const ids = [idOf('k'), idOf('k', { db: 5 }), idOf('k', { commandId: 2 }), idOf('k', { identity: 3 })];
    const entries = ids.map((id) => put(id));
    put(idOf('other'));
    cache.revoke('k');
    expect(ids.map((id) => read(id))).toEqual(ids.map(() => undefined));
    expect(entries.map(({ isLive }) => isLive)).toEqual(ids.map(() => false));
    expect(read(idOf('other'))).toBeDefined();
    expect(stats.entries).toBe(1);
  });

  test('a write closes its key from its dispatch to its reply, each write once', () => {
    const entry = put(idOf('k'));
    cache.close('k');
    expect([entry.isLive, cache.isClosed('k'), cache.isClosed('other')]).toEqual([false, true, false]);
    cache.close('k');
    cache.open('k');
    expect(cache.isClosed('k')).toBe(true);
    cache.open('k');
    expect(cache.isClosed('k')).toBe(false);
  });

  test('a command that may change everything closes every key until its reply', () => {
    const entry = put(idOf('k'));
    cache.closeAll();
    expect([entry.isLive, cache.isClosed('k'), cache.isClosed('never seen')]).toEqual([false, true, true]);
    cache.openAll();
    expect(cache.isClosed('k')).toBe(false);
  });

  test('a flush leaves nothing, and the counts say so', () => {
    for (let i = 0; i < 10; i++) put(idOf(`k${i}`));
    expect(stats.entries).toBe(10);
    cache.flush();
    expect([stats.entries, stats.bytes, stats.flushes]).toEqual([0, 0, 1]);
  });

  test('entries of a lost link are not found, can still be revoked, and go together', () => {
    const lost = generation;
    const before = Array.from({ length: 10 }, (_, i) => put(idOf(`old${i}`)));
    generation = trackingGeneration();
    for (let i = 0; i < 10; i++) put(idOf(`new${i}`));
    lost.isAlive = false;
    expect(read(idOf('old0'))).toBeUndefined();
    cache.revoke('old0');
    expect((before[0] as Entry).isLive).toBe(false);
    cache.dropDead();
    expect(before.every(({ isLive }) => !isLive)).toBe(true);
    expect(stats.entries).toBe(10);
    for (let i = 0; i < 10; i++) expect(read(idOf(`new${i}`))).toBeDefined();
  });
});

describe('a hit that waits for its turn', () => {
  test('is served while its entry holds', () => {
    expect(cache.mayServe(put(idOf('k')), 0)).toBe(true);
  });

  test.each([
    ['its key was revoked', () => cache.revoke('k'), 0],
    ['a write of its key is on its way', () => cache.close('k'), 0],
    ['everything is closed', () => cache.closeAll(), 0],
    ['its link was lost', () => (generation.isAlive = false), 0],
    ['its link is not fresh', () => undefined, 1001],
    ['a newer reply has come', () => put(idOf('k')), 0],
  ])('is read again when %s', (_, happens, now) => {
    const entry = put(idOf('k'));
    happens();
    expect(cache.mayServe(entry, now)).toBe(false);
  });

  test('is read again when it has expired', () => {
    land(start(idOf('k'), 500));
    const entry = cache.find(idOf('k'), generation, 0) as Entry;
    expect(cache.mayServe(entry, 498)).toBe(true);
    expect(cache.mayServe(entry, 499)).toBe(false);
  });
});
