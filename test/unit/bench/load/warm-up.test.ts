import { expect, test } from 'vitest';

import { sumOf } from '../../../../bench/load/warm-up.ts';

const metrics = `# HELP nearcache_cache_hits_total Reads answered by an entry.
# TYPE nearcache_cache_hits_total counter
nearcache_cache_hits_total 1234
nearcache_cache_hits_total_of_something_else 7
nearcache_cache_bypasses_total{reason="closed"} 2
nearcache_cache_bypasses_total{reason="stale"} 3
`;

test('a metric is summed over its labels, and its namesakes are left out', () => {
  expect(sumOf(metrics, 'nearcache_cache_hits_total')).toBe(1234);
  expect(sumOf(metrics, 'nearcache_cache_bypasses_total')).toBe(5);
  expect(sumOf(metrics, 'nearcache_cache_misses_total')).toBe(0);
});
