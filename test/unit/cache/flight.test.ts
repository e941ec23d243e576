import { expect, test } from 'vitest';

import { Flight } from '../../../src/cache/flight.ts';
import { Generation } from '../../../src/cache/generation.ts';

test('a flight may fill until something ends it, but with no TTL that nobody has read', () => {
  const id = { key: 'k', commandId: 1, db: 0, identity: 0, rest: '' };
  const flight = new Flight(id, new Generation(), 1000, 500);
  expect(flight.isLive).toBe(true);
  expect(flight.pttl).toBeNaN();
  expect([flight.sentAt, flight.maxTtlMs]).toEqual([1000, 500]);
});
