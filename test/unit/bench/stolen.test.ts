import { availableParallelism } from 'node:os';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { StolenTime } from '../../../bench/stolen.ts';

let stolenSeconds = 0;

beforeEach(() => {
  stolenSeconds = 0;
  vi.useFakeTimers();
});
afterEach(() => vi.useRealTimers());

/** A second of which other machines had this share of all cores. */
function pass(share: number): void {
  stolenSeconds += share * availableParallelism();
  vi.advanceTimersByTime(1000);
}

test('tells the seconds that were ours from those in which other machines had the CPU', () => {
  const start = performance.now();
  const stolen = new StolenTime(() => stolenSeconds);
  for (const share of [0, 0.2, 0.005]) pass(share);
  stolen.stop();
  expect([100, 1100, 2100].map((ms) => stolen.isQuietAt(start + ms))).toEqual([true, false, true]);
  expect(stolen.isQuietAt(start + 3100)).toBe(false);
  expect(stolen.quietShare()).toBeCloseTo(2 / 3);
  expect(stolen.quietShare(1200)).toBe(0.5);
  expect(stolen.secondsUnder(0.2)).toBeCloseTo(3);
});

test('tells how much of the time was its own', () => {
  const stolen = new StolenTime(() => stolenSeconds);
  for (const share of [0.1, 0.5, 0]) pass(share);
  vi.advanceTimersByTime(500);
  stolen.stop();
  expect(stolen.secondsUnder(0.3)).toBeCloseTo(2.5);
  expect(stolen.secondsUnder(0.5)).toBeCloseTo(3.5);
});

test('tells how much of a time was taken at most', () => {
  const start = performance.now();
  const stolen = new StolenTime(() => stolenSeconds);
  for (const share of [0.1, 0.5, 0]) pass(share);
  stolen.stop();
  expect(stolen.mostBetween(start + 100, start + 200)).toBeCloseTo(0.1);
  expect(stolen.mostBetween(start + 900, start + 1100)).toBeCloseTo(0.5);
  expect(stolen.mostBetween(start + 2100, start + 2200)).toBe(0);
});

test('counts a second that was begun, but none of no length', () => {
  const start = performance.now();
  const stolen = new StolenTime(() => stolenSeconds);
  pass(0);
  stolenSeconds += 1;
  vi.advanceTimersByTime(500);
  stolen.stop();
  expect([100, 1100].map((ms) => stolen.isQuietAt(start + ms))).toEqual([true, false]);
  expect(stolen.quietShare()).toBe(0.5);
});
