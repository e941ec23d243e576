import { expect, test } from 'vitest';

import type { FailedMixedRow, MixedRow } from '../../../../bench/mixed-cell.ts';
import { parseMixed } from '../../../../bench/options.ts';
import { mixedPlot, mixedTable } from '../../../../bench/report/mixed-report.ts';

const options = parseMixed([]);

const direct: MixedRow = {
  target: 'direct',
  connections: 1,
  opsPerSecond: 1_000,
  opsPerRound: [900, 1_000, 1_100],
  generatorShare: 0.02,
  targetCpuMicros: 20,
  backendCpuMicros: 20,
  hopCpuMicros: 50,
  held: { count: 10, p50: 0.5, p99: undefined, p999: undefined, max: 1 },
  backendCommandsPerOp: 1,
  hitRatio: undefined,
  othersShare: 0,
  invalid: undefined,
};
const nearcache: MixedRow = { ...direct, target: 'nearcache', opsPerSecond: 4_000, hitRatio: 0.9 };

test('a row is compared with direct, and a missing reference is a dash', () => {
  const table = mixedTable(1, [direct, nearcache], options);
  expect(table).toContain('90 % GET, 10 % SET, Zipf 0.99, 10000 keys, 64 B, 1 connection');
  const line = table.split('\n').find((each) => each.startsWith('| nearcache')) ?? '';
  const cells = line.split('|').map((cell) => cell.trim());
  expect(cells.slice(1, 7)).toEqual(['nearcache', '4.00 k', '900–1.10 k', '4.00×', '–', '90.0 %']);
});

test('a row that its generator may have limited says so', () => {
  const full = { ...nearcache, generatorShare: 0.97 };
  expect(mixedTable(1, [direct, nearcache], options)).not.toContain('generator is the limit');
  expect(mixedTable(1, [direct, full], options)).toContain('generator is the limit');
});

test('rows that failed or are invalid are gaps of the plot', () => {
  const failed: FailedMixedRow = { target: 'nearcache-no-hop', connections: 1, failed: 'ended' };
  const rows = [direct, { ...nearcache, invalid: 'no writes' }, failed];
  const machine = {
    cpu: 'cpu',
    cores: 2,
    kernel: '6',
    node: '26',
    redis: '7',
    date: '2026-01-01',
    command: '',
  };
  const plot = mixedPlot(rows, { ...machine, twemproxy: undefined, haproxy: undefined }, options);
  expect(plot.panels[0]?.groups[0]?.values).toEqual([1_000, undefined, undefined]);
});
