// Every metric of nearcache's own, one row each; docs/metrics.md is printed from here. The data path only adds to
// plain stats objects; a row says how to read them when someone scrapes.

import { CACHE_ROWS } from './cache-rows.ts';
import { INVALIDATION_ROWS } from './invalidation-rows.ts';
import { LIFECYCLE_ROWS } from './lifecycle-rows.ts';
import { OUTAGE_ROWS, STALE_ROWS } from './outage-rows.ts';
import { facts, type MetricRow } from './row.ts';
import { SESSION_ROWS } from './session-rows.ts';
import { SHARD_ROWS } from './shard-rows.ts';

const PROCESS_ROWS: readonly MetricRow[] = [
  {
    ...facts({ name: 'nearcache_up', help: 'Always 1.', unit: 'boolean' }),
    read: () => [{ labels: {}, value: 1 }],
  },
  {
    ...facts({ name: 'nearcache_build_info', help: 'Always 1; the labels say what runs.', unit: 'boolean' }),
    labels: ['version', 'node'],
    read: ({ version }) => [{ labels: { version, node: process.version }, value: 1 }],
  },
];

/** Every row under the headings of the docs. Shape: `needsCache` = its rows are left out without a cache. */
export const METRIC_GROUPS: readonly {
  readonly title: string;
  readonly rows: readonly MetricRow[];
  readonly needsCache?: boolean;
}[] = [
  { title: 'Process', rows: [...PROCESS_ROWS, ...LIFECYCLE_ROWS] },
  { title: 'Sessions', rows: SESSION_ROWS },
  { title: 'Shards', rows: SHARD_ROWS },
  { title: 'While shards are away', rows: OUTAGE_ROWS },
  { title: 'Near-cache while shards are away', rows: STALE_ROWS, needsCache: true },
  { title: 'Near-cache', rows: CACHE_ROWS, needsCache: true },
  { title: 'Invalidations by pub/sub', rows: INVALIDATION_ROWS, needsCache: true },
];
