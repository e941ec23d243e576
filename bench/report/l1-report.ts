/** How the costs of the caches look in the terminal and in the plot. */
import { figures, type L1Kind, type L1Row, l1Kinds, nanosOf } from '../l1/l1-rows.ts';
import { type Machine, machineLine } from '../machine.ts';
import type { Plot } from './svg.ts';
import { type Column, digits, percent, quantity, renderTable } from './table.ts';

const names: Readonly<Record<L1Kind, string>> = {
  store: 'nearcache, s3fifo',
  'lru-cache': 'lru-cache, Buffers',
};
const colours: Readonly<Record<L1Kind, string>> = { store: '#2e8b57', 'lru-cache': '#d08770' };

const columns: readonly Column[] = [
  { title: 'cache', align: 'left' },
  { title: 'entries' },
  ...figures.map((figure) => ({ title: `${figure} ns` })),
  { title: 'RSS/entry' },
  { title: 'churn ns' },
  { title: 'GC' },
  { title: 'longest GC ms' },
  { title: 'note', align: 'left' },
];

/** A row a cache. */
export function l1Table(rows: readonly L1Row[], entries: number): string {
  const head = `${quantity(entries)} entries of 24 + 300 bytes, gets by Zipf 0.99; medians of the rounds`;
  return `${head}\n${renderTable(
    columns,
    rows.map((row) => [
      names[row.kind],
      quantity(row.filled.entries),
      ...figures.map((figure) => digits(nanosOf(row, figure))),
      digits(row.filled.residentAnEntry),
      digits(row.churn.nanosAnOperation),
      percent(row.churn.gcShare),
      digits(row.churn.longestPauseMs),
      row.invalid === undefined ? '' : `INVALID: ${row.invalid}`,
    ]),
  )}`;
}

/** One chart: a group a figure. Rows that are invalid are gaps. */
export function l1Plot(rows: readonly L1Row[], machine: Machine): Plot {
  const valueOf = (kind: L1Kind, pick: (row: L1Row) => number): number | undefined => {
    const row = rows.find((each) => each.kind === kind);
    return row === undefined || row.invalid !== undefined ? undefined : pick(row);
  };
  return {
    title: 'Cost of a cache inside of the process, nanoseconds an operation',
    subtitle: machineLine(machine),
    series: l1Kinds.map((kind) => ({ name: names[kind], colour: colours[kind] })),
    columns: 2,
    panels: [
      {
        title: 'ns an operation',
        groups: figures.map((figure) => ({
          label: figure,
          values: l1Kinds.map((kind) => valueOf(kind, (row) => nanosOf(row, figure))),
        })),
      },
      {
        title: 'resident bytes an entry',
        groups: [
          {
            label: 'filled',
            values: l1Kinds.map((kind) => valueOf(kind, (row) => row.filled.residentAnEntry)),
          },
        ],
      },
    ],
    format: digits,
  };
}
