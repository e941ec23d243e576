import { expect, test } from 'vitest';

import { UsageError } from '../../../bench/flags.ts';
import { parseHitRatio, parseL1, parseMemory } from '../../../bench/storage-options.ts';

test('without flags every policy is replayed on the traces that are made here', () => {
  const options = parseHitRatio([]);
  expect(options).toMatchObject({ preset: 'full', traces: [], bytes: false, requests: 1e6, seed: 1 });
  expect(options.policies).toEqual(expect.arrayContaining(['s3fifo', 'tinylfu', 'lru', 'exact-lru', 'opt']));
  expect(options.capacities).toEqual([
    { text: '1%', share: 0.01 },
    { text: '3%', share: 0.03 },
    { text: '10%', share: 0.1 },
    { text: '30%', share: 0.3 },
  ]);
});

test('traces come one a flag, and capacities may be entries and shares', () => {
  const options = parseHitRatio(['--trace', 'a,b.gz', '--trace', 'c', '--capacity', '1000,2%', '--gate']);
  expect(options).toMatchObject({ preset: 'gate', traces: ['a,b.gz', 'c'] });
  expect(options.capacities).toEqual([
    { text: '1000', amount: 1000 },
    { text: '2%', share: 0.02 },
  ]);
});

test('with --bytes capacities are sizes', () => {
  expect(parseHitRatio(['--bytes', '--capacity', '64mb']).capacities).toEqual([
    { text: '64mb', amount: 64 * 2 ** 20 },
  ]);
});

test('memory and l1 measure what their demands are about, and less when in a hurry', () => {
  expect(parseMemory([])).toMatchObject({
    limits: [64 * 2 ** 20, 256 * 2 ** 20],
    inserts: 1_500_000,
    churnKeys: 10_000_000,
  });
  expect(parseMemory(['--quick', '--minutes', '30'])).toMatchObject({
    preset: 'quick',
    limits: [64 * 2 ** 20],
    minutes: 30,
  });
  expect(parseL1([])).toMatchObject({ entries: 1_000_000, rounds: 7 });
  expect(parseL1(['--quick']).entries).toBeLessThan(1_000_000);
});

test.each([
  [parseHitRatio, '--capacity', '64mb', 'entries such as 1000'],
  [parseHitRatio, '--capacity', '0%', 'not "0%"'],
  [parseHitRatio, '--capacity', '101%', 'not "101%"'],
  [parseHitRatio, '--policy', 'mru', 'exact-lru'],
  [parseHitRatio, '--pin', '', '--pin'],
  [parseMemory, '--limit', 'much', 'sizes such as 64mb'],
  [parseL1, '--entries', '10', 'at least 1000'],
] as const)('%o refuses %s %s with what would be right', (parse, flag, value, words) => {
  const args = value === '' ? [flag] : [flag, value];
  expect(() => parse(args)).toThrow(UsageError);
  expect(() => parse(args)).toThrow(words);
});
