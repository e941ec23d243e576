import { expect, test } from 'vitest';

import { judgeHitRatios } from '../../../../bench/hit-ratio/gate.ts';
import type { HitRatioCell } from '../../../../bench/hit-ratio.ts';

function cell(policy: HitRatioCell['policy'], hits: number, entries = 100): HitRatioCell {
  const capacity = { text: String(entries), amount: entries };
  return { trace: 'web', keys: 10_000, requests: 1_000, capacity, entries, policy, hits };
}

const failed = (cells: readonly HitRatioCell[]): string[] =>
  judgeHitRatios(cells).flatMap(({ what, pass }) => (pass ? [] : [what]));

test('up to 8 % more misses than an exact LRU are let pass', () => {
  expect(failed([cell('exact-lru', 500), cell('lru', 500), cell('s3fifo', 460)])).toEqual([]);
  expect(failed([cell('exact-lru', 500), cell('lru', 500), cell('s3fifo', 459)])).toEqual([
    "s3fifo misses / exact LRU's, web @ 100",
  ]);
});

test('lru must have exactly the hits of an exact LRU', () => {
  for (const hits of [499, 501]) {
    expect(failed([cell('exact-lru', 500), cell('lru', hits), cell('s3fifo', 500)])).toEqual([
      "lru hits / exact LRU's, web @ 100",
    ]);
  }
});

test('with less than 1 % of the keys the default may be worse, lru not', () => {
  expect(failed([cell('exact-lru', 500, 99), cell('lru', 500, 99), cell('s3fifo', 100, 99)])).toEqual([]);
  expect(failed([cell('exact-lru', 500, 99), cell('lru', 1, 99), cell('s3fifo', 100, 99)])).toHaveLength(1);
});

test('a share of 1 % that was rounded down still counts as 1 %', () => {
  const rounded = [cell('exact-lru', 500), cell('lru', 500), cell('s3fifo', 100)];
  expect(failed(rounded.map((each) => ({ ...each, keys: 10_030 })))).toHaveLength(1);
});

test('a policy that was not replayed fails', () => {
  expect(failed([cell('exact-lru', 500)])).toHaveLength(2);
});

test('no hits at all is as good as no hits at all', () => {
  expect(failed([cell('exact-lru', 0), cell('lru', 0), cell('s3fifo', 0)])).toEqual([]);
});
