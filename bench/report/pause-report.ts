/** How a paused shard looks in the terminal and in the plot. */
import { renderChartFile } from '../../src/drill/report/chart.ts';
import type { Timeline } from '../../src/drill/report/timeline.ts';
import {
  type Outcome,
  PAUSED,
  type RequestKind,
  requestKinds,
  type Sent,
  SHARD_NAMES,
} from '../pause/pause-plan.ts';
import {
  medianOfSeconds,
  memoryOf,
  othersIn,
  type PauseRun,
  percentilesOfAll,
  phaseOf,
  phases,
  took,
  waited,
  whileOpen,
} from '../pause/pause-rows.ts';
import type { Percentiles } from './percentiles.ts';
import { type Column, digits, renderTable } from './table.ts';

const MB = 1024 * 1024;
const WIDTH = 968;
const STATES = ['closed', 'half-open', 'open'];

const columns: readonly Column[] = [
  { title: 'requests', align: 'left' },
  { title: 'phase', align: 'left' },
  { title: 'count' },
  { title: 'p50 ms' },
  { title: 'p99 ms' },
  { title: 'p99.9 ms' },
  { title: 'longest ms' },
  { title: 'one-second p99, median ms' },
];

/** The shards that are well, by kind and phase. */
export function othersTable(run: PauseRun): string {
  const kinds: readonly (RequestKind | undefined)[] = [undefined, ...requestKinds];
  const rows = kinds.flatMap((kind) =>
    phases.map((phase) => [
      `other shards, ${kind ?? 'all'}`,
      phase,
      ...numbers(percentilesOfAll(othersIn(run, phase, kind), waited)),
      digits(medianOfSeconds(run, phase, kind)),
    ]),
  );
  return renderTable(columns, rows);
}

/** The shard that is paused. */
export function pausedTable(run: PauseRun): string {
  const { free, behind } = whileOpen(run);
  const hot = run.sent.filter(({ shard, kind }) => shard === PAUSED && kind === 'hot');
  const hotIn = (phase: string): Sent[] => hot.filter(({ dueAt }) => phaseOf(dueAt, run.marks) === phase);
  const rows: readonly (readonly [string, readonly Sent[], (request: Sent) => number])[] = [
    ['hot keys, calm', hotIn('calm'), waited],
    ['hot keys, pause', hotIn('pause'), waited],
    ['the rest, breaker open, from sent', free, took],
    ['the rest, breaker open, from due', free, waited],
    ['the same behind older ones, from due', behind, waited],
  ];
  const titles: readonly Column[] = [
    { title: 'paused shard', align: 'left' },
    ...columns.slice(2, 7),
    { title: 'right' },
    { title: 'refused' },
    { title: 'failed' },
  ];
  const lines = rows.map(([name, requests, ms]) => [
    name,
    ...numbers(percentilesOfAll(requests, ms)),
    ...(['right', 'refused', 'failed'] as const).map((outcome) => String(countOf(requests, outcome))),
  ]);
  return renderTable(titles, lines);
}

export function momentsLine(run: PauseRun): string {
  const { marks } = run;
  const memory = memoryOf(run);
  const open =
    marks.openAt === undefined
      ? 'never'
      : `${digits((marks.openAt - marks.stoppedAt) / 1000)} s after the pause began`;
  const mb = (bytes: number): string => `${(bytes / MB).toFixed(1)} MiB`;
  return `The breaker was first seen open: ${open}. Resident memory: ${mb(memory.calm)} before (median), ${mb(memory.pause)} at its highest in the pause.`;
}

function numbers({ count, p50, p99, p999, max }: Percentiles): string[] {
  return [String(count), digits(p50), digits(p99), digits(p999), digits(max)];
}

function countOf(requests: readonly Sent[], outcome: Outcome): number {
  return requests.filter((request) => request.outcome === outcome).length;
}

/** A second a step. */
export function pausePlot(run: PauseRun, title: string): string {
  const { beganAt, stoppedAt, openAt, continuedAt } = run.marks;
  const secondOf = (at: number): number => Math.floor((at - beganAt) / 1000);
  const seconds = run.sent.reduce((most, { dueAt }) => Math.max(most, secondOf(dueAt)), 0);
  const steps = Array.from({ length: seconds }, (_, i) => i);
  const requestsOf = (isMeant: (request: Sent) => boolean): ReadonlyMap<number, readonly Sent[]> =>
    Map.groupBy(run.sent.filter(isMeant), ({ dueAt }) => secondOf(dueAt));
  const [others, paused, hot] = [
    requestsOf(({ shard }) => shard !== PAUSED),
    requestsOf(({ shard, kind }) => shard === PAUSED && kind !== 'hot'),
    requestsOf(({ shard, kind }) => shard === PAUSED && kind === 'hot'),
  ];
  const p99 =
    (of: ReadonlyMap<number, readonly Sent[]>) =>
    (step: number): number | undefined =>
      nearlyAll((of.get(step) ?? []).filter(({ outcome }) => outcome !== 'none').map(waited));
  const answers =
    (outcome: Outcome) =>
    (step: number): number =>
      countOf(paused.get(step) ?? [], outcome);
  const looks = Map.groupBy(run.looks, ({ at }) => secondOf(at));
  const memory = (step: number): number | undefined => {
    const bytes = (looks.get(step) ?? []).map((look) => look.residentBytes);
    return bytes.length === 0 ? undefined : Math.max(...bytes) / MB;
  };
  const state = (step: number): string =>
    STATES[(looks.get(step) ?? []).findLast(({ breaker }) => breaker !== undefined)?.breaker ?? -1] ??
    'unknown';
  const at = (ms: number): number => (ms - beganAt) / 1000;
  const timeline: Timeline = {
    title,
    edges: [...steps, seconds],
    events: [
      { at: at(stoppedAt), text: `${SHARD_NAMES[PAUSED]} is frozen` },
      ...(openAt === undefined ? [] : [{ at: at(openAt), text: 'its breaker is open' }]),
      { at: at(continuedAt), text: 'it goes on' },
    ],
    plots: [
      {
        kind: 'lines',
        title: 'p99 by when the request was due',
        unit: 'ms',
        axis: 'log',
        series: [
          { name: 'the other shards', tone: 'blue', values: steps.map(p99(others)) },
          { name: 'its hot keys', tone: 'green', values: steps.map(p99(hot)) },
          { name: 'the rest of it', tone: 'vermillion', values: steps.map(p99(paused)) },
        ],
      },
      {
        kind: 'stack',
        title: 'Answers to the rest of it, by when they were due',
        unit: 'count',
        series: [
          { name: 'right', tone: 'green', values: steps.map(answers('right')) },
          { name: 'refused', tone: 'orange', values: steps.map(answers('refused')) },
          { name: 'outcome unknown', tone: 'vermillion', values: steps.map(answers('failed')) },
        ],
      },
      {
        kind: 'lines',
        title: 'Resident memory of nearcache, MiB',
        unit: 'count',
        axis: 'linear',
        series: [{ name: 'resident memory', tone: 'purple', values: steps.map(memory) }],
      },
      {
        kind: 'bands',
        title: 'Its circuit breaker',
        tones: { closed: 'calm', 'half-open': 'warning', open: 'alarm', unknown: 'blank' },
        rows: [{ name: SHARD_NAMES[PAUSED], states: steps.map(state) }],
      },
    ],
  };
  return renderChartFile(timeline, WIDTH);
}

function nearlyAll(values: readonly number[]): number | undefined {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length * 0.99)];
}
