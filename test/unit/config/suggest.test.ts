import { expect, test } from 'vitest';
import { nearestName } from '../../../src/config/suggest.ts';

const NAMES = ['cache-size', 'max-staleness', 'stale-if-error'];

test.each([
  ['cach-size', 'cache-size'],
  ['CACHE_SIZE', 'cache-size'],
  ['NEARCACHE_MAXSTALENESS', 'max-staleness'],
  ['stale-on-error', 'stale-if-error'],
])('%s is taken for %s', (wrong, meant) => {
  expect(nearestName(wrong, NAMES)).toBe(meant);
});

test.each(['foo', 'x', ''])('"%s" is close to nothing', (wrong) => {
  expect(nearestName(wrong, NAMES)).toBeUndefined();
});
