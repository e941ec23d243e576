import { expect, test } from 'vitest';

import {
  mergeHistograms,
  newHistogram,
  percentilesOf,
  recordMs,
} from '../../../../bench/report/percentiles.ts';

/** A histogram of 0.1, 0.2, … ms. */
function ramp(count: number): ReturnType<typeof newHistogram> {
  const histogram = newHistogram();
  for (let i = 1; i <= count; i++) recordMs(histogram, i / 10);
  return histogram;
}

test('percentiles are within a thousandth of the exact ones', () => {
  const { count, p50, p99, p999, max } = percentilesOf(ramp(10_000));
  expect(count).toBe(10_000);
  for (const [value, exact] of [
    [p50, 500],
    [p99, 990],
    [p999, 999],
    [max, 1000],
  ] as const) {
    expect(Math.abs((value as number) - exact) / exact).toBeLessThan(0.001);
  }
});

test('a percentile that fewer than ten values lie above is left out', () => {
  expect(percentilesOf(ramp(9_999)).p999).toBeUndefined();
  expect(percentilesOf(ramp(10_000)).p999).toBeDefined();
  expect(percentilesOf(ramp(999)).p99).toBeUndefined();
  expect(percentilesOf(newHistogram())).toEqual({
    count: 0,
    p50: undefined,
    p99: undefined,
    p999: undefined,
    max: 0,
  });
});

test('a latency of 40 µs keeps three digits', () => {
  const histogram = newHistogram();
  for (let i = 0; i < 20; i++) recordMs(histogram, 0.0412);
  expect(percentilesOf(histogram).p50).toBeCloseTo(0.0412, 4);
});

test('merged rounds hold the values of all of them', () => {
  const [fast, slow] = [newHistogram(), newHistogram()];
  for (let i = 0; i < 980; i++) recordMs(fast, 1);
  for (let i = 0; i < 20; i++) recordMs(slow, 50);
  const { count, p50, p99 } = percentilesOf(mergeHistograms([fast, slow]));
  expect([count, Math.round(p50 as number), Math.round(p99 as number)]).toEqual([1000, 1, 50]);
});
