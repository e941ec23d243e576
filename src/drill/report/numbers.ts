import type { DrillRecord, DrillSample } from '../record.ts';
import { perSecond, sampleEdges } from './drill-timeline.ts';
import { digits } from './quantity.ts';
import { element, textElement } from './svg.ts';

const RATES: readonly (readonly [title: string, count: (sample: DrillSample) => number])[] = [
  ['requests/s', ({ requests }) => requests],
  ['errors/s', ({ errors }) => errors],
  ['within 5 ms', ({ fastErrors }) => fastErrors],
  ['hits/s', ({ hits }) => hits],
  ['stale/s', ({ staleServed }) => staleServed],
  ['nil instead/s', ({ missesServed }) => missesServed],
];

const TIMES: readonly (readonly [title: string, ms: (sample: DrillSample) => number])[] = [
  ['p50 ms', ({ p50Ms }) => p50Ms],
  ['p99 ms', ({ p99Ms }) => p99Ms],
  ['max ms', ({ maxMs }) => maxMs],
];

/** What the plots show, for those who cannot see them or want to copy it. */
export function numbersTable(record: DrillRecord): string {
  const { samples } = record;
  const edges = sampleEdges(record);
  const rates = RATES.map(([, count]) => perSecond(samples, edges, count));
  const titles = ['from s', ...[...RATES, ...TIMES].map(([title]) => title), 'reconnects', 'breakers'];
  const rows = samples.map((sample, i) => {
    const numbers = [
      edges[i] as number,
      ...rates.map((values) => values[i] as number),
      ...TIMES.map(([, ms]) => ms(sample)),
      sample.reconnects,
    ];
    const states = Object.entries(sample.breakers).map(([shard, state]) => `${shard} ${state}`);
    return element(
      'tr',
      {},
      ...numbers.map((number) => textElement('td', {}, digits(number))),
      textElement('td', { class: 'states' }, states.join(', ')),
    );
  });
  const head = titles.map((title) => textElement('th', { scope: 'col' }, title));
  return element(
    'div',
    { class: 'scroll', tabindex: 0 },
    element(
      'table',
      { class: 'numbers' },
      textElement('caption', { class: 'about' }, `${record.scenario}, sample by sample`),
      element('thead', {}, element('tr', {}, ...head)),
      element('tbody', {}, ...rows),
    ),
  );
}
