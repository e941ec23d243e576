import { expect, test } from 'vitest';
import { CacheStats } from '../../../src/cache/cache-stats.ts';
import { METRIC_GROUPS, type MetricSources } from '../../../src/metrics/catalog.ts';
import { createMetrics } from '../../../src/metrics/registry.ts';
import { SessionStats } from '../../../src/session/session-stats.ts';
import { ShardStats } from '../../../src/shard/shard-stats.ts';

const ROWS = METRIC_GROUPS.flatMap(({ rows }) => rows);

function sources(): MetricSources & { cache: CacheStats } {
  return {
    sessions: new SessionStats(),
    shards: [
      { name: 'shard0', stats: new ShardStats() },
      { name: 'shard1', stats: new ShardStats() },
    ],
    cache: new CacheStats(),
    version: '1.2.3',
  };
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
      const match = /^([a-z_]\w*(?:\{\w+="[^"]*"(?:,\w+="[^"]*")*\})?) (-?[\d.e+-]+|NaN|Nan)$/i.exec(line);
      if (match === null) throw new Error(`not a sample: ${line}`);
      return [match[1] as string, Number(match[2])];
    }),
  );
}

test('the exposition parses and holds every row of the catalogue with its kind and help', async () => {
  const text = await createMetrics(sources()).text();
  const names = new Set([...parseExposition(text).keys()].map((series) => series.replace(/\{.*/, '')));
  for (const row of ROWS) {
    expect(names).toContain(row.name);
    expect(text).toContain(`# HELP ${row.name} ${row.help}\n# TYPE ${row.name} ${row.kind}\n`);
  }
});

test('every number of every stats object is shown', async () => {
  const given = sources();
  let last = 1_000_000;
  const next = (): number => (last += 7);
  const expected = [given.sessions, given.cache, ...given.shards.map(({ stats }) => stats)].flatMap((stats) =>
    numberAll(stats, next),
  );
  const shown = new Set(parseExposition(await createMetrics(given).text()).values());
  expect(expected.filter((number) => !shown.has(number))).toEqual([]);
});

test('a scrape shows the counts of now, not the sum of scrapes', async () => {
  const given = sources();
  const metrics = createMetrics(given);
  given.cache.hits = 5;
  await metrics.text();
  given.cache.hits = 8;
  expect(parseExposition(await metrics.text()).get('nearcache_cache_hits_total')).toBe(8);
});

test('shards and reasons are labels', async () => {
  const given = sources();
  given.cache.bypass.stale = 3;
  const samples = parseExposition(await createMetrics(given).text());
  expect(samples.get('nearcache_cache_bypasses_total{reason="stale"}')).toBe(3);
  expect(samples.get('nearcache_shard_up{shard="shard1"}')).toBe(0);
  expect(samples.get(`nearcache_build_info{version="1.2.3",node="${process.version}"}`)).toBe(1);
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
