/** How the cost of the breaker looks in the terminal and in the plot. */
import { type BreakerRow, compare } from '../breaker/breaker-rows.ts';
import { type Machine, machineLine } from '../machine.ts';
import type { Plot } from './svg.ts';
import { type Column, digits, quantity, renderTable } from './table.ts';

const MB = 1024 * 1024;

const columns: readonly Column[] = [
  { title: 'operation', align: 'left' },
  { title: 'ops/s on' },
  { title: 'off' },
  { title: 'ratio' },
  { title: 'CPU µs/op on' },
  { title: 'off' },
  { title: 'ratio' },
  { title: 'RSS MiB on' },
  { title: 'off' },
];

export function breakerTable(rows: readonly BreakerRow[]): string {
  const lines = rows.map((row) => {
    const { opsPerSecond, cpuMicros, residentBytes, speedRatio, cpuRatio } = compare(row);
    return [
      row.name,
      quantity(opsPerSecond.on),
      quantity(opsPerSecond.off),
      digits(speedRatio),
      digits(cpuMicros.on),
      digits(cpuMicros.off),
      digits(cpuRatio),
      digits(residentBytes.on / MB),
      digits(residentBytes.off / MB),
    ];
  });
  return renderTable(columns, lines);
}

export function breakerPlot(rows: readonly BreakerRow[], machine: Machine): Plot {
  const compared = rows.map((row) => ({ label: row.name, ...compare(row) }));
  return {
    title: 'The circuit breaker while all is well',
    subtitle: machineLine(machine),
    series: [
      { name: 'breaker on', colour: '#2e8b57' },
      { name: 'breaker off', colour: '#8a8a8a' },
    ],
    columns: 2,
    format: quantity,
    panels: [
      {
        title: 'operations a second',
        groups: compared.map(({ label, opsPerSecond: { on, off } }) => ({ label, values: [on, off] })),
      },
      {
        title: 'CPU of nearcache for one operation, ns',
        groups: compared.map(({ label, cpuMicros: { on, off } }) => ({
          label,
          values: [on * 1000, off * 1000],
        })),
      },
    ],
  };
}
