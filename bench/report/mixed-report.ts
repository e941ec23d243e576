/** How the rows of the mixed load look in the terminal and in the plot. */
import { type Machine, machineLine } from '../machine.ts';
import type { FailedMixedRow, MixedRow } from '../mixed-cell.ts';
import { type MixedTarget, mixedTargets } from '../mixed-stage.ts';
import type { MixedOptions } from '../options.ts';
import { connectionCount } from './series.ts';
import type { Plot } from './svg.ts';
import { type Column, digits, noise, percent, quantity, renderTable } from './table.ts';

type AnyRow = MixedRow | FailedMixedRow;

const columns: readonly Column[] = [
  { title: 'target', align: 'left' },
  { title: 'ops/s' },
  { title: 'slowest–fastest' },
  { title: '/ direct' },
  { title: '/ no hop' },
  { title: 'hits' },
  { title: 'Redis cmds/op' },
  { title: 'CPU µs/op' },
  { title: 'Redis µs/op' },
  { title: 'hop µs/op' },
  { title: 'hop held p50, p99 ms' },
  { title: 'generator core' },
  { title: 'note', align: 'left' },
];

const colours: Readonly<Record<MixedTarget, string>> = {
  direct: '#4c566a',
  nearcache: '#2e8b57',
  'nearcache-no-hop': '#a3be8c',
};

/** From here on of its core the generator may be what limits a row. */
const generatorIsFull = 0.95;

/** The rows of one connection count as a headed table. */
export function mixedTable(connections: number, rows: readonly AnyRow[], options: MixedOptions): string {
  const table = renderTable(
    columns,
    rows.map((row) => cells(row, rows)),
  );
  return `${loadOf(options)}, ${connectionCount(connections)}, P=1, across ${options.hopMs} ms each way\n${table}`;
}

/** Operations a second, one chart for each connection count, since they differ tenfold. Rows that failed or are invalid are
 *  gaps. */
export function mixedPlot(rows: readonly AnyRow[], machine: Machine, options: MixedOptions): Plot {
  const valid = rows.filter((row): row is MixedRow => !('failed' in row) && row.invalid === undefined);
  const counts = [...new Set(rows.map(({ connections }) => connections))];
  return {
    title: `${loadOf(options)}, across ${options.hopMs} ms each way, operations a second`,
    subtitle: machineLine(machine),
    series: mixedTargets.map((name) => ({ name, colour: colours[name] })),
    columns: counts.length,
    panels: counts.map((connections) => ({
      title: connectionCount(connections),
      groups: [
        {
          label: 'P=1',
          values: mixedTargets.map(
            (id) => valid.find((row) => row.target === id && row.connections === connections)?.opsPerSecond,
          ),
        },
      ],
    })),
    format: quantity,
  };
}

function loadOf({ readShare, exponent, keys, size }: MixedOptions): string {
  const writes = Math.round((1 - readShare) * 100);
  return `${100 - writes} % GET, ${writes} % SET, Zipf ${exponent}, ${keys} keys, ${size} B`;
}

function cells(row: AnyRow, rows: readonly AnyRow[]): string[] {
  if ('failed' in row) return [row.target, ...columns.slice(2).map(() => '–'), `failed: ${row.failed}`];
  const against = (target: MixedTarget): string => {
    const base = rows.find((each): each is MixedRow => each.target === target && !('failed' in each));
    return base === undefined ? '–' : `${digits(row.opsPerSecond / base.opsPerSecond)}×`;
  };
  return [
    row.target,
    quantity(row.opsPerSecond),
    `${quantity(Math.min(...row.opsPerRound))}–${quantity(Math.max(...row.opsPerRound))}`,
    against('direct'),
    against('nearcache-no-hop'),
    row.hitRatio === undefined ? '–' : percent(row.hitRatio),
    digits(row.backendCommandsPerOp),
    // Of the direct row the target is Redis itself.
    row.target === 'direct' ? '–' : digits(row.targetCpuMicros),
    digits(row.backendCpuMicros),
    digits(row.hopCpuMicros),
    row.held === undefined ? '–' : `${digits(row.held.p50)}, ${digits(row.held.p99)}`,
    percent(row.generatorShare),
    noteOf(row),
  ];
}

function noteOf(row: MixedRow): string {
  if (row.invalid !== undefined) return `INVALID: ${row.invalid}`;
  return row.generatorShare > generatorIsFull ? 'the generator is the limit' : noise(row);
}
