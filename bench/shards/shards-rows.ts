import type { Verdict } from '../gate.ts';
import { median } from '../report/table.ts';
import { atMost } from '../report/verdict-table.ts';

export const rowNames = [
  'MGET 30, 3 shards',
  'MGET 10, 3 times',
  'GET, one shard',
  'GET, 3 shards',
  'SET, one shard',
  'SET, 3 shards',
  'twemproxy GET, one',
  'twemproxy GET, 3 shards',
  'twemproxy SET, one',
  'twemproxy SET, 3 shards',
] as const;

/** CPU of the proxy for one operation, a round each. Units: µs. */
export interface ShardsRow {
  readonly name: (typeof rowNames)[number];
  readonly cpuMicros: readonly number[];
}

export function cpuOf(rows: readonly ShardsRow[], name: ShardsRow['name']): number {
  return median(rows.find((row) => row.name === name)?.cpuMicros ?? []);
}

/** What is promised of several shards, as ratios of rows of one run. */
export function judgeShards(rows: readonly ShardsRow[]): Verdict[] {
  const ratio = (of: ShardsRow['name'], to: ShardsRow['name']): number => cpuOf(rows, of) / cpuOf(rows, to);
  const against = (command: 'GET' | 'SET'): number =>
    ratio(`${command}, 3 shards`, `twemproxy ${command}, 3 shards`) /
    ratio(`${command}, one shard`, `twemproxy ${command}, one`);
  return [
    atMost(
      'CPU of MGET of 30 keys over 3 shards / 3 MGETs of 10',
      ratio('MGET 30, 3 shards', 'MGET 10, 3 times'),
      1.5,
    ),
    // The figure of one Redis is a ratio to twemproxy's, which has the same system calls more with several.
    atMost('CPU of GET against twemproxy, 3 shards / one', against('GET'), 1.1),
    atMost('CPU of SET against twemproxy, 3 shards / one', against('SET'), 1.1),
  ];
}
