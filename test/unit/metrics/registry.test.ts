import { expect, test } from 'vitest';
import { LoopStats } from '../../../src/base/loop-lag.ts';
import { AGE_BUCKETS, CacheStats } from '../../../src/cache/cache-stats.ts';
import { HoldOff } from '../../../src/cache/hold-off.ts';
import { KeyPattern } from '../../../src/cache/key-pattern.ts';
import { StoreStats } from '../../../src/cache/store.ts';
import { FAMILIES } from '../../../src/command/spec.ts';
import { InvalidationStats } from '../../../src/invalidation/invalidation-stats.ts';
import { METRIC_GROUPS } from '../../../src/metrics/catalog.ts';
import { createMetrics } from '../../../src/metrics/registry.ts';
import type { CacheSource, InvalidationSource, MetricSources } from '../../../src/metrics/row.ts';
import { type PolicyRules, PolicyTable } from '../../../src/policy/policy-table.ts';
import { PreloadStats } from '../../../src/session/preload.ts';
import { SessionStats } from '../../../src/session/session-stats.ts';
import type { Breakers } from '../../../src/shard/breakers.ts';
import { ShardStats } from '../../../src/shard/shard-stats.ts';
import { ManualClock } from '../../support/manual-clock.ts';

const ROWS = METRIC_GROUPS.flatMap(({ rows }) => rows);

interface Sources extends MetricSources {
  readonly cache: CacheSource;
  readonly invalidations: InvalidationSource;
}

const rules: PolicyRules = {
  isCached: true,
  maxTtlMs: 1,
  negativeTtlMs: 1,
  jitterPercent: 0,
  softTtlPercent: 100,
  isReread: true,
  staleWhileRevalidateMs: 0,
  lease: undefined,
  staleIfErrorMs: 0,
  whenAway: 'error',
  rateLimit: 0,
};

const replica = { name: '10.0.0.2:6379', isUp: true, reads: 12, retried: 3, roundTripSeconds: 0.25 };

const breakers = {
  all: { state: 'open', trips: 5 },
  growing: { state: 'half-open', trips: 6 },
} as unknown as Breakers;
const outage = {
  inFlightMax: () => 1000,
  breakers,
  ramp: { delayed: 4, refused: 2 },
  retries: { retries: 3 },
};

function sources(): Sources {
  return {
    sessions: Object.assign(new SessionStats(), { rateLimited: { 'a:': 0 } }),
    shards: [
      { name: 'shard0', ...outage, stats: new ShardStats(), margin: () => 750, replicas: [replica] },
      { name: 'shard1', ...outage, stats: new ShardStats(), margin: () => undefined },
    ],
    cache: {
      stats: new CacheStats(),
      store: new StoreStats(),
      policies: new PolicyTable(rules, [{ prefix: Buffer.from('a"\\:'), rules }]),
    },
    invalidations: {
      stats: new InvalidationStats(),
      holdOff: new HoldOff(100, new ManualClock()),
      links: [
        { shard: 'shard0', source: 'channel', isUp: true, losses: 3 },
        { shard: 'shard0', source: 'keyspace', isUp: false, losses: 4 },
      ],
    },
    ring: () => ({ from: 'a1', to: '-' }),
    version: '1.2.3',
    lifecycle: {
      drain: 'serving',
      loop: new LoopStats(),
      watchdogMs: 1500,
      preload: new PreloadStats(),
    },
  };
}

async function samplesOf(given: MetricSources): Promise<ReadonlyMap<string, number>> {
  return parseExposition(await createMetrics(given).text());
}

/** Each number of the object, nested ones too, becomes one that occurs nowhere else. */
function numberAll(stats: object, next: () => number): number[] {
  const record = stats as Record<string, number | object>;
  return Object.entries(record).flatMap(([key, value]) => {
    if (typeof value === 'object') return numberAll(value, next);
    const number = next();
    record[key] = number;
    return [number];
  });
}

/** Exposition text as `name{labels}` → value; throws at a line that is none. */
function parseExposition(text: string): ReadonlyMap<string, number> {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => {
      const match =
        /^([a-z_]\w*(?:\{\w+="(?:[^"\\]|\\.)*"(?:,\w+="(?:[^"\\]|\\.)*")*\})?) (-?[\d.e+-]+|NaN)$/i.exec(
          line,
        );
      if (match === null) throw new Error(`not a sample: ${line}`);
      return [match[1] as string, Number(match[2])];
    }),
  );
}

