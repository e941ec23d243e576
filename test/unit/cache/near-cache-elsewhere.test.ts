// What is told from beside the links: changes that Redis may show only later, and sources that have to deliver.
import { beforeEach, describe, expect, test } from 'vitest';

import type { Flight } from '../../../src/cache/flight.ts';
import type { Generation } from '../../../src/cache/generation.ts';
import { HoldOff } from '../../../src/cache/hold-off.ts';
import { KeyPattern } from '../../../src/cache/key-pattern.ts';
import type { NearCache } from '../../../src/cache/near-cache.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import {
  cachedReply,
  landFlight,
  nearCacheOf,
  startFlight,
  trackingGeneration,
} from '../../support/near-caches.ts';
import { idOf } from '../../support/store-entry.ts';

const H = 100;

let clock: ManualClock;
let cache: NearCache;
let generation: Generation;

beforeEach(() => {
  clock = new ManualClock();
  cache = nearCacheOf();
  cache.holdOff = new HoldOff(H, clock);
  generation = trackingGeneration();
});

function start(key: string): Flight {
  return startFlight(cache, idOf(key), { generation, now: clock.now() });
}

function put(...keys: string[]): void {
  for (const key of keys) landFlight(cache, start(key));
}

function kept(...keys: string[]): boolean[] {
  return keys.map((key) => cachedReply(cache, idOf(key), clock.now()) !== undefined);
}

describe('a change that Redis may show only later', () => {
  test('drops the key, ends its flights, and lets nothing of it be kept until the hold-off is over', () => {
    put('k', 'other');
    const before = start('k');
    cache.changedElsewhere(['k']);
    expect(kept('k', 'other')).toEqual([false, true]);
    landFlight(cache, before);
    put('k');
    const late = start('k');
    clock.advance(2 * H);
    landFlight(cache, late);
    expect(kept('k')).toEqual([false]);
    put('k');
    expect(kept('k')).toEqual([true]);
  });

  test('is not joined by later reads of the key', () => {
    cache.changedElsewhere(['k']);
    const flight = start('k');
    flight.read = { id: flight.id, sentAt: clock.now(), isOpen: true, isJoined: false };
    expect(cache.findRead('k', idOf('k'), clock.now())).toBeUndefined();
    expect([cache.isHeldOff('k'), cache.isHeldOff('other')]).toEqual([true, false]);
  });

  test('may be told by what keys begin with', () => {
    put('user:1', 'user:2', 'other');
    const flights = [start('user:3'), start('else')];
    cache.changedElsewhere(['k'], [KeyPattern.beginsWith('user:')]);
    for (const flight of flights) landFlight(cache, flight);
    put('user:4', 'k');
    expect(kept('user:1', 'user:2', 'user:3', 'user:4', 'k')).toEqual(Array(5).fill(false));
    expect(kept('other', 'else')).toEqual([true, true]);
  });

  test('may be of every key', () => {
    put('k');
    const flight = start('l');
    cache.changedElsewhere('all');
    landFlight(cache, flight);
    put('m');
    expect(kept('k', 'l', 'm')).toEqual([false, false, false]);
    clock.advance(H);
    put('m');
    expect(kept('m')).toEqual([true]);
  });

  test('is told to whoever watches keys', () => {
    const seen: string[] = [];
    cache.watcher = {
      revoked: (key) => seen.push(`revoked ${key ?? 'all'}`),
      invalidated: (key) => seen.push(`invalidated ${key ?? 'all'}`),
    };
    cache.changedElsewhere(['k']);
    cache.changedElsewhere([], [KeyPattern.beginsWith('none')]);
    expect(seen).toEqual(['revoked k', 'invalidated k', 'revoked all', 'invalidated all']);
  });

  test('without a hold-off only drops', () => {
    cache.holdOff = undefined;
    put('k');
    cache.changedElsewhere(['k']);
    expect(kept('k')).toEqual([false]);
    put('k');
    expect(kept('k')).toEqual([true]);
  });
});

test('entries are served while their link and what tells of changes beside it both deliver', () => {
  generation.freshAt = clock.now();
  expect(cache.covers(generation, clock.now())).toBe(true);
  let answer = false;
  const asked: number[][] = [];
  cache.besides = {
    covers: (now, maxStalenessMs): boolean => {
      asked.push([now, maxStalenessMs]);
      return answer;
    },
  };
  expect(cache.covers(generation, clock.now())).toBe(false);
  expect(asked).toEqual([[clock.now(), cache.options.maxStalenessMs]]);
  answer = true;
  expect(cache.covers(generation, clock.now())).toBe(true);
  clock.advance(cache.options.maxStalenessMs + 1);
  expect(cache.covers(generation, clock.now())).toBe(false);
});
