import { expect, test } from 'vitest';

import { type Figure, figures, judgeL1, type L1Row, whyInvalidL1 } from '../../../../bench/l1/l1-rows.ts';

function row(kind: L1Row['kind'], change: Partial<Record<Figure, number>> = {}): L1Row {
  const timings = Object.fromEntries(
    figures.map((figure) => {
      const nanosAnOperation = change[figure] ?? 100;
      return [figure, [{ nanosAnOperation, found: figure === 'miss' ? 0 : 1_000, operations: 1_000 }]];
    }),
  ) as unknown as L1Row['timings'];
  return {
    kind,
    filled: { residentAnEntry: kind === 'store' ? 400 : 800, entries: 1_000 },
    timings,
    churn: { nanosAnOperation: 1, longestPauseMs: kind === 'store' ? 5 : 500, gcShare: 0 },
    invalid: undefined,
  };
}

const within = { hit: 60, miss: 40, 'set+evict': 80 };
const failed = (rows: readonly L1Row[]): string[] =>
  judgeL1(rows).flatMap(({ what, pass }) => (pass ? [] : [what.split(',', 1)[0]!]));

test('the store must undercut lru-cache in time, memory and pauses', () => {
  expect(failed([row('store', within), row('lru-cache')])).toEqual([]);
  expect(failed([row('store', { ...within, hit: 61 }), row('lru-cache')])).toEqual(['hit']);
  expect(failed([row('store', { ...within, miss: 41 }), row('lru-cache')])).toEqual(['miss']);
  expect(failed([row('store', { ...within, 'set+evict': 81 }), row('lru-cache')])).toEqual(['set+evict']);
  const store = row('store', within);
  const heavy = { ...store, filled: { residentAnEntry: 441, entries: 1_000 } };
  expect(failed([heavy, row('lru-cache')])).toEqual(['resident memory an entry / lru-cache']);
  const slow = { ...store, churn: { ...store.churn, longestPauseMs: 26 } };
  expect(failed([slow, row('lru-cache')])).toEqual(['longest GC pause']);
});

test('a missing or invalid row fails everything that it is compared in', () => {
  expect(failed([row('store', within)])).toHaveLength(5);
  expect(failed([row('store', within), { ...row('lru-cache'), invalid: 'why' }])).toHaveLength(5);
});

test('a row counts only if hits were hits, misses misses and all entries there', () => {
  const good = row('store');
  expect(whyInvalidL1(good, 1_000)).toBeUndefined();
  expect(whyInvalidL1(good, 1_100)).toBe('holds only 1000 entries');
  const changed = (figure: Figure, found: number): L1Row => ({
    ...good,
    timings: { ...good.timings, [figure]: [{ nanosAnOperation: 1, found, operations: 1_000 }] },
  });
  expect(whyInvalidL1(changed('hit', 980), 1_000)).toBe('only 980 of 1000 in hit were hits');
  expect(whyInvalidL1(changed('miss', 1), 1_000)).toBe('1 misses were hits');
});
