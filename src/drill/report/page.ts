/** The report as one HTML file: no script, nothing loaded from anywhere, markup that is XML too. */
import type { DrillRecord, DrillVerdict } from '../record.ts';
import { renderChart } from './chart.ts';
import { drillTimeline } from './drill-timeline.ts';
import { numbersTable } from './numbers.ts';
import { hasPassed, overall } from './outcome.ts';
import { digits } from './quantity.ts';
import { chartStyle, pageStyle } from './style.ts';
import { type Attributes, element, escapeMarkup, textElement } from './svg.ts';

const WIDE = 968;
const NARROW = 368;
/** A longer list of events is folded away. */
const LISTED_MAX = 8;

/** The page of all runs of a drill. */
export function renderDrillPage(records: readonly DrillRecord[]): string {
  const common = sharedSettings(records);
  const outcome = overall(records);
  const title = 'nearcache: failure drills';
  const body = element(
    'body',
    {},
    element(
      'header',
      {},
      textElement('h1', {}, 'Failure drills'),
      textElement('p', { class: 'about' }, about(records)),
      textElement(
        'p',
        { class: `verdict outcome ${outcome.passed ? 'passed' : 'failed'}`, style: 'white-space:normal' },
        `${outcome.passed ? '✓' : '✗'} ${outcome.text}`,
      ),
      settingsList(common),
    ),
    element('main', {}, overview(records), ...records.map((record, i) => scenario(record, i, common))),
  );
  const head = element(
    'head',
    {},
    element('meta', { charset: 'utf-8' }),
    element('meta', { name: 'viewport', content: 'width=device-width, initial-scale=1' }),
    textElement('title', {}, title),
    element('style', {}, `\n${chartStyle}\n${pageStyle}\n`),
  );
  return `<!DOCTYPE html>\n${element('html', { lang: 'en' }, head, body)}\n`;
}

function about(records: readonly DrillRecord[]): string {
  const backends = [...new Set(records.map(({ backend }) => backend))].map((backend) =>
    backend === 'container' ? 'containers' : 'local processes',
  );
  const started = records.map(({ startedAt }) => startedAt).toSorted()[0];
  if (started === undefined) return 'Nothing was run';
  return `Redis in ${backends.join(' and in ')} · ${wallTime(started)}`;
}

/** `2026-11-21 18:25 UTC`. */
function wallTime(iso: string): string {
  return iso.replace(/^(\S+)T(\d\d:\d\d).*Z$/, '$1 $2 UTC');
}

/** One line for each scenario. */
function overview(records: readonly DrillRecord[]): string {
  const rows = records.map((record, i) => {
    const broken = record.verdicts.filter(({ passed }) => !passed).map(({ promise }) => promise);
    const kept = `${record.verdicts.length - broken.length} of ${record.verdicts.length}`;
    return [
      textElement('a', { href: `#${anchor(i)}` }, record.scenario),
      outcomeMark(hasPassed(record)),
      kept,
      escapeMarkup(broken.join('; ')),
    ];
  });
  return table('overview', ['scenario', 'outcome', 'promises kept', 'broken'], rows);
}

function scenario(record: DrillRecord, index: number, common: Settings): string {
  const timeline = drillTimeline(record);
  const own = Object.entries(record.settings).filter(([flag]) => !common.some(([each]) => each === flag));
  const id = anchor(index);
  return element(
    'section',
    { id },
    element('h2', {}, `${escapeMarkup(record.scenario)} `, outcomeMark(hasPassed(record))),
    textElement('p', {}, record.title),
    textElement('p', { class: 'about' }, aboutRun(record)),
    settingsList(own),
    verdictTable(record.verdicts),
    element(
      'figure',
      {},
      element('div', { class: 'wide' }, renderChart(timeline, { id: `${id}-wide`, width: WIDE })),
      element('div', { class: 'narrow' }, renderChart(timeline, { id: `${id}-narrow`, width: NARROW })),
    ),
    eventList(timeline.events),
    element('details', {}, textElement('summary', {}, 'All numbers'), numbersTable(record)),
  );
}

function aboutRun({ backend, seconds, startedAt }: DrillRecord): string {
  return `${backend === 'container' ? 'Containers' : 'Local processes'} · ${digits(seconds)} s · ${wallTime(startedAt)}`;
}

function verdictTable(verdicts: readonly DrillVerdict[]): string {
  const rows = verdicts.map(({ promise, passed, measured, allowed }) => [
    escapeMarkup(promise),
    outcomeMark(passed),
    escapeMarkup(measured),
    escapeMarkup(allowed),
  ]);
  return table('verdicts', ['promise', 'outcome', 'measured', 'allowed'], rows);
}

/** Shape: cells are markup. On a narrow page a row is a card, whose first two cells need no title. */
function table(name: string, titles: readonly string[], rows: readonly (readonly string[])[]): string {
  const head = titles.map((title) => textElement('th', { scope: 'col' }, title));
  const titled = (i: number): Attributes => (i < 2 ? {} : { 'data-title': titles[i] ?? '' });
  const body = rows.map((row) => element('tr', {}, ...row.map((cell, i) => element('td', titled(i), cell))));
  return element(
    'table',
    { class: `cards ${name}` },
    element('thead', {}, element('tr', {}, ...head)),
    element('tbody', {}, ...body),
  );
}

function eventList(events: readonly { readonly at: number; readonly text: string }[]): string {
  if (events.length === 0) return '';
  const items = events.map(({ at, text }) => textElement('li', {}, `${digits(at)} s: ${text}`));
  const list = element('ol', { class: 'events' }, ...items);
  if (events.length <= LISTED_MAX) return list;
  return element('details', {}, textElement('summary', {}, `All ${events.length} events`), list);
}

type Settings = readonly (readonly [flag: string, value: string])[];

/** Settings that all runs have in common. */
function sharedSettings(records: readonly DrillRecord[]): Settings {
  const [first, ...others] = records;
  return Object.entries(first?.settings ?? {}).filter(([flag, value]) =>
    others.every(({ settings }) => settings[flag] === value),
  );
}

function settingsList(settings: Settings): string {
  if (settings.length === 0) return '';
  const items = settings.map(([flag, value]) =>
    element('li', {}, textElement('code', {}, `${flag} ${value}`)),
  );
  return element('ul', { class: 'settings', 'aria-label': 'settings' }, ...items);
}

function outcomeMark(passed: boolean): string {
  return passed
    ? element('span', { class: 'outcome passed' }, '✓ pass')
    : element('span', { class: 'outcome failed' }, '✗ fail');
}

function anchor(index: number): string {
  return `run-${index + 1}`;
}
