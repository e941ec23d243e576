import * as fc from 'fast-check';
import { expect, test } from 'vitest';

import { linearScale, logScale, timeTicks } from '../../../../src/drill/report/scale.ts';

const steps = fc.integer({ min: 2, max: 12 });
const amount = fc.double({ min: 1e-6, max: 1e9, noNaN: true });

function isRound(value: number): boolean {
  const power = Math.floor(Math.log10(value) + 1e-9);
  return [1, 2, 5].some((digit) => Math.abs(value / 10 ** power - digit) < 1e-6);
}

/** What a floating-point number may be off by, of its size. */
const ROUNDING = 1e-9;

test('a linear axis goes from zero to at least the highest value, in even round steps, and not in more than asked for', () => {
  fc.assert(
    fc.property(amount, steps, (most, wanted) => {
      const { ticks, at } = linearScale(most, wanted);
      const [first, second, ...others] = ticks as [number, number, ...number[]];
      expect(first).toBe(0);
      expect(isRound(second)).toBe(true);
      for (const [i, tick] of others.entries()) expect(tick).toBeCloseTo(second * (i + 2), 6);
      expect(ticks.at(-1)).toBeGreaterThanOrEqual(most * (1 - ROUNDING));
      expect(ticks.length - 1).toBeLessThanOrEqual(wanted);
      // No more than one step is left empty above the highest value.
      expect((ticks.at(-1) as number) - second).toBeLessThan(most * (1 + ROUNDING));
      expect(at(0)).toBe(0);
      expect(at(ticks.at(-1) as number)).toBe(1);
    }),
  );
});

test('an axis of nothing has room for one', () => {
  expect(linearScale(0, 4).ticks.at(-1)).toBe(1);
  expect(linearScale(0, 4).at(0)).toBe(0);
});

test('a logarithmic axis holds all values, in order, between round numbers', () => {
  fc.assert(
    fc.property(fc.double({ min: 0.01, max: 1e6, noNaN: true }), amount, (a, b) => {
      const [least, most] = [Math.min(a, b), Math.max(a, b)];
      const { ticks, at } = logScale(least, most);
      expect(ticks.every(isRound)).toBe(true);
      expect(ticks).toEqual(ticks.toSorted((one, other) => one - other));
      expect(new Set(ticks).size).toBe(ticks.length);
      expect(ticks.length).toBeGreaterThanOrEqual(2);
      expect(ticks.length).toBeLessThanOrEqual(5);
      expect(at(Math.max(0.01, least))).toBeLessThanOrEqual(at(most));
      // Less than the least and more than the most are at the ends: the axis itself is not much longer than its values.
      expect(at(least / 10)).toBe(0);
      expect(at(most * 10)).toBe(1);
      expect(at(0)).toBe(0);
    }),
  );
});

test('equal distances on a logarithmic axis are equal ratios', () => {
  const { at } = logScale(1, 1000);
  expect(at(10) - at(1)).toBeCloseTo(at(1000) - at(100), 9);
});

test('moments are round, start at zero and end within the drill', () => {
  fc.assert(
    fc.property(fc.double({ min: 0.5, max: 1e6, noNaN: true }), steps, (seconds, wanted) => {
      const ticks = timeTicks(seconds, wanted);
      const step = ticks[1] ?? 0;
      expect(ticks[0]).toBe(0);
      expect(ticks.length - 1).toBeLessThanOrEqual(wanted);
      expect(ticks.at(-1)).toBeLessThanOrEqual(seconds);
      expect(ticks.every((tick, i) => tick === i * step)).toBe(true);
      // Whole parts of a minute, whole minutes, whole parts of a day: nobody counts in steps of seven seconds.
      if (step > 0) expect([60 % step, step % 60].includes(0)).toBe(true);
    }),
  );
});
