import { expect, test } from 'vitest';

import type { HitRatioCell } from '../../../../bench/hit-ratio.ts';
import { hitRatioPlot, summaryTable, traceTable } from '../../../../bench/report/hit-ratio-report.ts';

const cells: readonly HitRatioCell[] = (
  [
    ['s3fifo', '1%', 600],
    ['exact-lru', '1%', 500],
    ['opt', '1%', 500],
    ['s3fifo', '10%', 700],
    ['exact-lru', '10%', 760],
  ] as const
).map(([policy, text, hits]) => {
  return {
    trace: 'web',
    keys: 10_000,
    requests: 1_000,
    capacity: { text, share: 0.01 },
    entries: 100,
    policy,
    hits,
  };
});

test('a row has the hits of a policy and its misses in relation to those of LRU', () => {
  const lines = traceTable(cells, false)
    .split('\n')
    .map((line) => line.replaceAll(/ +/g, ' '));
  expect(lines[0]).toBe('web: 1000 requests, 10000 keys, equal entries; misses against exact LRU');
  expect(lines).toContain('| s3fifo | 60.00 | −20.0 % | 70.00 | +25.0 % |');
  expect(lines).toContain('| exact-lru | 50.00 | 0.0 % | 76.00 | 0.0 % |');
  expect(lines).toContain('| opt | 50.00 | 0.0 % | – | – |');
});

test('the summary has the mean, the best and the worst of all cells', () => {
  const lines = summaryTable(cells)
    .split('\n')
    .map((line) => line.replaceAll(/ +/g, ' '));
  expect(lines).toContain('| s3fifo | +2.5 % | −20.0 % | +25.0 % |');
  expect(lines).toContain('| opt | 0.0 % | 0.0 % | 0.0 % |');
});

test('the plot has a chart a trace and leaves a gap where nothing was replayed', () => {
  const machine = { cpu: 'c', cores: 1, kernel: 'k', node: 'n', date: '2026-01-01', command: '' };
  const versions = { redis: undefined, twemproxy: undefined, haproxy: undefined };
  const { series, panels } = hitRatioPlot(cells, { ...machine, ...versions });
  expect(series.map(({ name }) => name)).toEqual(['s3fifo', 'opt']);
  expect(panels).toEqual([
    {
      title: 'web',
      groups: [
        { label: '@ 1%', values: [60, 50] },
        { label: '@ 10%', values: [70, undefined] },
      ],
    },
  ]);
});
