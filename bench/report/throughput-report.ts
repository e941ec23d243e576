/** How throughput rows look in the terminal and in the plot. */
import type { FailedRow, Row } from '../cell.ts';
import { type Machine, machineLine } from '../machine.ts';
import type { Cell } from '../sample.ts';
import { connectionCount, seriesOf } from './series.ts';
import type { Panel, Plot } from './svg.ts';
import { type Column, digits, noise, percent, quantity, renderTable } from './table.ts';

const columns: readonly Column[] = [
  { title: 'target', align: 'left' },
  { title: 'ops/s' },
  { title: 'slowest–fastest' },
  { title: 'CPU µs/op' },
  { title: 'Redis µs/op' },
  { title: 'RSS MB' },
  { title: 'p50 ms' },
  { title: 'p99 ms' },
  { title: 'p99.9 ms' },
  { title: 'hits' },
  { title: 'Redis cmds/op' },
  { title: 'note', align: 'left' },
];

/** One cell as a headed table. */
export function cellTable(cell: Cell, rows: readonly (Row | FailedRow)[]): string {
  const rate = rows.find((row): row is Row => 'latency' in row && row.latency !== undefined)?.latency;
  const load = rate === undefined ? '' : `; percentiles of a batch at ${rate.batchesPerSecond} batches/s`;
  return `${panelTitle(cell)}, ${sizeOf(cell.size)}${load}\n${renderTable(columns, rows.map(cells))}`;
}

/** Operations a second: a line of charts for each test and connection count, in it one chart for each pipeline depth,
 *  since depths differ tenfold. Rows that failed or are invalid are gaps. */
export function throughputPlot(rows: readonly (Row | FailedRow)[], machine: Machine): Plot {
  const series = seriesOf(rows);
  const panels = new Map<string, (Row | FailedRow)[]>();
  for (const row of rows) panels.set(panelTitle(row), [...(panels.get(panelTitle(row)) ?? []), row]);
  return {
    title: 'Throughput, operations a second',
    subtitle: machineLine(machine),
    series,
    columns: new Set(rows.map(({ pipeline }) => pipeline)).size,
    panels: [...panels].map(([title, own]) => ({ title, groups: groupsOf(own, series) })),
    format: quantity,
  };
}

function groupsOf(rows: readonly (Row | FailedRow)[], series: ReturnType<typeof seriesOf>): Panel['groups'] {
  return [...new Set(rows.map(({ size }) => size))].map((size) => ({
    label: sizeOf(size),
    values: series.map(({ name }) => {
      const row = rows.find((each) => each.target === name && each.size === size);
      return row === undefined || 'failed' in row || row.invalid !== undefined ? undefined : row.opsPerSecond;
    }),
  }));
}

function panelTitle({ test, connections, pipeline }: Cell): string {
  return `${test.toUpperCase()}, ${connectionCount(connections)}, P=${pipeline}`;
}

function sizeOf(bytes: number): string {
  return bytes >= 1024 ? `${bytes / 1024} KiB` : `${bytes} B`;
}

function cells(row: Row | FailedRow): string[] {
  const name = nameOf(row);
  if ('failed' in row) return [name, ...columns.slice(2).map(() => '–'), `failed: ${row.failed}`];
  return [
    name,
    quantity(row.opsPerSecond),
    `${quantity(Math.min(...row.opsPerRound))}–${quantity(Math.max(...row.opsPerRound))}`,
    digits(row.targetCpuMicros),
    digits(row.backendCpuMicros),
    (row.residentBytes / 2 ** 20).toFixed(0),
    digits(row.latency?.p50),
    digits(row.latency?.p99),
    digits(row.latency?.p999),
    row.hitRatio === undefined ? '–' : percent(row.hitRatio),
    digits(row.backendCommandsPerOp),
    row.invalid === undefined ? noise(row) : `INVALID: ${row.invalid}`,
  ];
}

/** With a cache a SET is no hit, so the row says what it is. */
function nameOf({ target, test }: Row | FailedRow): string {
  return target === 'nearcache-hit' && test === 'set' ? 'nearcache-on' : target;
}
