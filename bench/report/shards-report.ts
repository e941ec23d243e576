/** How the cost of several shards looks in the terminal and in the plot. */
import { type Machine, machineLine } from '../machine.ts';
import { against, commands, ofRow, type ShardsRow } from '../shards/shards-rows.ts';
import type { Plot } from './svg.ts';
import { type Column, digits, renderTable } from './table.ts';

const columns: readonly Column[] = [
  { title: 'operation', align: 'left' },
  { title: 'ops/s' },
  { title: 'CPU µs' },
  { title: 'least' },
  { title: 'most' },
];

export function shardsTable(rows: readonly ShardsRow[]): string {
  const head = 'Operations a second and CPU of the proxy for one, 50 connections; medians of the rounds';
  const lines = rows.map((row) => [
    row.name,
    digits(ofRow(rows, row).perSecond),
    digits(ofRow(rows, row).cpu),
    digits(Math.min(...row.cpuMicros)),
    digits(Math.max(...row.cpuMicros)),
  ]);
  return `${head}\n${renderTable(columns, lines)}`;
}

const besideColumns: readonly Column[] = [
  { title: 'nearcache / twemproxy, P=16', align: 'left' },
  { title: 'ops/s, one shard' },
  { title: '3 shards' },
  { title: 'CPU, one shard' },
  { title: '3 shards' },
];

/** How much of what nearcache is ahead with one shard is left with three: not judged, since twemproxy's own cost counts in it. */
export function besideTable(rows: readonly ShardsRow[]): string {
  const lines = commands.map((command) => {
    const one = against(rows, { command, shards: 1, pipeline: 16 });
    const three = against(rows, { command, shards: 3, pipeline: 16 });
    return [command, ...[one.perSecond, three.perSecond, one.cpu, three.cpu].map(digits)];
  });
  return renderTable(besideColumns, lines);
}

export function shardsPlot(rows: readonly ShardsRow[], machine: Machine): Plot {
  return {
    title: 'CPU of the proxy for one operation, µs',
    subtitle: machineLine(machine),
    series: [{ name: 'CPU', colour: '#2e8b57' }],
    columns: 1,
    format: digits,
    panels: [
      { title: 'µs', groups: rows.map((row) => ({ label: row.name, values: [ofRow(rows, row).cpu] })) },
    ],
  };
}
