/** How the cost of several shards looks in the terminal and in the plot. */
import { type Machine, machineLine } from '../machine.ts';
import { cpuOf, rowNames, type ShardsRow } from '../shards/shards-rows.ts';
import type { Plot } from './svg.ts';
import { type Column, digits, renderTable } from './table.ts';

const columns: readonly Column[] = [
  { title: 'operation', align: 'left' },
  { title: 'CPU µs' },
  { title: 'least' },
  { title: 'most' },
];

export function shardsTable(rows: readonly ShardsRow[]): string {
  const head = 'CPU of the proxy for one operation, 50 connections, pipelines of 16; medians of the rounds';
  const lines = rows.map(({ name, cpuMicros }) => [
    name,
    digits(cpuOf(rows, name)),
    digits(Math.min(...cpuMicros)),
    digits(Math.max(...cpuMicros)),
  ]);
  return `${head}\n${renderTable(columns, lines)}`;
}

export function shardsPlot(rows: readonly ShardsRow[], machine: Machine): Plot {
  return {
    title: 'CPU of nearcache for one operation, µs',
    subtitle: machineLine(machine),
    series: [{ name: 'nearcache', colour: '#2e8b57' }],
    columns: 1,
    format: digits,
    panels: [{ title: 'µs', groups: rowNames.map((name) => ({ label: name, values: [cpuOf(rows, name)] })) }],
  };
}
