import type { Verdict } from '../gate.ts';
import { median } from '../report/table.ts';
import { atLeast, atMost } from '../report/verdict-table.ts';

export const commands = ['GET', 'SET'] as const;
export type Command = (typeof commands)[number];
export const proxies = ['nearcache', 'twemproxy'] as const;
export type Proxy = (typeof proxies)[number];

/** One load. Shape: `shards` behind the proxy, `pipeline` commands on the way at a time. */
export interface ShardsRow {
  readonly name: string;
  readonly proxy: Proxy;
  readonly command: Command | 'MGET 30' | '3 × MGET 10';
  readonly shards: 1 | 3;
  readonly pipeline: number;
  /** CPU of the proxy for one operation, a round each. Units: µs. */
  readonly cpuMicros: readonly number[];
  /** Operations a second, a round each. */
  readonly perSecond: readonly number[];
}

/** What the pass-through of one Redis has to be (`throughput --gate`), of which a ring may be 10 % short. */
const OF_ONE = { throughput: { 1: 0.95, 16: 1.3 }, cpu: 1 } as const;
const SHORT = 0.1;

/** Medians of one row. Not a number when it was not measured. */
export function ofRow(
  rows: readonly ShardsRow[],
  wanted: Pick<ShardsRow, 'proxy' | 'command' | 'shards' | 'pipeline'>,
): { cpu: number; perSecond: number } {
  const row = rows.find(
    ({ proxy, command, shards, pipeline }) =>
      proxy === wanted.proxy &&
      command === wanted.command &&
      shards === wanted.shards &&
      pipeline === wanted.pipeline,
  );
  return { cpu: median(row?.cpuMicros ?? []), perSecond: median(row?.perSecond ?? []) };
}

/** What is promised of several shards, as ratios of rows of one run. */
export function judgeShards(rows: readonly ShardsRow[]): Verdict[] {
  const cpu = (command: ShardsRow['command']): number =>
    ofRow(rows, { proxy: 'nearcache', command, shards: 3, pipeline: 16 }).cpu;
  return [
    atMost('CPU of MGET of 30 keys over 3 shards / 3 MGETs of 10', cpu('MGET 30') / cpu('3 × MGET 10'), 1.5),
    ...commands.flatMap((command) => judgeCommand(rows, command)),
  ];
}

function judgeCommand(rows: readonly ShardsRow[], command: Command): Verdict[] {
  const throughput = ([1, 16] as const).map((pipeline) =>
    atLeast(
      `${command} throughput over 3 shards / twemproxy, P=${pipeline}`,
      against(rows, { command, shards: 3, pipeline }).perSecond,
      Number((OF_ONE.throughput[pipeline] * (1 - SHORT)).toFixed(3)),
    ),
  );
  return [
    ...throughput,
    atMost(
      `${command} CPU per operation over 3 shards / twemproxy, P=16`,
      against(rows, { command, shards: 3, pipeline: 16 }).cpu,
      OF_ONE.cpu * (1 + SHORT),
    ),
  ];
}

/** nearcache as a ratio to twemproxy. */
export function against(
  rows: readonly ShardsRow[],
  row: { command: Command; shards: 1 | 3; pipeline: number },
): { cpu: number; perSecond: number } {
  const ours = ofRow(rows, { ...row, proxy: 'nearcache' });
  const theirs = ofRow(rows, { ...row, proxy: 'twemproxy' });
  return { cpu: ours.cpu / theirs.cpu, perSecond: ours.perSecond / theirs.perSecond };
}
