import { expect, test } from 'vitest';

import { UsageError } from '../../../bench/flags.ts';
import { parseLatency, parseMixed, parseThroughput } from '../../../bench/options.ts';

test('without flags the whole matrix is measured', () => {
  expect(parseThroughput([])).toMatchObject({
    preset: 'full',
    targets: ['direct', 'twemproxy', 'haproxy', 'nearcache-off', 'nearcache-hit'],
    tests: ['get', 'set'],
    pipelines: [1, 16, 64],
    clients: [1, 50],
    sizes: [64, 1024, 16_384],
    pin: true,
  });
  expect(parseLatency([])).toMatchObject({ hopsMs: [0, 0.25, 0.5, 1], clients: [1, 50] });
});

test('the gate measures what its demands compare', () => {
  expect(parseThroughput(['--gate'])).toMatchObject({
    preset: 'gate',
    targets: ['direct', 'twemproxy', 'nearcache-off', 'nearcache-hit'],
    pipelines: [1, 16, 64],
    clients: [50],
    sizes: [64],
  });
  expect(parseLatency(['--gate'])).toMatchObject({
    targets: ['direct', 'nearcache-hit'],
    hopsMs: [0.5],
    clients: [1, 50],
  });
  expect(parseMixed(['--gate'])).toMatchObject({
    clients: [1, 8, 50],
    hopMs: 0.5,
    readShare: 0.9,
    exponent: 0.99,
  });
});

test('a flag wins over the preset', () => {
  const options = parseThroughput(['--quick', '--rounds', '9', '--targets', 'direct', '--no-pin']);
  expect(options).toMatchObject({ preset: 'quick', rounds: 9, targets: ['direct'], pin: false, sizes: [64] });
});

test.each([
  ['--pipeline', '0', 'numbers of at least 1'],
  ['--pipeline', '1,x', 'not "x"'],
  ['--targets', 'envoy', 'direct, twemproxy'],
  ['--rounds', '1,2', 'one number'],
  ['--colour', 'red', '--colour'],
])('%s %s is refused with what would be right', (flag, value, words) => {
  expect(() => parseThroughput([flag, value])).toThrow(UsageError);
  expect(() => parseThroughput([flag, value])).toThrow(words);
});

test('latency refuses what it does not measure', () => {
  expect(() => parseLatency(['--targets', 'haproxy'])).toThrow('does not measure haproxy');
});

test('a share of reads lies between 0 and 1', () => {
  expect(parseMixed(['--reads', '1'])).toMatchObject({ readShare: 1 });
  expect(() => parseMixed(['--reads', '1.1'])).toThrow('--reads takes a share from 0 to 1');
});
