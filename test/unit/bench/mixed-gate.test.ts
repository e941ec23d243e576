import { expect, test } from 'vitest';

import type { FailedMixedRow, MixedRow } from '../../../bench/mixed-cell.ts';
import { judgeMixed } from '../../../bench/mixed-gate.ts';
import type { MixedTarget } from '../../../bench/mixed-stage.ts';

function row(target: MixedTarget, connections: number, opsPerSecond: number): MixedRow {
  return {
    target,
    connections,
    opsPerSecond,
    opsPerRound: [opsPerSecond],
    generatorShare: 0.5,
    targetCpuMicros: 8,
    backendCpuMicros: 1,
    hopCpuMicros: undefined,
    held: undefined,
    backendCommandsPerOp: 1,
    hitRatio: undefined,
    othersShare: 0,
    invalid: undefined,
  };
}

/** Rows that just meet every bound. */
function justEnough(): MixedRow[] {
  return [
    row('direct', 1, 100),
    row('nearcache', 1, 300),
    row('direct', 8, 100),
    row('nearcache', 8, 300),
    row('nearcache', 50, 90),
    row('nearcache-no-hop', 50, 100),
  ];
}

function failing(rows: readonly (MixedRow | FailedMixedRow)[]): string[] {
  return judgeMixed(rows)
    .filter(({ pass }) => !pass)
    .map(({ what }) => what);
}

test('rows exactly at the bounds pass', () => {
  expect(judgeMixed(justEnough())).toHaveLength(3);
  expect(failing(justEnough())).toEqual([]);
});

test.each([
  [1, 299, 'mixed throughput / direct, 1 connection'],
  [8, 299, 'mixed throughput / direct, 8 connections'],
  [50, 89, 'mixed throughput / without a hop, 50 connections'],
])('with %i connections %i operations a second fail one demand alone: %s', (connections, ops, what) => {
  const rows = justEnough().map((each) =>
    each.target === 'nearcache' && each.connections === connections
      ? row('nearcache', connections, ops)
      : each,
  );
  expect(failing(rows)).toEqual([what]);
});

test('a row that is missing, failed or invalid fails its demand', () => {
  const [, first, , second] = justEnough() as [MixedRow, MixedRow, MixedRow, MixedRow];
  const failed: FailedMixedRow = { target: 'nearcache', connections: 1, failed: 'ended' };
  const invalid = { ...second, invalid: 'only 0.00 commands' };
  const rows = justEnough().map((each) =>
    each.target !== 'nearcache' ? each : each.connections === first.connections ? failed : invalid,
  );
  expect(failing(rows)).toHaveLength(3);
  expect(failing([])).toHaveLength(3);
});
