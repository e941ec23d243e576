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

test('tells since when a time was taken', () => {
  const start = performance.now();
  const stolen = new StolenTime(() => stolenSeconds);
  for (const share of [0.1, 0.5, 0.4, 0]) pass(share);
  stolen.stop();
  expect(stolen.firstOver(0.3, start + 100, start + 200)).toBeUndefined();
  expect(stolen.firstOver(0.3, start + 900, start + 2500)).toBeCloseTo(start + 1000);
  expect(stolen.firstOver(0.3, start + 2100, start + 2200)).toBeCloseTo(start + 2000);
  expect(stolen.firstOver(0.3, start + 3100, start + 3200)).toBeUndefined();
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
