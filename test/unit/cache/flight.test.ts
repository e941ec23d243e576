import { expect, test } from 'vitest';

import { Flight } from '../../../src/cache/flight.ts';
import { nearCacheOf, trackingGeneration } from '../../support/near-caches.ts';
import { idOf } from '../../support/store-entry.ts';

test('a flight may fill until something ends it, but with no TTL that nobody has read', () => {
  const id = idOf('k');
  const policy = nearCacheOf().policies.of(id.bytes, id.keyStart, id.keyEnd);
  const flight = new Flight(id, 'k', {
    generation: trackingGeneration(),
    sentAt: 1000,
    policy,
    maxTtlMs: 500,
  });
  expect(flight.isLive).toBe(true);
  expect(flight.pttl).toBeNaN();
  expect([flight.sentAt, flight.maxTtlMs, flight.read]).toEqual([1000, 500, undefined]);
});
