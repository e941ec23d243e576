import { expect, test } from 'vitest';

import { judgeLatency } from '../../../bench/latency-gate.ts';
import type { LatencyRow } from '../../../bench/latency.ts';
import type { Percentiles } from '../../../bench/report/percentiles.ts';
import type { TargetId } from '../../../bench/targets.ts';

function percentiles(p50: number, p99: number | undefined): Percentiles {
  return { count: 10_000, p50, p99, p999: undefined, max: 9 };
}

function row(target: TargetId, p50: number, p99: number | undefined, hopMs = 0.5): LatencyRow {
  return {
    target,
    hopMs,
    connections: 1,
    requestsPerSecond: 1_000,
    latency: percentiles(p50, p99),
    held: percentiles(0.5, 0.5),
    sendLag: percentiles(0.1, 0.1),
    hitRatio: undefined,
    othersShare: 0,
    invalid: undefined,
  };
}

function passes(rows: readonly LatencyRow[]): boolean[] {
  return judgeLatency(rows, [1]).map(({ pass }) => pass);
}

test('a tenth of the p50 and no more than the p99 pass', () => {
  expect(passes([row('direct', 1, 2), row('nearcache-hit', 0.1, 2)])).toEqual([true, true]);
});

test('a p50 above a tenth fails, and so does a p99 above that of direct', () => {
  expect(passes([row('direct', 1, 2), row('nearcache-hit', 0.101, 2)])).toEqual([false, true]);
  expect(passes([row('direct', 1, 2), row('nearcache-hit', 0.1, 2.01)])).toEqual([true, false]);
});

test('every connection count has to be measured', () => {
  const verdicts = judgeLatency([row('direct', 1, 2), row('nearcache-hit', 0.1, 2)], [1, 50]);
  expect(verdicts.map(({ pass }) => pass)).toEqual([true, true, false, false]);
});

test('invalid rows, other hops and percentiles of too few values are not compared', () => {
  const hit = row('nearcache-hit', 0.1, 2);
  expect(passes([row('direct', 1, 2), { ...hit, invalid: 'only 3.0 % hits' }])).toEqual([false, false]);
  expect(passes([row('direct', 1, 2, 1), row('nearcache-hit', 0.1, 2, 1)])).toEqual([false, false]);
  expect(passes([row('direct', 1, undefined), hit])).toEqual([true, false]);
});
