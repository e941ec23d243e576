import * as fc from 'fast-check';
import { expect, test } from 'vitest';

import type { DrillRecord } from '../../../../src/drill/record.ts';
import { renderDrillSummary, renderDrillText } from '../../../../src/drill/report/table.ts';
import { textTable, wrap } from '../../../../src/drill/report/text-table.ts';
import { calm, flapping, pausedShard } from './drill-records.ts';

const plain = { width: 100, hasColours: false };
const records = [pausedShard, flapping, calm];

function widest(text: string): number {
  return Math.max(...text.split('\n').map((line) => Array.from(line).length));
}

test('no line is wider than the frame, whatever the texts are', () => {
  const long = fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 200 });
  fc.assert(
    fc.property(long, fc.integer({ min: 60, max: 100 }), (text, width) => {
      const record: DrillRecord = {
        ...pausedShard,
        scenario: text.slice(0, 30),
        title: text,
        events: [{ atMs: 1000, text }],
        verdicts: [{ promise: text, passed: true, measured: text, allowed: text }],
        samples: pausedShard.samples.map((sample) => ({ ...sample, breakers: { [text]: 'open' } })),
      };
      const frame = { width, hasColours: false };
      expect(widest(renderDrillText(record, frame))).toBeLessThanOrEqual(width);
      expect(widest(renderDrillSummary([record], frame))).toBeLessThanOrEqual(width);
    }),
    { numRuns: 60 },
  );
});

test('colours are only for a terminal, and change nothing but the colour', () => {
  for (const record of records) {
    const text = renderDrillText(record, plain);
    expect(text).not.toContain('\u001B');
    const coloured = renderDrillText(record, { ...plain, hasColours: true });
    expect(coloured).toContain('\u001B[32mPASS');
    // oxlint-disable-next-line no-control-regex -- they are what is looked for
    expect(coloured.replaceAll(/\u001B\[\d+m/g, '')).toBe(text);
  }
});

test('what a terminal would obey is not printed', () => {
  const text = renderDrillText({ ...calm, title: 'a\u001B[2Jb\r\u202Ec' }, plain);
  expect(text).toContain('none: a [2Jb c');
});

test('each promise is told with what was measured and what was allowed', () => {
  const text = renderDrillText(pausedShard, plain);
  expect(text).toMatch(/^ {2}PASS {2}time to the first fast failure +2\.3 s +allowed < 10 s$/m);
  expect(text).toMatch(/^ {2}FAIL {2}p99 of the keys .* \+31 % +allowed < \+20 %$/m);
  expect(text).toMatch(/^FAIL {2}pause: /);
});

test('the timeline shows when the breaker was open and what happened', () => {
  const line = (name: string): string =>
    renderDrillText(pausedShard, plain)
      .split('\n')
      .find((each) => each.trim().startsWith(name)) ?? '';
  // Open from second 12 to 40 of 60, and 60 columns.
  const open = line('shard1').indexOf('█');
  expect(line('shard1').lastIndexOf('█') - open).toBe(27);
  expect(line('shard0')).not.toContain('█');
  expect(line('errors/s').indexOf('_▁')).toBe(open - 3);
  expect(line('events').indexOf('^')).toBe(open - 2);
});

test('a single short burst is seen, however many samples share its column', () => {
  const samples = Array.from({ length: 600 }, (_, i) => ({
    ...(calm.samples[0] as DrillRecord['samples'][number]),
    atMs: i * 100,
    errors: i === 333 ? 1 : 0,
  }));
  const text = renderDrillText({ ...calm, samples }, plain);
  expect(text).toMatch(/errors\/s +_+█_+ /);
});

test('the summary has a line for each run and ends with the whole', () => {
  const lines = renderDrillSummary(records, plain).split('\n');
  expect(lines.slice(0, 3).map((line) => line.slice(0, 14).trim())).toEqual([
    'FAIL  pause',
    'PASS  flapping',
    'PASS  none',
  ]);
  expect(lines.at(-1)).toBe('FAIL: 1 of 3 scenarios (pause), 1 of 9 promises broken');
  expect(renderDrillSummary([calm], plain)).toMatch(/PASS: 1 scenario, 1 promise kept$/);
  expect(renderDrillSummary([], plain)).toContain('FAIL: no scenario was run');
});

test('a run without samples says so', () => {
  expect(renderDrillText({ ...calm, samples: [] }, plain)).toContain('no samples');
});

test('wrapping keeps every word, and breaks only what is too long', () => {
  fc.assert(
    fc.property(fc.lorem({ maxCount: 30 }), fc.integer({ min: 4, max: 40 }), (text, width) => {
      const lines = wrap(text, width);
      expect(lines.join('').replaceAll(' ', '')).toBe(text.replaceAll(' ', ''));
      for (const line of lines) expect(line.length).toBeLessThanOrEqual(width);
    }),
  );
});

test('columns that may not wrap stay whole', () => {
  const rows = [
    ['PASS', 'a promise of many words', '12 ms'],
    ['FAIL', 'short', '3 ms'],
  ];
  expect(textTable(rows, 26, (column) => column === 1)).toEqual([
    'PASS  a promise of   12 ms',
    '      many words',
    'FAIL  short          3 ms',
  ]);
});
