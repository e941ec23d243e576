import type { CacheStats, ReadTally } from '../cache/cache-stats.ts';
import { FAMILIES } from '../command/spec.ts';
import { byReason, type CacheSource, type Facts, facts, type MetricRow, type Sample } from './row.ts';

const HIT_AGES = 'nearcache_cache_hit_age_seconds';

/** What the near-cache counts. */
export const CACHE_ROWS: readonly MetricRow[] = [
  {
    ...facts({
      name: 'nearcache_cache_state',
      help: '1 while entries are served, 0 while every read goes to Redis.',
      unit: 'boolean',
    }),
    labels: ['shard'],
    read: ({ shards }) =>
      shards.map(({ name, margin }) => ({ labels: { shard: name }, value: (margin() ?? -1) >= 0 ? 1 : 0 })),
  },
  {
    ...facts({
      name: 'nearcache_cache_freshness_margin_seconds',
      help: '--max-staleness less the age of the newest answered heartbeat; below 0 no entry is served. Absent while there is no link.',
      unit: 'seconds',
    }),
    labels: ['shard'],
    read: ({ shards }) =>
      shards.flatMap(({ name, margin }) => {
        const ms = margin();
        return ms === undefined ? [] : [{ labels: { shard: name }, value: ms / 1000 }];
      }),
  },
  {
    ...facts({
      name: 'nearcache_cache_requests_total',
      help: 'Cacheable reads by the kind of command and what became of them: hit, miss, coalesced (shared the answer of a read on its way) or bypass.',
    }),
    labels: ['family', 'result'],
    read: ({ cache }) =>
      FAMILIES.flatMap((family, number) => results({ family }, cache?.stats.byFamily[number])),
  },
  {
    ...facts({
      name: 'nearcache_cache_policy_requests_total',
      help: 'The same reads by the policy of their key, named by its prefix.',
    }),
    labels: ['policy', 'result'],
    read: ({ cache }) =>
      (cache?.policies.all ?? []).flatMap(({ name, number }) =>
        results({ policy: name }, cache?.stats.byPolicy[number]),
      ),
  },
  counted(
    { name: 'nearcache_cache_hits_total', help: 'Reads answered by an entry.' },
    ({ total }) => total.hits,
  ),
  counted(
    {
      name: 'nearcache_cache_misses_total',
      help: 'Cacheable reads that found no entry and asked Redis, to fill.',
    },
    ({ total }) => total.misses,
  ),
  countedBy(
    {
      name: 'nearcache_cache_bypasses_total',
      help: 'Cacheable reads that had to go to Redis whatever is cached, by why.',
    },
    (stats) => stats.bypass,
  ),
  {
    ...facts({
      name: HIT_AGES,
      help: 'How old entries were when they answered, since their read was sent.',
      unit: 'seconds',
    }),
    kind: 'histogram',
    labels: ['le'],
    read: ({ cache }) => (cache ? ageSamples(cache.stats.ages, cache.stats.ageSumMs) : []),
  },
  counted({ name: 'nearcache_cache_fills_total', help: 'Replies stored.' }, (stats) => stats.fills),
  countedBy(
    { name: 'nearcache_cache_fills_refused_total', help: 'Replies that were not stored, by why.' },
    (stats) => stats.refused,
  ),
  counted(
    {
      name: 'nearcache_cache_refreshes_total',
      help: 'Entries read again in the background before their end; see --cache-soft-ttl.',
    },
    (stats) => stats.refreshes,
  ),
  counted(
    {
      name: 'nearcache_cache_rereads_total',
      help: 'Reads sent right behind a write through this nearcache, for an entry in use that it ended; see --cache-reread.',
    },
    (stats) => stats.rereads,
  ),
  counted(
    {
      name: 'nearcache_cache_torn_reads_total',
      help: 'Reads of several keys that were repeated as a whole, since a cached part had changed when the rest came.',
    },
    (stats) => stats.torn,
  ),
  counted(
    {
      name: 'nearcache_cache_leases_total',
      help: 'Leases granted to sessions of this nearcache: a key was not there, and one session was told to load it.',
    },
    (stats) => stats.leasesGranted,
  ),
  {
    ...facts({
      name: 'nearcache_cache_lease_waits_total',
      help: "Reads that waited for another session's load, by how that ended: value, loader (nobody loaded, so this session was told to), timeout, or given-up (the session sent another command).",
    }),
    labels: ['result'],
    read: ({ cache }) =>
      Object.entries(cache?.stats.leaseWaits ?? {}).map(([result, value]) => ({ labels: { result }, value })),
  },
  counted(
    { name: 'nearcache_cache_invalidations_total', help: 'Keys that Redis named as changed.' },
    (stats) => stats.invalidations,
  ),
  counted(
    {
      name: 'nearcache_cache_flushes_total',
      help: 'Times everything was dropped at once: FLUSHALL, a lost connection.',
    },
    (stats) => stats.flushes,
  ),
  counted(
    { name: 'nearcache_cache_canaries_total', help: 'Canaries written; see --canary-interval.' },
    (stats) => stats.canaries,
  ),
  counted(
    { name: 'nearcache_cache_canary_failures_total', help: 'Canaries whose invalidation did not come.' },
    (stats) => stats.canaryFailures,
  ),
  counted(
    {
      name: 'nearcache_cache_touched_keys_total',
      help: 'Hot keys that Redis was told are in use; see --touch-rate.',
    },
    (stats) => stats.touched,
  ),
  stored({ name: 'nearcache_cache_entries', help: 'Entries now.' }, (store) => store.entries),
  stored(
    { name: 'nearcache_cache_bytes', help: 'Memory of the entries now.', unit: 'bytes' },
    (store) => store.liveBytes,
  ),
  stored(
    {
      name: 'nearcache_cache_limit_bytes',
      help: 'Memory that the near-cache may take, its index included; see --cache-size.',
      unit: 'bytes',
    },
    (store) => store.limitBytes,
  ),
  stored(
    { name: 'nearcache_cache_evictions_total', help: 'Entries dropped to stay within --cache-size.' },
    (store) => store.evicted,
  ),
  stored(
    { name: 'nearcache_cache_expirations_total', help: 'Entries dropped because their time was over.' },
    (store) => store.expired,
  ),
];

