import { expect, test } from 'vitest';

import { Generation } from '../../../src/cache/generation.ts';

function fresh(): Generation {
  const generation = new Generation();
  generation.isTracking = true;
  generation.freshAt = 1000;
  return generation;
}

test('a generation covers for as long as staleness is allowed, counted from its newest answered heartbeat', () => {
  const generation = fresh();
  expect(generation.covers(1000, 500)).toBe(true);
  expect(generation.covers(1500, 500)).toBe(true);
  expect(generation.covers(1500.1, 500)).toBe(false);
  generation.freshAt = 1400;
  expect(generation.covers(1500.1, 500)).toBe(true);
});

test('a lost link covers nothing', () => {
  const generation = fresh();
  generation.isAlive = false;
  expect(generation.covers(1000, 500)).toBe(false);
});

test('a link without tracking covers nothing', () => {
  const generation = fresh();
  generation.isTracking = false;
  expect(generation.covers(1000, 500)).toBe(false);
});

test('a new link is trusted with nothing before it is said to track', () => {
  expect(new Generation().covers(0, 500)).toBe(false);
});
