import { expect, test } from 'vitest';

import { UsageError } from '../../../../bench/flags.ts';
import { parseRing } from '../../../../bench/ring/ring-options.ts';
import { judgeRing, type PlacementCell } from '../../../../bench/ring/ring-rows.ts';
import { keyHashNames } from '../../../../src/route/key-hashes.ts';

/** Every hash over 5 and over 10 shards, just within its bounds. */
const within: readonly PlacementCell[] = keyHashNames.flatMap((hash) =>
  [5, 10].map((shards) => ({
    distribution: 'ketama' as const,
    keySet: 'random' as const,
    hash,
    shards,
    fullest: shards === 10 ? 1.15 : 1.3,
    moved: 1 / shards + 0.0199,
  })),
);

function failedWith(change: Partial<PlacementCell>, shards: number): string[] {
  const cells = within.map((cell) =>
    cell.hash === 'md5' && cell.shards === shards ? { ...cell, ...change } : cell,
  );
  return judgeRing(cells).flatMap(({ what, pass }) => (pass ? [] : [what]));
}

test('every hash but crc32 must be balanced at ten shards, and move few keys at any number', () => {
  expect(judgeRing(within)).toHaveLength(2 * (keyHashNames.length - 1));
  expect(failedWith({}, 10)).toEqual([]);
  expect(failedWith({ fullest: 1.16 }, 10)).toEqual(['md5: fullest shard / mean at 10 shards']);
  expect(failedWith({ moved: 0.221 }, 5)).toEqual([
    'md5: share of keys that the n-th shard moves, beyond 1/n',
  ]);
});

test('keys with a pattern and other distributions are not judged', () => {
  expect(failedWith({ keySet: 'numbered', fullest: 9, moved: 1 }, 5)).toEqual([]);
  expect(failedWith({ distribution: 'modula', fullest: 9, moved: 1 }, 5)).toEqual([]);
});

test('a comparison that could not be made fails', () => {
  expect(judgeRing([]).filter(({ pass }) => pass)).toEqual([]);
  expect(failedWith({ keySet: 'numbered' }, 10)).toEqual(['md5: fullest shard / mean at 10 shards']);
});

test('the command line says how many shards, keys and rounds', () => {
  expect(parseRing([])).toEqual({
    preset: 'full',
    shards: [3, 5, 10, 20],
    keys: 200_000,
    rounds: 5,
    operations: 500_000,
  });
  expect(parseRing(['--quick', '--shards', '2,4'])).toMatchObject({
    preset: 'quick',
    shards: [2, 4],
    keys: 50_000,
  });
  expect(() => parseRing(['--shards', '1'])).toThrow(UsageError);
});
