import { expect, test } from 'vitest';

import { isClearlyLess, RoundTrip } from '../../../src/shard/round-trip.ts';
import { ShardStats } from '../../../src/shard/shard-stats.ts';

function heard(stats: ShardStats, seconds: number, count = 1): void {
  stats.heartbeats += count;
  stats.heartbeatSeconds += seconds * count;
}

test('is infinite until a heartbeat was answered, then what that one took', () => {
  const stats = new ShardStats();
  const trip = new RoundTrip(stats);
  trip.update();
  expect(trip.seconds).toBe(Number.POSITIVE_INFINITY);
  heard(stats, 0.008);
  trip.update();
  expect(trip.seconds).toBe(0.008);
});

test('moves to new heartbeats step by step, and stays while there are none', () => {
  const stats = new ShardStats();
  const trip = new RoundTrip(stats);
  heard(stats, 0.008);
  trip.update();
  heard(stats, 0.004, 3);
  trip.update();
  expect(trip.seconds).toBeCloseTo(0.007, 9);
  trip.update();
  expect(trip.seconds).toBeCloseTo(0.007, 9);
  for (let i = 0; i < 40; i++) {
    heard(stats, 0.004);
    trip.update();
  }
  expect(trip.seconds).toBeCloseTo(0.004, 6);
});

test.each([
  [0.007, 0.01, true],
  [0.0081, 0.01, false],
  [0.01, 0.01, false],
  [0.0001, 0.00025, false],
  [0.0001, 0.00035, true],
  [0.02, Number.POSITIVE_INFINITY, true],
  [Number.POSITIVE_INFINITY, 0.02, false],
  [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, false],
])('a server at %f s is worth leaving one at %f s for: %s', (seconds, than, expected) => {
  expect(isClearlyLess(seconds, than)).toBe(expected);
});
