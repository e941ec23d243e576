import { expect, test } from 'vitest';

import type { FailedRow, Row } from '../../../bench/cell.ts';
import { isJudged, judge } from '../../../bench/gate.ts';
import type { TestName } from '../../../bench/load/request.ts';
import type { TargetId } from '../../../bench/targets.ts';

interface Given {
  target: TargetId;
  test: TestName;
  pipeline: number;
  ops: number;
  cpu: number;
}

function row({ target, test, pipeline, ops, cpu }: Given): Row {
  return {
    target,
    test,
    pipeline,
    connections: 50,
    size: 64,
    opsPerSecond: ops,
    opsPerRound: [ops],
    targetCpuMicros: cpu,
    backendCpuMicros: undefined,
    residentBytes: 0,
    backendCommandsPerOp: 1,
    hitRatio: undefined,
    latency: undefined,
    othersShare: 0,
    invalid: undefined,
  };
}

/** Rows that just meet every bound. */
function justEnough(): Row[] {
  const rows: Row[] = [];
  for (const test of ['get', 'set'] as const) {
    rows.push(row({ target: 'twemproxy', test, pipeline: 1, ops: 100, cpu: 7 }));
    rows.push(row({ target: 'nearcache-off', test, pipeline: 1, ops: 95, cpu: 9 }));
    rows.push(row({ target: 'twemproxy', test, pipeline: 16, ops: 100, cpu: 2 }));
    rows.push(row({ target: 'nearcache-off', test, pipeline: 16, ops: 130, cpu: 2 }));
  }
  const hits: [pipeline: number, redis: number, ops: number][] = [
    [1, 100, 95],
    [16, 200, 160],
    [64, 200, 100],
  ];
  for (const [pipeline, redis, ops] of hits) {
    rows.push(row({ target: 'direct', test: 'get', pipeline, ops: redis, cpu: 6 }));
    rows.push(row({ target: 'nearcache-hit', test: 'get', pipeline, ops, cpu: 1.8 }));
  }
  return rows;
}

function failing(rows: readonly (Row | FailedRow)[]): string[] {
  return judge(rows)
    .filter(({ pass }) => !pass)
    .map(({ what }) => what);
}

test('rows exactly at the bounds pass all eleven demands', () => {
  expect(judge(justEnough())).toHaveLength(11);
  expect(failing(justEnough())).toEqual([]);
});

test.each<[Given, string]>([
  [
    { target: 'nearcache-off', test: 'get', pipeline: 1, ops: 94, cpu: 9 },
    'pass-through GET throughput / twemproxy, P=1',
  ],
  [
    { target: 'nearcache-off', test: 'set', pipeline: 16, ops: 129, cpu: 2 },
    'pass-through SET throughput / twemproxy, P=16',
  ],
  [
    { target: 'nearcache-off', test: 'set', pipeline: 16, ops: 130, cpu: 2.1 },
    'pass-through SET CPU per operation / twemproxy, P=16',
  ],
  [
    { target: 'nearcache-hit', test: 'get', pipeline: 1, ops: 94, cpu: 1.8 },
    'hits throughput / redis-server, P=1',
  ],
  [
    { target: 'nearcache-hit', test: 'get', pipeline: 16, ops: 159, cpu: 1.8 },
    'hits throughput / twemproxy, P=16',
  ],
  [{ target: 'direct', test: 'get', pipeline: 16, ops: 267, cpu: 1 }, 'hits throughput / redis-server, P=16'],
  [
    { target: 'nearcache-hit', test: 'get', pipeline: 64, ops: 99, cpu: 1.8 },
    'hits throughput / redis-server, P=64',
  ],
  [{ target: 'nearcache-hit', test: 'get', pipeline: 16, ops: 160, cpu: 1.81 }, 'CPU µs per hit, P=16'],
])('%o fails one demand alone: %s', (given, what) => {
  const { target, test, pipeline } = given;
  const rows = justEnough().map((each) =>
    each.target === target && each.test === test && each.pipeline === pipeline ? row(given) : each,
  );
  expect(failing(rows)).toEqual([what]);
});

test('a comparison that could not be made fails with the reason', () => {
  const rows = justEnough().map((each): Row | FailedRow => {
    if (each.target === 'nearcache-hit' && each.pipeline === 1)
      return { ...each, invalid: 'only 3.0 % hits' };
    if (each.target !== 'twemproxy') return each;
    return {
      target: 'twemproxy',
      test: each.test,
      pipeline: each.pipeline,
      connections: 50,
      size: 64,
      failed: 'not installed',
    };
  });
  const reasons = judge(rows).map(({ reason }) => reason);
  expect(failing(rows)).toHaveLength(8);
  expect(reasons.filter((reason) => reason === 'twemproxy: not installed')).toHaveLength(7);
  expect(reasons).toContain('nearcache-hit: only 3.0 % hits');
});

test('rows of other connection counts and sizes are not compared', () => {
  const rows = justEnough().map((each) => ({ ...each, connections: 1 }));
  expect(failing(rows)).toHaveLength(11);
});

test('the gate runs the cells that a demand compares, and no others', () => {
  expect(isJudged({ test: 'get', pipeline: 64 })).toBe(true);
  expect(isJudged({ test: 'set', pipeline: 16 })).toBe(true);
  expect(isJudged({ test: 'set', pipeline: 64 })).toBe(false);
});
