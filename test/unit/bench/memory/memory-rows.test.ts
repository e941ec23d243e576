import { expect, test } from 'vitest';

import { type Churn, type FillRow, growthOf, judgeMemory } from '../../../../bench/memory/memory-rows.ts';

const MB = 2 ** 20;

function fill(kind: FillRow['kind'], ownBytes: number): FillRow {
  return { kind, limitBytes: 64 * MB, grownBytes: ownBytes, peakBytes: ownBytes, entries: 1, ownBytes };
}

function churn(quiet: number | undefined, busy: number, hitRatio = 1): Churn {
  const percentiles = (p999: number | undefined): Churn['quiet'] => ({
    count: 1,
    p50: 1,
    p99: 1,
    p999,
    max: 1,
  });
  return { quiet: percentiles(quiet), busy: percentiles(busy), inserts: percentiles(1), hitRatio, keys: 1 };
}

const none = { fills: [], churn: undefined, soak: undefined };

test('the store may take 5 % more than its limit, and lru-cache what it wants', () => {
  const judge = (own: number): boolean[] =>
    judgeMemory({ ...none, fills: [fill('store', own), fill('lru-cache', 999 * MB)] }, 64 * MB).map(
      ({ pass }) => pass,
    );
  expect(judge(67.1 * MB)).toEqual([true]);
  expect(judge(67.3 * MB)).toEqual([false]);
});

test('hits under churn may take three times as long, if they were hits and there were enough', () => {
  const judge = (measured: Churn): boolean => judgeMemory({ ...none, churn: measured }, MB)[0]!.pass;
  expect(judge(churn(0.02, 0.06))).toBe(true);
  expect(judge(churn(0.02, 0.061))).toBe(false);
  expect(judge(churn(0.02, 0.02, 0.98))).toBe(false);
  expect(judge(churn(undefined, 0.02))).toBe(false);
});

test('growth counts from the second quarter on, when all is filled', () => {
  expect(growthOf([1, 50, 60, 61, 60, 60, 62, 63])).toBe(2);
  expect(growthOf([1, 2])).toBeNaN();
  const judge = (residents: number[]): boolean =>
    judgeMemory({ ...none, soak: { residents, keys: 1 } }, 100)[0]!.pass;
  expect(judge([0, 100, 100, 105])).toBe(true);
  expect(judge([0, 100, 100, 106])).toBe(false);
  expect(judge([1])).toBe(false);
});
