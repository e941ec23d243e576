import { expect, test } from 'vitest';

import { digits, disturbance, median, quantity, renderTable } from '../../../../bench/report/table.ts';

test('a table is Markdown whose columns are as wide as their widest cell', () => {
  const table = renderTable(
    [{ title: 'target', align: 'left' }, { title: 'ops/s' }],
    [
      ['direct', '110 k'],
      ['nearcache-off', '1.23 M'],
    ],
  );
  expect(table.split('\n')).toEqual([
    '| target        |  ops/s |',
    '| :------------ | -----: |',
    '| direct        |  110 k |',
    '| nearcache-off | 1.23 M |',
  ]);
});

test('numbers keep about three digits whatever their size', () => {
  expect([0.0412, 1.234, 12.34, 123.4].map(digits)).toEqual(['0.041', '1.23', '12.3', '123']);
  expect([812, 12_345, 123_456, 1_234_567].map(quantity)).toEqual(['812', '12.3 k', '123 k', '1.23 M']);
});

test('what was not measured is a dash, not a zero', () => {
  expect([digits(undefined), digits(Number.NaN), quantity(undefined)]).toEqual(['–', '–', '–']);
});

test('the median of an even number of values lies between the middle two', () => {
  expect(median([9, 1, 5])).toBe(5);
  expect(median([9, 1, 5, 7])).toBe(6);
  expect(median([])).toBeNaN();
});

test('a run is called disturbed by its worst row, and failed rows do not count', () => {
  expect(disturbance([{ othersShare: 0.01 }, { failed: 'ended' }])).toBeUndefined();
  expect(disturbance([{ othersShare: 0.01 }, { othersShare: 0.3 }])).toContain('up to 30.0 % of the CPU');
});
