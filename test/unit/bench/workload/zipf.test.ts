import { expect, test } from 'vitest';

import { seededRandom, shuffled } from '../../../../bench/workload/seeded-random.ts';
import { zipf } from '../../../../bench/workload/zipf.ts';

test('ranks come as often as the exponent says', () => {
  const draw = zipf(1_000, 0.99, seededRandom(1));
  const counts = new Uint32Array(1_000);
  const draws = 400_000;
  for (let i = 0; i < draws; i++) counts[draw()]!++;
  const sum = Array.from({ length: 1_000 }, (_, rank) => (rank + 1) ** -0.99).reduce((a, b) => a + b);
  for (const rank of [0, 1, 9, 99]) {
    const expected = (draws * (rank + 1) ** -0.99) / sum;
    expect(Math.abs(counts[rank]! - expected)).toBeLessThan(5 * Math.sqrt(expected));
  }
  expect(counts.at(-1)).toBeGreaterThan(0);
});

test('every rank is within bounds even at the ends of chance', () => {
  expect(zipf(10, 0.7, () => 0)()).toBe(0);
  expect(zipf(10, 0.7, () => 1 - 2 ** -32)()).toBe(9);
});

test('a shuffle holds every number once', () => {
  const numbers = shuffled(1_000, seededRandom(1));
  const sorted = Uint32Array.from({ length: 1_000 }, (_, i) => i);
  expect(numbers.toSorted()).toEqual(sorted);
  expect(numbers).not.toEqual(sorted);
});
