import { expect, test } from 'vitest';

import {
  drawKeyBytes,
  drawValueBytes,
  keyBytesLeast,
  keyBytesMost,
  valueBytesMost,
} from '../../../../bench/workload/entry-size.ts';
import { seededRandom } from '../../../../bench/workload/seeded-random.ts';

test('values have a median of 230 bytes and a long tail, cut at 64 KiB', () => {
  const random = seededRandom(1);
  const sizes = Uint32Array.from({ length: 100_000 }, () => drawValueBytes(random)).sort();
  expect(sizes[50_000]).toBeGreaterThan(225);
  expect(sizes[50_000]).toBeLessThan(235);
  // One sigma above the median, exp(1.3) times as large.
  expect(sizes[84_134]! / 230).toBeCloseTo(Math.exp(1.3), 0);
  expect(sizes[0]).toBeGreaterThanOrEqual(1);
  expect(drawValueBytes(() => 1 - 2 ** -60)).toBeLessThanOrEqual(valueBytesMost);
});

test('keys are of every length between their bounds', () => {
  const random = seededRandom(1);
  const sizes = new Set(Array.from({ length: 10_000 }, () => drawKeyBytes(random)));
  expect([Math.min(...sizes), Math.max(...sizes), sizes.size]).toEqual([keyBytesLeast, keyBytesMost, 41]);
});
