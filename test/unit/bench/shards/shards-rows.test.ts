import { expect, test } from 'vitest';

import { judgeShards, type ShardsRow } from '../../../../bench/shards/shards-rows.ts';

function row(
  proxy: ShardsRow['proxy'],
  command: ShardsRow['command'],
  [shards, pipeline]: readonly [1 | 3, number],
  [cpu, perSecond]: readonly [number, number],
): ShardsRow {
  // The median is the middle one.
  const around = (value: number): number[] => [value * 9, value, value / 9];
  const name = `${proxy} ${command} ${shards} ${pipeline}`;
  return {
    name,
    proxy,
    command,
    shards,
    pipeline,
    cpuMicros: around(cpu),
    perSecond: around(perSecond),
  };
}

/** One run in which every demand is just met. */
function rowsOf(ours: { mget: number; cpu: number; p1: number; p16: number }): ShardsRow[] {
  return [
    row('nearcache', 'MGET 30', [3, 16], [ours.mget, 1]),
    row('nearcache', '3 × MGET 10', [3, 16], [4, 1]),
    ...(['GET', 'SET'] as const).flatMap((command) => [
      row('nearcache', command, [3, 16], [ours.cpu, ours.p16]),
      row('nearcache', command, [3, 1], [10, ours.p1]),
      row('twemproxy', command, [3, 16], [2, 1000]),
      row('twemproxy', command, [3, 1], [10, 1000]),
      // What one shard gives is not judged here.
      row('nearcache', command, [1, 16], [99, 1]),
      row('twemproxy', command, [1, 16], [1, 99]),
    ]),
  ];
}

const met = { mget: 6, cpu: 2.2, p1: 855, p16: 1170 };

function failed(rows: readonly ShardsRow[]): string[] {
  return judgeShards(rows).flatMap(({ pass, what }) => (pass ? [] : [what]));
}

test('a run that just meets every demand passes', () => {
  expect(judgeShards(rowsOf(met))).toHaveLength(7);
  expect(failed(rowsOf(met))).toEqual([]);
});

test('each demand is judged by itself', () => {
  expect(failed(rowsOf({ ...met, mget: 6.1 }))).toEqual([
    'CPU of MGET of 30 keys over 3 shards / 3 MGETs of 10',
  ]);
  expect(failed(rowsOf({ ...met, cpu: 2.3 }))).toEqual(
    ['GET', 'SET'].map((command) => `${command} CPU per operation over 3 shards / twemproxy, P=16`),
  );
  expect(failed(rowsOf({ ...met, p1: 854 }))).toEqual(
    ['GET', 'SET'].map((command) => `${command} throughput over 3 shards / twemproxy, P=1`),
  );
  expect(failed(rowsOf({ ...met, p16: 1169 }))).toEqual(
    ['GET', 'SET'].map((command) => `${command} throughput over 3 shards / twemproxy, P=16`),
  );
});

test('what was not measured fails', () => {
  const without = rowsOf(met).filter(({ proxy }) => proxy === 'nearcache');
  expect(failed(without)).toHaveLength(6);
});
