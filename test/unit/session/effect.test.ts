import { beforeEach, describe, expect, test } from 'vitest';

import type { Generation } from '../../../src/cache/generation.ts';
import type { NearCache } from '../../../src/cache/near-cache.ts';
import { WriteEffect } from '../../../src/session/effect.ts';
import {
  cachedReply,
  landFlight,
  nearCacheOf,
  startFlight,
  trackingGeneration,
} from '../../support/near-caches.ts';
import { idOf } from '../../support/store-entry.ts';

let cache: NearCache;
let first: Generation;
let second: Generation;

beforeEach(() => {
  cache = nearCacheOf();
  first = trackingGeneration();
  second = trackingGeneration();
});

describe('a write that goes on to another link', () => {
  test('closes its keys for reads of the first one, which do not run behind it any more', () => {
    const effect = new WriteEffect(cache, ['k'], first.fence);
    expect(cache.isClosed('k', first.fence)).toBe(false);
    effect.redirected();
    expect(cache.isClosed('k', first.fence)).toBe(true);
    expect(cache.isClosed('k', second.fence)).toBe(true);
    effect.replied();
    expect(cache.isClosed('k', first.fence)).toBe(false);
    expect(cache.isClosed('k')).toBe(false);
  });

  test('ends a read that was sent behind it on the first link', () => {
    const effect = new WriteEffect(cache, ['k'], first.fence);
    const flight = startFlight(cache, idOf('k'), { generation: first });
    effect.redirected();
    effect.replied();
    landFlight(cache, flight);
    expect(cachedReply(cache, idOf('k'))).toBeUndefined();
  });
});