function counted(given: Facts, read: (stats: CacheStats) => number): MetricRow {
  return { ...facts(given), read: ({ cache }) => (cache ? [{ labels: {}, value: read(cache.stats) }] : []) };
}

function countedBy(given: Facts, read: (stats: CacheStats) => Readonly<Record<string, number>>): MetricRow {
  return {
    ...facts(given),
    labels: ['reason'],
    read: ({ cache }) => (cache ? byReason(read(cache.stats)) : []),
  };
}

function stored(given: Facts, read: (store: CacheSource['store']) => number): MetricRow {
  return { ...facts(given), read: ({ cache }) => (cache ? [{ labels: {}, value: read(cache.store) }] : []) };
}

/** Every result, also where nothing was counted yet: a rate needs its zero. */
function results(labels: Readonly<Record<string, string>>, tally: ReadTally | undefined): readonly Sample[] {
  const { hits = 0, misses = 0, coalesced = 0, bypassed = 0 } = tally ?? {};
  return Object.entries({ hit: hits, miss: misses, coalesced, bypass: bypassed }).map(([result, value]) => ({
    labels: { ...labels, result },
    value,
  }));
}

/** A histogram in Prometheus' form, whose buckets hold all that the smaller ones hold. Ours end at powers of two ms. */
export function ageSamples(ages: Float64Array, ageSumMs: number): readonly Sample[] {
  const samples: Sample[] = [];
  let count = 0;
  for (const [power, ofBucket] of ages.entries()) {
    count += ofBucket;
    const le = power === ages.length - 1 ? '+Inf' : String(2 ** power / 1000);
    samples.push({ suffix: '_bucket', labels: { le }, value: count });
  }
  samples.push({ suffix: '_sum', labels: {}, value: ageSumMs / 1000 });
  samples.push({ suffix: '_count', labels: {}, value: count });
  return samples;
}
