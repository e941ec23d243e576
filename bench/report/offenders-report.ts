/** How the offenders' benchmark looks in the terminal and in the plot. */
import { type Machine, machineLine } from '../machine.ts';
import type { EndRow, MemoryRow, OthersRow, QuietShares } from '../offenders/offenders-rows.ts';
import type { Plot } from './svg.ts';
import { type Column, digits, percent, renderTable } from './table.ts';

const MB = 1024 * 1024;

export function othersTable(rows: readonly OthersRow[]): string {
  const columns: readonly Column[] = [
    { title: 'other clients', align: 'left' },
    { title: 'nearcache', align: 'left' },
    { title: 'requests' },
    { title: 'p50 ms' },
    { title: 'p99 ms' },
    { title: 'p99.9 ms' },
    { title: 'longest ms' },
  ];
  const lines = rows.flatMap(({ name, beside, apart }) =>
    [
      { at: 'with offenders', of: beside },
      { at: 'without', of: apart },
    ].map(({ at, of }) => [
      name,
      at,
      String(of.count),
      digits(of.p50),
      digits(of.p99),
      digits(of.p999),
      digits(of.max),
    ]),
  );
  return renderTable(columns, lines);
}

export function quietLine({ all, big }: QuietShares): string {
  const shares = `${percent(all)} of the seconds (${percent(big)} of those with the large value)`;
  return `Requests of ${shares}: in the others the hypervisor gave CPU time to other machines.`;
}

export function endsTable(rows: readonly EndRow[]): string {
  const columns: readonly Column[] = [
    { title: 'offender', align: 'left' },
    { title: 'how many' },
    { title: 'ended' },
    { title: 'how', align: 'left' },
  ];
  return renderTable(
    columns,
    rows.map(({ offender, count, ended, how }) => [offender, String(count), String(ended), how]),
  );
}

export function memoryLine({ peak, apart, limit }: MemoryRow): string {
  const mb = (bytes: number): string => `${Math.round(bytes / MB)} MiB`;
  return `Resident memory at its peak: ${mb(peak)}, without offenders ${mb(apart)}; --max-clients-memory ${mb(limit)}.`;
}

export function offendersPlot(rows: readonly OthersRow[], machine: Machine): Plot {
  return {
    title: 'Other clients while offenders come, ms',
    subtitle: machineLine(machine),
    series: [
      { name: 'with offenders', colour: '#b22222' },
      { name: 'without', colour: '#2e8b57' },
    ],
    columns: 2,
    format: digits,
    panels: rows.map(({ name, beside, apart }) => ({
      title: name,
      groups: (['p50', 'p99', 'p999'] as const).map((label) => ({
        label,
        values: [beside[label], apart[label]],
      })),
    })),
  };
}
