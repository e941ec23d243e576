/** How latency rows look in the terminal and in the plot. */
import type { FailedLatencyRow, LatencyRow } from '../latency.ts';
import { type Machine, machineLine } from '../machine.ts';
import { connectionCount, seriesOf } from './series.ts';
import type { Plot } from './svg.ts';
import { type Column, digits, noise, percent, renderTable } from './table.ts';

type AnyRow = LatencyRow | FailedLatencyRow;

const columns: readonly Column[] = [
  { title: 'target', align: 'left' },
  { title: 'conns' },
  { title: 'requests/s' },
  { title: 'p50 ms' },
  { title: 'p99 ms' },
  { title: 'p99.9 ms' },
  { title: 'direct / this, p50' },
  { title: 'hop held p50, p99 ms' },
  { title: 'generator late p99 ms' },
  { title: 'hits' },
  { title: 'note', align: 'left' },
];

/** The rows of one hop as a headed table. */
export function hopTable(hopMs: number, rows: readonly AnyRow[]): string {
  return `GET across ${hopMs} ms each way\n${renderTable(
    columns,
    rows.map((row) => cells(row, rows)),
  )}`;
}

const percentileNames = { p50: 'p50', p99: 'p99', p999: 'p99.9' } as const;

/** A line of charts for each connection count, in it one chart for each percentile; a group a hop. */
export function latencyPlot(rows: readonly AnyRow[], machine: Machine): Plot {
  const series = seriesOf(rows);
  const hops = [...new Set(rows.map(({ hopMs }) => hopMs))];
  const valueOf = (wanted: Pick<AnyRow, 'target' | 'hopMs' | 'connections'>, percentile: PercentileName) => {
    const row = rows.find(
      ({ target, hopMs, connections }) =>
        target === wanted.target && hopMs === wanted.hopMs && connections === wanted.connections,
    );
    if (row === undefined || 'failed' in row || row.invalid !== undefined) return undefined;
    return row.latency[percentile];
  };
  const panels = [...new Set(rows.map(({ connections }) => connections))].flatMap((connections) =>
    (['p50', 'p99', 'p999'] as const).map((percentile) => ({
      title: `GET, ${connectionCount(connections)}, ${percentileNames[percentile]}`,
      groups: hops.map((hopMs) => ({
        label: `${hopMs} ms each way`,
        values: series.map(({ name }) => valueOf({ target: name, hopMs, connections }, percentile)),
      })),
    })),
  );
  return {
    title: 'Latency across a simulated hop, milliseconds',
    subtitle: machineLine(machine),
    series,
    columns: 3,
    panels,
    format: digits,
  };
}

type PercentileName = keyof typeof percentileNames;

function cells(row: AnyRow, rows: readonly AnyRow[]): string[] {
  const head = [row.target, String(row.connections)];
  if ('failed' in row) return [...head, ...columns.slice(3).map(() => '–'), `failed: ${row.failed}`];
  const direct = rows.find(
    (each): each is LatencyRow =>
      !('failed' in each) && each.target === 'direct' && each.connections === row.connections,
  );
  const { latency, held } = row;
  const ratio =
    direct?.latency.p50 === undefined || latency.p50 === undefined
      ? undefined
      : direct.latency.p50 / latency.p50;
  return [
    ...head,
    String(row.requestsPerSecond),
    digits(latency.p50),
    digits(latency.p99),
    digits(latency.p999),
    ratio === undefined ? '–' : `${digits(ratio)}×`,
    `${digits(held.p50)}, ${digits(held.p99)}`,
    digits(row.sendLag.p99),
    row.hitRatio === undefined ? '–' : percent(row.hitRatio),
    row.invalid === undefined ? noise(row) : `INVALID: ${row.invalid}`,
  ];
}
