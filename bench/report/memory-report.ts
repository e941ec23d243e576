/** How resident memory looks in the terminal and in the plot. */
import { MB, printSize } from '../../src/config/units.ts';
import { type Machine, machineLine } from '../machine.ts';
import {
  type Churn,
  type FillRow,
  growthOf,
  type MemoryKind,
  memoryKinds,
  type Soak,
} from '../memory/memory-rows.ts';
import type { Percentiles } from './percentiles.ts';
import type { Plot } from './svg.ts';
import { type Column, digits, percent, quantity, renderTable } from './table.ts';

const names: Readonly<Record<MemoryKind, string>> = {
  none: 'no cache',
  store: 'nearcache, s3fifo',
  'lru-cache': 'lru-cache, Buffers',
};
const colours: Readonly<Record<MemoryKind, string>> = {
  none: '#4c566a',
  store: '#2e8b57',
  'lru-cache': '#d08770',
};

const columns: readonly Column[] = [
  { title: 'cache', align: 'left' },
  { title: 'entries' },
  { title: 'grown MB' },
  { title: 'peak MB' },
  { title: 'own MB' },
  { title: 'own / limit' },
];

/** The rows of one limit as a headed table. */
export function fillTable(limitBytes: number, inserts: number, rows: readonly FillRow[]): string {
  const head = `Resident memory, limit ${printSize(limitBytes)}, after ${quantity(inserts)} inserts`;
  return `${head}\n${renderTable(
    columns,
    rows.map((row) => [
      names[row.kind],
      quantity(row.entries),
      digits(row.grownBytes / MB),
      digits(row.peakBytes / MB),
      digits(row.ownBytes / MB),
      row.kind === 'none' ? '–' : `${(row.ownBytes / limitBytes).toFixed(2)}×`,
    ]),
  )}`;
}

export function churnTable({ quiet, busy, inserts, hitRatio, keys }: Churn, limitBytes: number): string {
  const micros = (ms: number | undefined): string => digits(ms === undefined ? undefined : ms * 1000);
  const row = (name: string, { p50, p99, p999, max }: Percentiles): string[] => {
    return [name, ...[p50, p99, p999, max].map(micros)];
  };
  const columns: readonly Column[] = [
    { title: 'batches of 100', align: 'left' },
    ...['p50', 'p99', 'p99.9', 'most'].map((title) => ({ title: `${title} µs` })),
  ];
  const what = `Hits (${percent(hitRatio)}) while ${quantity(keys)} keys pass through ${printSize(limitBytes)}`;
  const rows = [row('hits, quiet', quiet), row('hits, churn', busy), row('inserts', inserts)];
  return `${what}\n${renderTable(columns, rows)}`;
}

export function soakLine({ residents, keys }: Soak, minutes: number): string {
  const range = `${digits(Math.min(...residents) / MB)}–${digits(Math.max(...residents) / MB)} MB`;
  const growth = `growth from the second quarter to the last ${digits(growthOf(residents) / MB)} MB`;
  return `${minutes} minutes of churn, ${quantity(keys)} keys: resident ${range}, ${growth}`;
}

/** A chart a limit: what each cache takes in proportion to it. */
export function memoryPlot(rows: readonly FillRow[], machine: Machine): Plot {
  const kinds = memoryKinds.filter((kind) => kind !== 'none');
  const limits = [...new Set(rows.map(({ limitBytes }) => limitBytes))];
  return {
    title: 'Resident memory of the cache in proportion to its limit',
    subtitle: machineLine(machine),
    series: kinds.map((kind) => ({ name: names[kind], colour: colours[kind] })),
    columns: 2,
    panels: [
      {
        title: 'after log-normal inserts, less the same load without a cache',
        groups: limits.map((limit) => ({
          label: printSize(limit),
          values: kinds.map((kind) => {
            const row = rows.find((each) => each.kind === kind && each.limitBytes === limit);
            return row === undefined ? undefined : row.ownBytes / limit;
          }),
        })),
      },
    ],
    format: (value) => `${value.toFixed(2)}×`,
  };
}
