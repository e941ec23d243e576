/** How the ring's figures look in the terminal and in the plot. */
import type { KeyHashName } from '../../src/route/key-hashes.ts';
import { type Machine, machineLine } from '../machine.ts';
import {
  figures,
  fullestMost,
  type LookupRow,
  type NamesRow,
  type NamesSample,
  nanosOf,
  type PlacementCell,
} from '../ring/ring-rows.ts';
import type { Plot } from './svg.ts';
import { type Column, digits, percent, quantity, renderTable } from './table.ts';

const colours: Readonly<Record<KeyHashName, string>> = {
  one_at_a_time: '#4c566a',
  md5: '#bf616a',
  crc16: '#d08770',
  crc32: '#e5a98c',
  crc32a: '#ebcb8b',
  fnv1_64: '#a3be8c',
  fnv1a_64: '#2e8b57',
  fnv1_32: '#7fbfa5',
  fnv1a_32: '#3b9c9c',
  hsieh: '#88a0c0',
  murmur: '#5e81ac',
  jenkins: '#b48ead',
};

/** How a ring is divided between the shards, by their names alone. */
export function namesTable(rows: readonly NamesRow[], samples: readonly NamesSample[]): string {
  const counts = samples.map(({ shards }) => shards);
  const columns: readonly Column[] = [
    { title: 'names', align: 'left' },
    ...counts.map((shards) => ({ title: `${shards} shards` })),
  ];
  const made = (title: string, value: (sample: NamesSample) => string): string[] => [
    `${samples[0]?.sets ?? 0} made-up sets: ${title}`,
    ...samples.map(value),
  ];
  const head =
    'Ketama, 160 points a shard: the largest share of the ring over the mean, by the names of the shards';
  return `${head}\n${renderTable(columns, [
    ...rows.map(({ names, largest }) => [names, ...counts.map((shards) => ratio(largest[shards]))]),
    made('median', (sample) => ratio(sample.median)),
    made('90th percentile', (sample) => ratio(sample.ninth)),
    made('worst', (sample) => ratio(sample.worst)),
    made(`at most ${fullestMost}`, (sample) => percent(sample.within)),
  ])}`;
}

/** A row a hash. `cells` are of one distribution and key set. */
export function placementTable(cells: readonly PlacementCell[], keys: number): string {
  const [first] = cells;
  if (first === undefined) return '';
  const counts = unique(cells.map(({ shards }) => shards));
  const columns: readonly Column[] = [
    { title: 'hash', align: 'left' },
    ...counts.flatMap((shards) => [{ title: `${shards} shards` }, { title: 'moved' }]),
  ];
  const rows = unique(cells.map(({ hash }) => hash)).map((hash) => [
    hash,
    ...counts.flatMap((shards) => {
      const cell = cells.find((each) => each.hash === hash && each.shards === shards);
      return cell === undefined ? ['–', '–'] : [ratio(cell.fullest), percent(cell.moved)];
    }),
  ]);
  const what = 'fullest shard over the mean, and the keys that moved when its last shard was added';
  const head = `${first.distribution}, ${quantity(keys)} ${first.keySet} keys, shard0 …: ${what}`;
  return `${head}\n${renderTable(columns, rows)}`;
}

export function lookupTable(rows: readonly LookupRow[]): string {
  const columns: readonly Column[] = [
    { title: 'hash', align: 'left' },
    ...figures.map((figure) => ({ title: `${figure}, ns` })),
  ];
  const head = 'CPU time of a lookup, rings of 10 shards; medians of the rounds';
  return `${head}\n${renderTable(
    columns,
    rows.map((row) => [row.hash, ...figures.map((figure) => digits(nanosOf(row, figure)))]),
  )}`;
}

/** A chart a number of shards, and one of the cost. Hashes that leave all keys to one shard are gaps. */
export function ringPlot(
  cells: readonly PlacementCell[],
  lookups: readonly LookupRow[],
  machine: Machine,
): Plot {
  const hashes = lookups.map(({ hash }) => hash);
  const counts = unique(cells.map(({ shards }) => shards));
  const balance = (keySet: PlacementCell['keySet']): Plot['panels'][number] => ({
    title: `ketama, ${keySet} keys: fullest shard over the mean`,
    groups: counts.map((shards) => ({
      label: `${shards} shards`,
      values: hashes.map((hash) => {
        const cell = cells.find(
          (each) =>
            each.distribution === 'ketama' &&
            each.keySet === keySet &&
            each.hash === hash &&
            each.shards === shards,
        );
        return cell === undefined || cell.fullest >= 2 ? undefined : cell.fullest;
      }),
    })),
  });
  return {
    title: 'Keys over the shards of a ring, and the cost of a lookup',
    subtitle: machineLine(machine),
    series: hashes.map((name) => ({ name, colour: colours[name] })),
    columns: 3,
    panels: [
      balance('random'),
      balance('numbered'),
      ...figures.map((figure) => ({
        title: `${figure} keys: ns`,
        groups: [{ label: '', values: lookups.map((row) => nanosOf(row, figure)) }],
      })),
    ],
    format: (value) => (value < 2 ? '' : value.toFixed(0)),
  };
}

function ratio(value: number | undefined): string {
  return value === undefined ? '–' : value.toFixed(3);
}

function unique<T>(items: readonly T[]): T[] {
  return [...new Set(items)];
}
