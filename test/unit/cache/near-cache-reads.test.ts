import { beforeEach, describe, expect, test } from 'vitest';

import type { Flight } from '../../../src/cache/flight.ts';
import type { Generation } from '../../../src/cache/generation.ts';
import type { NearCache } from '../../../src/cache/near-cache.ts';
import type { EntryId } from '../../../src/cache/store.ts';
import {
  cachedReply,
  landFlight,
  nearCacheOf,
  PLAIN_RULES,
  startFlight,
  trackingGeneration,
} from '../../support/near-caches.ts';
import { idOf } from '../../support/store-entry.ts';

/** NearCache: what reads on their way and hits are told. */

const { maxTtlMs: MAX_TTL_MS } = PLAIN_RULES;

let cache: NearCache;
let generation: Generation;

beforeEach(() => {
  cache = nearCacheOf();
  generation = trackingGeneration();
});

function start(id: EntryId, pttl = -1, now = 0): Flight {
  return startFlight(cache, id, { generation, pttl, now });
}

function land(flight: Flight): void {
  landFlight(cache, flight);
}

function read(id: EntryId, now: number): string | undefined {
  return cachedReply(cache, id, now);
}

describe('a read that others may join', () => {
  function share(flight: Flight, isJoined = false): void {
    flight.read = { id: flight.id, sentAt: flight.sentAt, isOpen: true, isJoined };
  }

  test('is found by who asks the same, until it has landed', () => {
    const flight = start(idOf('k', { args: 'x' }));
    share(flight);
    expect(cache.findRead('k', idOf('k', { args: 'x' }), 0)).toBe(flight.read);
    expect(cache.findRead('k', idOf('k', { args: 'y' }), 0)).toBeUndefined();
    land(flight);
    expect(cache.findRead('k', idOf('k', { args: 'x' }), 0)).toBeUndefined();
  });

  test('tells that its key is in use once somebody has joined, also when it has landed, until a write', () => {
    const alone = start(idOf('k'));
    share(alone);
    land(alone);
    expect(cache.commandInUse('k', idOf('k'))).toBe(-1);
    const joined = start(idOf('k'));
    share(joined, true);
    expect(cache.commandInUse('k', idOf('k'))).toBe(joined.id.commandId);
    land(joined);
    expect(cache.commandInUse('k', idOf('k'))).toBe(joined.id.commandId);
    cache.close('k');
    expect(cache.commandInUse('k', idOf('k'))).toBe(-1);
  });

  test('is found by nobody once it was given up', () => {
    const flight = start(idOf('k'));
    share(flight);
    cache.abandon(flight);
    expect(cache.findRead('k', idOf('k'), 0)).toBeUndefined();
  });

  test.each([
    ['an invalidation', (): void => cache.revoke('k')],
    ['a write', (): void => cache.close('k')],
    ['a flush', (): void => cache.flush()],
    ['a command that may change everything', (): void => cache.closeAll()],
  ])('is found by nobody after %s', (_, happens) => {
    share(start(idOf('k')));
    happens();
    expect(cache.findRead('k', idOf('k'), 0)).toBeUndefined();
  });

  test('is found for as long as its answer may be old, and no longer', () => {
    share(start(idOf('k'), -1, 500));
    expect(cache.findRead('k', idOf('k'), 1500)).toBeDefined();
    expect(cache.findRead('k', idOf('k'), 1501)).toBeUndefined();
  });
});

describe('a hit', () => {
  test('is counted by family, by policy and by age', () => {
    land(start(idOf('k'), -1, 100));
    for (const now of [100, 101, 108]) {
      expect(read(idOf('k'), now)).toBeDefined();
      cache.noteHit(3, now);
    }
    const { byFamily, byPolicy, ages, ageSumMs, total } = cache.stats;
    expect([byFamily[3]?.hits, byPolicy[0]?.hits, total.hits, ageSumMs]).toEqual([3, 3, 3, 9]);
    // Less than 1, less than 2, less than 16 ms.
    expect([ages[0], ages[1], ages[4]]).toEqual([1, 1, 1]);
  });

  test('of great age falls into the last bucket', () => {
    cache = nearCacheOf({ rules: { maxTtlMs: 24 * 3_600_000 } });
    land(start(idOf('k')));
    read(idOf('k'), 5_000_000);
    cache.noteHit(0, 5_000_000);
    expect(cache.stats.ages.at(-1)).toBe(1);
  });

  test('is to be read again from its soft end on, once', () => {
    cache = nearCacheOf({ rules: { softTtlPercent: 50 } });
    land(start(idOf('k')));
    const half = MAX_TTL_MS / 2;
    const isDueAt = (now: number): boolean => read(idOf('k'), now) !== undefined && cache.isDue(now);
    expect([isDueAt(half - 1), isDueAt(half)]).toEqual([false, true]);
    cache.store.refreshing();
    expect(isDueAt(half + 1)).toBe(false);
    expect(read(idOf('k'), half + 1)).toBeDefined();
  });
});
