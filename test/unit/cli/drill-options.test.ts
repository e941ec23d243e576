import { expect, test } from 'vitest';

import { type DrillToolOptions, readDrillOptions } from '../../../src/cli/drill-options.ts';
import { SCENARIOS } from '../../../src/drill/scenarios.ts';

function read(...argv: readonly string[]): DrillToolOptions {
  const result = readDrillOptions(argv);
  if ('problems' in result) throw new Error(result.problems.join('\n'));
  return result.options;
}

function problems(...argv: readonly string[]): readonly string[] {
  const result = readDrillOptions(argv);
  return 'problems' in result ? result.problems : [];
}

test('what is not given has its default', () => {
  expect(read('kill')).toEqual({
    list: false,
    scenarios: ['kill'],
    seconds: 20,
    rate: 1000,
    shards: 3,
    backend: 'auto',
    image: 'redis:7',
    report: undefined,
    json: undefined,
    keep: false,
  });
});

test('all means every scenario, and numbers may carry their unit', () => {
  const options = read('all', '--seconds', '5s', '--rate', '200/s', '--backend', 'process', '--keep');
  expect(options.scenarios).toEqual(SCENARIOS.map(({ name }) => name));
  expect([options.seconds, options.rate, options.backend, options.keep]).toEqual([5, 200, 'process', true]);
});

test('all mistakes are told at once', () => {
  const told = problems('nosuch', '--second=5', '--rate', '10', '--backend', 'vm', '--report');
  expect(told.map((line) => line.replace(/[:;].*/, ''))).toEqual([
    '--second',
    '--report',
    'drill',
    '--backend',
    '--rate',
  ]);
  expect(told[0]).toContain('did you mean --seconds?');
});

test('a scenario is required, unless they are to be listed', () => {
  expect(problems()).toEqual([expect.stringMatching(/which scenario\? accepted: all, stop, /)]);
  expect(read('--list').list).toBe(true);
});
