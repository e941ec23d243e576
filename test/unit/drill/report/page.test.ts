import * as fc from 'fast-check';
import { expect, test } from 'vitest';

import type { DrillRecord } from '../../../../src/drill/record.ts';
import { renderDrillPage } from '../../../../src/drill/report/page.ts';
import { calm, flapping, pausedShard } from './drill-records.ts';
import { classed, findAll, type Markup, named, parseMarkup } from './markup.ts';

function page(...records: readonly DrillRecord[]): Markup {
  return parseMarkup(renderDrillPage(records));
}

function idsOf(markup: Markup): string[] {
  return findAll(markup, ({ attributes }) => attributes.has('id')).map(
    ({ attributes }) => attributes.get('id') ?? '',
  );
}

test('the page loads nothing: no script, no link to elsewhere, no style from elsewhere', () => {
  const text = renderDrillPage([pausedShard, flapping, calm]);
  expect(text).not.toMatch(/<script|<link|<img|<iframe|@import|url\(|src=|https?:/i);
  const links = findAll(parseMarkup(text), ({ attributes }) => attributes.has('href'));
  expect(links.length).toBeGreaterThan(0);
  for (const { attributes } of links) expect(attributes.get('href')).toMatch(/^#/);
});

test('links and labels lead to elements that are there, each once', () => {
  const markup = page(pausedShard, flapping, pausedShard);
  const ids = idsOf(markup);
  expect(new Set(ids).size).toBe(ids.length);
  for (const { attributes } of findAll(markup, ({ attributes }) => attributes.has('href'))) {
    expect(ids).toContain(attributes.get('href')?.slice(1));
  }
  for (const { attributes } of findAll(markup, named('svg'))) {
    for (const id of attributes.get('aria-labelledby')?.split(' ') ?? ['none']) expect(ids).toContain(id);
  }
});

test('every sample is in the plot and in the table of numbers', () => {
  const markup = page(pausedShard);
  expect(findAll(markup, classed('step'))).toHaveLength(pausedShard.samples.length);
  const [numbers] = findAll(markup, classed('numbers')) as [Markup];
  const rows = findAll(numbers, named('tr'));
  expect(rows).toHaveLength(1 + pausedShard.samples.length);
  const columns = findAll(rows[0] as Markup, named('th')).length;
  for (const row of rows.slice(1)) expect(findAll(row, named('td'))).toHaveLength(columns);
});

test('rates do not depend on how long a sample is', () => {
  const of = (atMs: readonly number[]): string[] => {
    const samples = atMs.map((at, i) => ({
      ...(pausedShard.samples[0] as DrillRecord['samples'][number]),
      atMs: at,
      requests: 500 * ((atMs[i + 1] ?? 2000) - at),
    }));
    const [table] = findAll(page({ ...pausedShard, events: [], samples }), classed('numbers')) as [Markup];
    return findAll(table, named('tr'))
      .slice(1)
      .map((row) => findAll(row, named('td'))[1]?.text ?? '');
  };
  expect(of([0, 1000])).toEqual(['500,000', '500,000']);
  expect(of([0, 250, 1000, 1500])).toEqual(Array.from({ length: 4 }, () => '500,000'));
});

test('a broken promise is told at the top, in the overview and at its scenario', () => {
  const markup = page(flapping, pausedShard);
  const [verdict] = findAll(markup, classed('verdict')) as [Markup];
  expect(verdict.text).toBe('✗ FAIL: 1 of 2 scenarios (pause), 1 of 8 promises broken');
  const headings = findAll(markup, named('h2')).map(({ text }) => text);
  expect(headings).toEqual(['flapping ✓ pass', 'pause ✗ fail']);
  expect(findAll(markup, classed('outcome', 'failed')).length).toBe(1 + 1 + 1 + 1);
});

test('a run that nothing judged does not pass', () => {
  const [verdict] = findAll(page({ ...calm, verdicts: [] }), classed('verdict')) as [Markup];
  expect(verdict.text).toContain('FAIL');
  expect(page().text).toContain('no scenario was run');
});

test('settings that all runs share are told once', () => {
  const lists = findAll(page(pausedShard, flapping), classed('settings')).map((list) =>
    findAll(list, named('li')).map(({ text }) => text),
  );
  expect(lists).toEqual([
    ['--stale-if-error 30s', '--command-timeout 5s', '--cache-size 64mb'],
    ['--breaker-open-time 1s'],
  ]);
});

test('whatever a name holds, the page stays well-formed and shows it as it is', () => {
  const hostile = fc.oneof(
    // Any code units: control characters and halves of pairs too.
    fc
      .array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 30 })
      .map((units) => String.fromCharCode(...units)),
    fc.string({ maxLength: 30 }),
    fc.constantFrom('</title><script>', '"><img src=x>', '&amp;', ']]>', '<!--', "'", '\u0000\u001B[31m'),
  );
  const record = fc.record({ text: hostile, scenario: hostile }).map(
    ({ text, scenario }): DrillRecord => ({
      ...calm,
      scenario,
      title: text,
      settings: { [text]: text },
      samples: calm.samples.slice(0, 3).map((sample) => ({ ...sample, breakers: { [text]: 'open' } })),
      events: [{ atMs: 100, text }],
      verdicts: [{ promise: text, passed: false, measured: text, allowed: text }],
    }),
  );
  fc.assert(
    fc.property(record, (each) => {
      const markup = page(each);
      const [cell] = findAll(markup, named('section')).flatMap((section) => findAll(section, named('td')));
      const shown = each.title.toWellFormed().replaceAll(
        // oxlint-disable-next-line no-control-regex -- XML cannot hold them
        /[\u0000-\u0008\u000B\u000C\u000E-\u001F\uFFFE\uFFFF]/g,
        '\uFFFD',
      );
      expect(cell?.text).toBe(shown);
      expect(findAll(markup, named('script'))).toEqual([]);
    }),
    { numRuns: 40 },
  );
});
