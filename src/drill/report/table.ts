/** The report for a terminal. */
import type { BreakerState, DrillRecord, DrillSample, DrillVerdict } from '../record.ts';
import { drillTimeline, perSecond, sampleEdges } from './drill-timeline.ts';
import { hasPassed, overall } from './outcome.ts';
import { digits, duration, shortCount } from './quantity.ts';
import { linearScale, logScale, type Scale } from './scale.ts';
import { inColumns, sparkline } from './sparkline.ts';
import { printable, textTable, wrap } from './text-table.ts';

/** Where the report is shown. Shape: `hasColours` only on a terminal. Bounds: no line is wider than `width`, at least 60. */
export interface TextFrame {
  readonly width: number;
  readonly hasColours: boolean;
}

const NAME_WIDTH = 12;
const RANGE_WIDTH = 18;
const COLUMNS_MAX = 60;
const LISTED_EVENTS = 8;
const INDENT = '  ';
const STATE_SIGNS: Readonly<Record<BreakerState, string>> = {
  closed: '·',
  'half-open': '▒',
  open: '█',
  unknown: '?',
};
/** Of several states in one column the most telling is shown. */
const STATE_ORDER: readonly BreakerState[] = ['open', 'half-open', 'unknown', 'closed'];

/** One run: its verdicts, and its timeline in a few lines. */
export function renderDrillText(record: DrillRecord, frame: TextFrame): string {
  const place = record.backend === 'container' ? 'containers' : 'processes';
  const head = `${record.scenario}: ${record.title} (${place}, ${digits(record.seconds)} s)`;
  const [first = '', ...rest] = wrap(printable(head), frame.width - 6);
  return [
    `${mark(hasPassed(record), frame)}  ${first}`,
    ...rest.map((line) => `      ${line}`),
    ...verdictLines(record.verdicts, frame),
    '',
    ...timelineLines(record, frame.width),
  ].join('\n');
}

/** All runs: a line for each, and the whole in one sentence. */
export function renderDrillSummary(records: readonly DrillRecord[], frame: TextFrame): string {
  const rows = records.map((record) => {
    const broken = record.verdicts.filter(({ passed }) => !passed).map(({ promise }) => promise);
    const kept = `${record.verdicts.length - broken.length} of ${record.verdicts.length}`;
    return [word(hasPassed(record)), record.scenario, `${kept} kept`, broken.join('; ')].map(printable);
  });
  const lines = textTable(rows, frame.width, (column) => column === 1 || column === 3);
  const { text, passed } = overall(records);
  const sentence = wrap(printable(text), frame.width).map((line) => paint(line, passed, frame));
  return [...lines.map((line) => coloured(line, frame)), '', ...sentence].join('\n');
}

function verdictLines(verdicts: readonly DrillVerdict[], frame: TextFrame): string[] {
  const rows = verdicts.map(({ passed, promise, measured, allowed }) =>
    [word(passed), promise, measured, `allowed ${allowed}`].map(printable),
  );
  return textTable(rows, frame.width - INDENT.length, (column) => column > 0).map(
    (line) => INDENT + coloured(line, frame),
  );
}

function timelineLines(record: DrillRecord, width: number): string[] {
  const { samples } = record;
  if (samples.length === 0) return [`${INDENT}no samples`];
  const columns = Math.min(COLUMNS_MAX, samples.length, width - NAME_WIDTH - RANGE_WIDTH - 6);
  const row = (name: string, line: string, range: string): string =>
    `${INDENT}${Array.from(name).slice(-NAME_WIDTH).join('').padEnd(NAME_WIDTH)}  ${line.padEnd(columns)}  ${range}`.trimEnd();
  const edges = sampleEdges(record);
  const rate = (name: string, count: (sample: DrillSample) => number): string => {
    const values = perSecond(samples, edges, count);
    const most = values.reduce((a, b) => Math.max(a, b), 0);
    return row(name, bars(values, columns, linearScale(most, 4)), `to ${shortCount(most)}`);
  };
  return [
    rate('requests/s', ({ requests }) => requests),
    latencyLine(samples, columns, row),
    rate('errors/s', ({ errors }) => errors),
    rate('hits/s', ({ hits }) => hits),
    rate('stale/s', ({ staleServed }) => staleServed),
    ...shardNames(samples).map((name) => row(printable(name), stateLine(samples, name, columns), '')),
    ...eventLines(record, columns, row),
  ];
}

type Row = (name: string, line: string, range: string) => string;

function latencyLine(samples: readonly DrillSample[], columns: number, row: Row): string {
  const values = samples.map(({ requests, p99Ms }) => (requests > 0 ? p99Ms : undefined));
  const known = values.filter((value) => value !== undefined);
  const [least, most] = [
    known.reduce((a, b) => Math.min(a, b), Infinity),
    known.reduce((a, b) => Math.max(a, b), 0),
  ];
  if (known.length === 0) return row('p99', ' ', 'no answers');
  return row('p99', bars(values, columns, logScale(least, most)), `${duration(least)} – ${duration(most)}`);
}

/** The highest of each column, so that a short burst is seen. */
function bars(values: readonly (number | undefined)[], columns: number, scale: Scale): string {
  const highest = inColumns(values, columns, (some) => {
    const known = some.filter((value) => value !== undefined);
    return known.length === 0 ? undefined : known.reduce((a, b) => Math.max(a, b), 0);
  });
  return sparkline(highest.map((value) => (value === undefined ? undefined : scale.at(value))));
}

function shardNames(samples: readonly DrillSample[]): string[] {
  return [...new Set(samples.flatMap(({ breakers }) => Object.keys(breakers)))];
}

function stateLine(samples: readonly DrillSample[], name: string, columns: number): string {
  const states = samples.map(({ breakers }) => breakers[name] ?? 'unknown');
  return inColumns(states, columns, (some) => STATE_ORDER.find((state) => some.includes(state)) ?? 'unknown')
    .map((state) => STATE_SIGNS[state ?? 'unknown'])
    .join('');
}

/** A pointer below the column in which each event came, and the first of them in words. */
function eventLines(record: DrillRecord, columns: number, row: Row): string[] {
  const { events, edges } = drillTimeline(record);
  if (events.length === 0) return [];
  const end = edges.at(-1) ?? 1;
  const pointers = Array.from({ length: columns }, () => ' ');
  for (const { at } of events) pointers[Math.min(columns - 1, Math.floor((at / end) * columns))] = '^';
  const listed = events
    .slice(0, LISTED_EVENTS)
    .map(({ at, text }) => row('', printable(`${digits(at)} s ${text}`).slice(0, columns + RANGE_WIDTH), ''));
  const more = events.length - listed.length;
  return [
    row('events', pointers.join(''), ''),
    ...listed,
    ...(more > 0 ? [row('', `and ${more} more`, '')] : []),
  ];
}

function word(passed: boolean): string {
  return passed ? 'PASS' : 'FAIL';
}

function mark(passed: boolean, frame: TextFrame): string {
  return paint(word(passed), passed, frame);
}

/** A line that begins with the word. */
function coloured(line: string, frame: TextFrame): string {
  return line.replace(/^(?:PASS|FAIL)/, (found) => paint(found, found === 'PASS', frame));
}

function paint(text: string, passed: boolean, { hasColours }: TextFrame): string {
  return hasColours ? `\u001B[${passed ? 32 : 31}m${text}\u001B[39m` : text;
}
