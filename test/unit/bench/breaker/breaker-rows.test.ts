import { expect, test } from 'vitest';

import {
  type BreakerRow,
  compare,
  judgeBreaker,
  type Round,
} from '../../../../bench/breaker/breaker-rows.ts';
import { breakerPlot, breakerTable } from '../../../../bench/report/breaker-report.ts';
import { describeMachine } from '../../../../bench/machine.ts';
import { renderSvg } from '../../../../bench/report/svg.ts';
import type { Sample } from '../../../../bench/sample.ts';
import { parseMarkup } from '../../drill/report/markup.ts';

/** 100,000 operations. */
function sample(opsPerSecond: number, cpuMicros: number, more: Partial<Sample> = {}): Sample {
  return {
    requests: 100_000,
    requestsPerSecond: opsPerSecond,
    targetCpu: cpuMicros / 10,
    backendCpu: 0.1,
    backendCommands: 100_010,
    hits: 0,
    reads: 0,
    residentBytes: 90 * 1024 * 1024,
    othersShare: 0,
    ...more,
  };
}

type Sides = Omit<Round, 'isOnFirst' | 'life'>;

function round(on: Sample, off: Sample, othersShare = 0): Sides {
  return { on, off, othersShare };
}

/** Each in both orders. */
function rowOf(...rounds: readonly Sides[]): BreakerRow {
  return {
    name: 'GET',
    rounds: [true, false].flatMap((isOnFirst) => rounds.map((sides) => ({ life: 0, isOnFirst, ...sides }))),
  };
}

function failures(row: BreakerRow): string[] {
  return judgeBreaker([row])
    .filter(({ pass }) => !pass)
    .map(({ what }) => what);
}

test('a breaker that costs nothing passes, and one that costs too much does not', () => {
  expect(failures(rowOf(round(sample(100, 5), sample(100, 5))))).toEqual([]);
  expect(failures(rowOf(round(sample(94, 5), sample(100, 5))))).toEqual([
    'GET: throughput, breaker on / off',
  ]);
  expect(failures(rowOf(round(sample(100, 5.3), sample(100, 5))))).toEqual([
    'GET: CPU an operation, breaker on / off',
  ]);
});

test('a round that was slow for both sides changes nothing', () => {
  const rounds = [1, 0.4, 0.7, 1.2, 1].map((pace) =>
    round(sample(98 * pace, 5.1 / pace), sample(100 * pace, 5 / pace)),
  );
  const { speedRatio, cpuRatio } = compare(rowOf(...rounds));
  expect(speedRatio).toBeCloseTo(0.98);
  expect(cpuRatio).toBeCloseTo(1.02);
});

test('what coming first costs is not held against either side', () => {
  const [onFirst, offFirst] = [round(sample(90, 5), sample(100, 5)), round(sample(100, 5), sample(90, 5))];
  const rounds = [
    { life: 0, isOnFirst: true, ...onFirst },
    { life: 0, isOnFirst: true, ...onFirst },
    { life: 0, isOnFirst: false, ...offFirst },
  ];
  expect(compare({ name: 'SET', rounds }).speedRatio).toBeCloseTo(1);
  const slow = rounds.map((each) => ({ ...each, on: sample(each.on.requestsPerSecond * 0.94, 5) }));
  expect(compare({ name: 'SET', rounds: slow }).speedRatio).toBeCloseTo(0.94);
});

test('each life counts the same, however its processes fared', () => {
  const rounds = [0, 1, 2, 3].flatMap((life) =>
    [true, false].map((isOnFirst) => {
      const luck = life < 2 ? 1.08 : 1;
      return { life, isOnFirst, ...round(sample(96 * luck, 5), sample((100 * 1.08) / luck, 5)) };
    }),
  );
  expect(compare({ name: 'GET', rounds }).speedRatio).toBeCloseTo(0.96);
});

test('the rounds that other programs disturbed most are not looked at', () => {
  const quiet = round(sample(100, 5), sample(100, 5), 0.01);
  const loud = round(sample(50, 9), sample(100, 5), 0.4);
  expect(failures(rowOf(quiet, loud, loud, quiet))).toEqual([]);
});

test('commands that did not reach Redis, and rounds that were not run, fail', () => {
  const hit = sample(100, 5, { backendCommands: 50_000 });
  expect(failures(rowOf(round(hit, hit)))).toEqual(['GET: commands at Redis / asked for']);
  expect(failures(rowOf())).toHaveLength(3);
});

test('the table shows both sides, and the plot is well-formed', () => {
  const rows = [rowOf(round(sample(98_000, 5.1), sample(100_000, 5)))];
  expect(breakerTable(rows)).toMatch(/GET +\| +98\.0 k \| 100 k \| 0\.980 \| +5\.10 \| +5\.00 \| +1\.02/);
  expect(parseMarkup(renderSvg(breakerPlot(rows, describeMachine('breaker')))).children[0]?.name).toBe('svg');
});
