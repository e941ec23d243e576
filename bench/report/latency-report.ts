/** How latency rows look in the terminal and in the plot. */
import type { FailedLatencyRow, LatencyRow } from '../latency.ts';
import { type Machine, machineLine } from '../machine.ts';
import { targetIds } from '../targets.ts';
import type { Plot } from './svg.ts';
import { type Column, digits, renderTable } from './table.ts';

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

/** One chart for each connection count and percentile; a group a hop. */
export function latencyPlot(rows: readonly AnyRow[], machine: Machine): Plot {
  const series = targetIds.filter((id) => rows.some(({ target }) => target === id));
  const connectionCounts = [...new Set(rows.map(({ connections }) => connections))];
  const hops = [...new Set(rows.map(({ hopMs }) => hopMs))];
  const panels = connectionCounts.flatMap((connections) =>
    (['p50', 'p99', 'p999'] as const).map((percentile) => ({
      title: `${percentile === 'p999' ? 'p99.9' : percentile} of GET, ${connections} connection${connections === 1 ? '' : 's'}`,
      groups: hops.map((hopMs) => ({
        label: `${hopMs} ms each way`,
        values: series.map((id) => {
          const row = rows.find(
            (each) => each.target === id && each.hopMs === hopMs && each.connections === connections,
          );
          return row === undefined || 'failed' in row || row.invalid !== undefined
            ? undefined
            : row.latency[percentile];
        }),
      })),
    })),
  );
  return {
    title: 'Latency across a simulated hop, milliseconds',
    subtitle: machineLine(machine),
    series,
    panels,
    format: digits,
  };
}

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
    row.hitRatio === undefined ? '–' : `${(row.hitRatio * 100).toFixed(1)} %`,
    row.invalid === undefined ? '' : `INVALID: ${row.invalid}`,
  ];
}
