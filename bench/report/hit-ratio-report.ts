/** How hit ratios look in the terminal and in the plot. */
import { missRatio } from '../hit-ratio/gate.ts';
import type { PolicyName } from '../hit-ratio/policies.ts';
import type { HitRatioCell } from '../hit-ratio.ts';
import { type Machine, machineLine } from '../machine.ts';
import type { Plot, Series } from './svg.ts';
import { type Column, renderTable } from './table.ts';

/** Those that a plot has room for: what nearcache has, what it had before, and the bound. */
const plotted: readonly (Series & { readonly name: PolicyName })[] = [
  { name: 's3fifo', colour: '#2e8b57' },
  { name: 'tinylfu', colour: '#5e81ac' },
  { name: 'lru', colour: '#d08770' },
  { name: 'arc', colour: '#b48ead' },
  { name: 'w-tinylfu', colour: '#88a0c0' },
  { name: 'opt', colour: '#4c566a' },
];

/** All cells of one trace: a row a policy; a capacity has its hits in percent and how its misses compare with LRU's. */
export function traceTable(cells: readonly HitRatioCell[], bytes: boolean): string {
  const [first] = cells;
  if (first === undefined) return '';
  const capacities = unique(cells.map(({ capacity }) => capacity.text));
  const columns: readonly Column[] = [
    { title: 'policy', align: 'left' },
    ...capacities.flatMap((text) => [{ title: `@ ${text}, hits %` }, { title: 'misses' }]),
  ];
  const rows = unique(cells.map(({ policy }) => policy)).map((policy) => [
    policy,
    ...capacities.flatMap((text) => {
      const own = cells.filter(({ capacity }) => capacity.text === text);
      const cell = own.find((each) => each.policy === policy);
      const lru = own.find((each) => each.policy === 'exact-lru');
      return cell === undefined || lru === undefined
        ? ['–', '–']
        : [hitsOf(cell), change(missRatio(cell, lru))];
    }),
  ]);
  const unit = bytes ? 'entries with their sizes' : 'equal entries';
  const head = `${first.trace}: ${first.requests} requests, ${first.keys} keys, ${unit}; misses against exact LRU`;
  return `${head}\n${renderTable(columns, rows)}`;
}

/** Over all cells: how each policy's misses compare with LRU's on the mean, at best and at worst. */
export function summaryTable(cells: readonly HitRatioCell[]): string {
  const columns: readonly Column[] = [
    { title: 'policy', align: 'left' },
    ...['mean', 'best', 'worst'].map((title) => ({ title: `misses, ${title}` })),
  ];
  const rows = unique(cells.map(({ policy }) => policy)).map((policy) => {
    const ratios = cells
      .filter((cell) => cell.policy === policy)
      .map((cell) => {
        const lru = cells.find(
          (each) =>
            each.policy === 'exact-lru' &&
            each.trace === cell.trace &&
            each.capacity.text === cell.capacity.text,
        );
        return lru === undefined ? Number.NaN : missRatio(cell, lru);
      });
    const mean = ratios.reduce((sum, ratio) => sum + ratio, 0) / ratios.length;
    return [policy, ...[mean, Math.min(...ratios), Math.max(...ratios)].map(change)];
  });
  return `All cells; misses against exact LRU\n${renderTable(columns, rows)}`;
}

/** A chart a trace, a group a capacity. */
export function hitRatioPlot(cells: readonly HitRatioCell[], machine: Machine): Plot {
  const series = plotted.filter(({ name }) => cells.some(({ policy }) => policy === name));
  const panels = unique(cells.map(({ trace }) => trace)).map((trace) => {
    const own = cells.filter((cell) => cell.trace === trace);
    return {
      title: trace,
      groups: unique(own.map(({ capacity }) => capacity.text)).map((text) => ({
        label: `@ ${text}`,
        values: series.map(({ name }) => {
          const cell = own.find(({ policy, capacity }) => policy === name && capacity.text === text);
          return cell === undefined ? undefined : (100 * cell.hits) / cell.requests;
        }),
      })),
    };
  });
  return {
    title: 'Hits, percent of requests',
    subtitle: machineLine(machine),
    series,
    columns: 2,
    panels,
    // Bars are narrow: whole percents fit.
    format: (value) => value.toFixed(0),
  };
}

function hitsOf({ hits, requests }: HitRatioCell): string {
  return ((100 * hits) / requests).toFixed(2);
}

function change(ratio: number): string {
  const percent = (ratio - 1) * 100;
  return `${percent > 0 ? '+' : percent < 0 ? '−' : ''}${Math.abs(percent).toFixed(1)} %`;
}

function unique<T>(items: readonly T[]): T[] {
  return [...new Set(items)];
}