test('the exposition parses and holds every row of the catalogue with its kind and help', async () => {
  const text = await createMetrics(sources()).text();
  const names = new Set([...parseExposition(text).keys()].map((series) => series.replace(/\{.*/, '')));
  for (const row of ROWS) {
    expect(names).toContain(row.kind === 'histogram' ? `${row.name}_count` : row.name);
    expect(text).toContain(`# HELP ${row.name} ${row.help}\n# TYPE ${row.name} ${row.kind}\n`);
  }
});

test('every number of every stats object is shown', async () => {
  const given = sources();
  const { stats, store } = given.cache;
  for (const number of FAMILIES.keys()) stats.tallies(stats.byFamily, number);
  for (const { number } of given.cache.policies.all) {
    stats.tallies(stats.byPolicy, number);
    stats.away(number);
  }
  let last = 1_000_000;
  const next = (): number => (last += 7);
  // Buckets and sums of times are shown added up and in seconds: the test of the histogram looks at those.
  const { ages: _, ageSumMs: __, staleAges: ___, staleAgeSumMs: ____, ...counts } = stats;
  const told = given.invalidations.stats;
  const expected = [given.sessions, counts, store, told, ...given.shards.map((shard) => shard.stats)].flatMap(
    (part) => numberAll(part, next),
  );
  Object.assign(stats, counts);
  const shown = new Set((await samplesOf(given)).values());
  expect(expected.filter((number) => !shown.has(number))).toEqual([]);
});

test('the start and the end of the process are shown', async () => {
  const given = sources();
  Object.assign(given.lifecycle?.loop ?? {}, { stalls: 3, stalledMs: 2500 });
  Object.assign(given.lifecycle?.preload ?? {}, { read: 7, skipped: 8, bad: 9 });
  const samples = await samplesOf(given);
  const shown = ['drain_state', 'watchdog_seconds', 'loop_stalls_total', 'loop_stalled_seconds_total'];
  expect(shown.map((name) => samples.get(`nearcache_${name}`))).toEqual([1, 1.5, 3, 2.5]);
  const results = ['read', 'skipped', 'bad'];
  expect(results.map((result) => samples.get(`nearcache_preload_keys_total{result="${result}"}`))).toEqual([
    7, 8, 9,
  ]);
});

test('a scrape shows the counts of now, not the sum of scrapes', async () => {
  const given = sources();
  const metrics = createMetrics(given);
  given.cache.stats.fills = 5;
  await metrics.text();
  given.cache.stats.fills = 8;
  expect(parseExposition(await metrics.text()).get('nearcache_cache_fills_total')).toBe(8);
});

test('shards and reasons are labels', async () => {
  const given = sources();
  given.cache.stats.bypass.stale = 3;
  const samples = await samplesOf(given);
  expect(samples.get('nearcache_cache_bypasses_total{reason="stale"}')).toBe(3);
  expect(samples.get('nearcache_shard_up{shard="shard1"}')).toBe(0);
  expect(samples.get(`nearcache_build_info{version="1.2.3",node="${process.version}"}`)).toBe(1);
});

test('reads are counted by family and by policy with what became of them, from 0 on', async () => {
  const given = sources();
  const { stats } = given.cache;
  Object.assign(stats.tallies(stats.byFamily, FAMILIES.indexOf('hash')), { hits: 5, misses: 4, bypassed: 2 });
  Object.assign(stats.tallies(stats.byFamily, FAMILIES.indexOf('set')), { hits: 10, coalesced: 3 });
  Object.assign(stats.tallies(stats.byPolicy, 1), { hits: 7, coalesced: 6 });
  const samples = await samplesOf(given);
  const ofFamily = (family: string, result: string): number | undefined =>
    samples.get(`nearcache_cache_requests_total{family="${family}",result="${result}"}`);
  const results = ['hit', 'miss', 'coalesced', 'bypass'];
  expect(results.map((result) => ofFamily('hash', result))).toEqual([5, 4, 0, 2]);
  expect(results.map((result) => ofFamily('set', result))).toEqual([10, 0, 3, 0]);
  expect(results.map((result) => ofFamily('stream', result))).toEqual([0, 0, 0, 0]);
  const ofPolicy = (policy: string, result: string): number | undefined =>
    samples.get(`nearcache_cache_policy_requests_total{policy="${policy}",result="${result}"}`);
  expect(results.map((result) => ofPolicy('a\\"\\\\x5c:', result))).toEqual([7, 0, 6, 0]);
  expect(results.map((result) => ofPolicy('default', result))).toEqual([0, 0, 0, 0]);
  expect(samples.get('nearcache_cache_hits_total')).toBe(15);
  expect(samples.get('nearcache_cache_misses_total')).toBe(4);
});

test('subscriptions are shown by shard and source, and what is held off now', async () => {
  const given = sources();
  given.invalidations.holdOff?.hold(['a', 'b'], [KeyPattern.has('')]);
  const samples = await samplesOf(given);
  const link = (name: string, source: string): number | undefined =>
    samples.get(`nearcache_invalidation_${name}{shard="shard0",source="${source}"}`);
  expect([link('link_up', 'channel'), link('link_up', 'keyspace')]).toEqual([1, 0]);
  expect([link('links_lost_total', 'channel'), link('links_lost_total', 'keyspace')]).toEqual([3, 4]);
  const held = ['keys', 'all'].map((name) => samples.get(`nearcache_invalidation_held_off_${name}`));
  expect(held).toEqual([3, 0]);
  given.invalidations.holdOff?.holdAll();
  expect((await samplesOf(given)).get('nearcache_invalidation_held_off_all')).toBe(1);
  expect([...(await samplesOf({ ...given, invalidations: undefined })).keys()].join()).not.toContain(
    'nearcache_invalidation_',
  );
});

test('ages at hits are a histogram in seconds whose buckets add up', async () => {
  const given = sources();
  const { stats } = given.cache;
  stats.ages[0] = 1;
  stats.ages[3] = 20;
  stats.ages[AGE_BUCKETS - 2] = 300;
  stats.ages[AGE_BUCKETS - 1] = 4000;
  stats.ageSumMs = 12_345;
  const metrics = await createMetrics(given).text();
  expect(metrics).toContain('# TYPE nearcache_cache_hit_age_seconds histogram\n');
  const samples = parseExposition(metrics);
  const bucket = (le: string): number | undefined =>
    samples.get(`nearcache_cache_hit_age_seconds_bucket{le="${le}"}`);
  const bounds = ['0.001', '0.002', '0.004', '0.008', '0.016', '2097.152', '4194.304', '+Inf'];
  expect(bounds.map(bucket)).toEqual([1, 1, 1, 21, 21, 21, 321, 4321]);
  expect(samples.get('nearcache_cache_hit_age_seconds_sum')).toBe(12.345);
  expect(samples.get('nearcache_cache_hit_age_seconds_count')).toBe(4321);
  const all = [...samples.keys()].filter((name) => name.startsWith('nearcache_cache_hit_age_seconds_bucket'));
  expect(all).toHaveLength(AGE_BUCKETS);
});

test('a shard serves while its margin is not below 0, and has no margin without a link', async () => {
  const given = sources();
  let margin: number | undefined = 750;
  const metrics = createMetrics({
    ...given,
    shards: [{ name: 's', ...outage, stats: new ShardStats(), margin: () => margin }],
  });
  const read = async (): Promise<readonly (number | undefined)[]> => {
    const samples = parseExposition(await metrics.text());
    const names = ['nearcache_cache_state', 'nearcache_cache_freshness_margin_seconds'];
    return names.map((name) => samples.get(`${name}{shard="s"}`));
  };
  expect(await read()).toEqual([1, 0.75]);
  margin = 0;
  expect(await read()).toEqual([1, 0]);
  margin = -2500;
  expect(await read()).toEqual([0, -2.5]);
  margin = undefined;
  expect(await read()).toEqual([0, undefined]);
});

test('replicas are told apart by their shard and address', async () => {
  const samples = parseExposition(await createMetrics(sources()).text());
  const labels = '{shard="shard0",replica="10.0.0.2:6379"}';
  const read = (name: string): number | undefined => samples.get(`nearcache_replica_${name}${labels}`);
  expect(['up', 'reads_total', 'reads_retried_total', 'round_trip_seconds'].map(read)).toEqual([
    1, 12, 3, 0.25,
  ]);
});

test('without a cache there are no cache metrics, and Node’s own are there', async () => {
  const text = await createMetrics({ ...sources(), cache: undefined }).text();
  expect(text).not.toContain('nearcache_cache_');
  expect(text).toContain('nodejs_eventloop_lag_p99_seconds');
  expect(text).toContain('process_resident_memory_bytes');
});

test('names follow the rule: prefix, unit, _total for counters', () => {
  expect(new Set(ROWS.map((row) => row.name)).size).toBe(ROWS.length);
  for (const { name, kind, unit } of ROWS) {
    expect(name).toMatch(/^nearcache_[a-z_]+$/);
    expect(name.endsWith('_total')).toBe(kind === 'counter');
    if (unit === 'bytes' || unit === 'seconds')
      expect(name.replace(/_total$/, '')).toMatch(new RegExp(`_${unit}$`));
  }
});
