// Every metric of nearcache's own, one row each; docs/metrics.md is printed from here. The data path only adds to
// plain stats objects; a row says how to read them when someone scrapes.

import type { CacheStats } from '../cache/cache-stats.ts';
import type { SessionStats } from '../session/session-stats.ts';
import type { ShardStats } from '../shard/shard-stats.ts';

/** What the rows read. Shape: `cache` undefined = no cache, whose rows then have no samples. */
export interface MetricSources {
  readonly sessions: SessionStats;
  readonly shards: readonly { readonly name: string; readonly stats: ShardStats }[];
  readonly cache: CacheStats | undefined;
  readonly version: string;
}

/** One time series of a row at one scrape. */
export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** One metric. Shape: `name` is nearcache_<noun>_<unit>[_total]; counters end in _total. */
export interface MetricRow {
  readonly name: string;
  readonly kind: 'counter' | 'gauge';
  readonly unit: 'count' | 'bytes' | 'seconds' | 'boolean';
  readonly labels: readonly string[];
  readonly help: string;
  readonly read: (sources: MetricSources) => readonly Sample[];
}

type Facts = Pick<MetricRow, 'name' | 'help'> & Partial<Pick<MetricRow, 'unit'>>;

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

const SESSION_ROWS: readonly MetricRow[] = [
  session({ name: 'nearcache_sessions', help: 'Sessions open now.' }, (stats) => stats.open),
  session(
    { name: 'nearcache_sessions_accepted_total', help: 'Sessions accepted.' },
    (stats) => stats.accepted,
  ),
  session(
    { name: 'nearcache_sessions_refused_total', help: 'Connections refused because of --max-clients.' },
    (stats) => stats.refused,
  ),
  sessionBy(
    { name: 'nearcache_sessions_closed_total', help: 'Sessions that ended, by why.' },
    (stats) => stats.closedBy,
  ),
  session(
    { name: 'nearcache_commands_total', help: 'Commands received from apps.' },
    (stats) => stats.commands,
  ),
  session(
    {
      name: 'nearcache_commands_local_total',
      help: 'Commands answered without Redis and without the near-cache (PING, HELLO, CLIENT, …).',
    },
    (stats) => stats.local,
  ),
  session(
    { name: 'nearcache_protocol_errors_total', help: 'Sessions that sent something that is not RESP.' },
    (stats) => stats.protocolErrors,
  ),
  session(
    { name: 'nearcache_error_replies_total', help: 'Error replies of nearcache itself; see docs/errors.md.' },
    (stats) => stats.ownErrors,
  ),
  session(
    {
      name: 'nearcache_shared_transactions_total',
      help: 'MULTI … EXEC blocks that arrived whole and used the shared connection.',
    },
    (stats) => stats.sharedTransactions,
  ),
  session(
    {
      name: 'nearcache_streamed_requests_total',
      help: 'Requests over --big-value-size, streamed over a pinned connection.',
    },
    (stats) => stats.streamedRequests,
  ),
  session(
    {
      name: 'nearcache_session_received_bytes_total',
      help: 'Bytes received from apps.',
      unit: 'bytes',
    },
    (stats) => stats.bytesIn,
  ),
  session(
    { name: 'nearcache_session_sent_bytes_total', help: 'Bytes sent to apps.', unit: 'bytes' },
    (stats) => stats.bytesOut,
  ),
];

const SHARD_ROWS: readonly MetricRow[] = [
  shard(
    {
      name: 'nearcache_shard_up',
      help: '1 while the shared connection to the shard is usable.',
      unit: 'boolean',
    },
    (stats) => stats.up,
  ),
  shard(
    {
      name: 'nearcache_shard_in_flight_commands',
      help: 'Commands on shared connections not yet answered, now.',
    },
    (stats) => stats.inFlight,
  ),
  {
    ...facts({ name: 'nearcache_shard_connections', help: 'Connections to the shard now, by kind.' }),
    labels: ['shard', 'kind'],
    read: ({ shards }) =>
      shards.flatMap(({ name, stats }) => [
        { labels: { shard: name, kind: 'shared' }, value: stats.sharedConnections },
        { labels: { shard: name, kind: 'control' }, value: stats.controlConnections },
        { labels: { shard: name, kind: 'pinned' }, value: stats.pinnedConnections },
      ]),
  },
  shard(
    {
      name: 'nearcache_shard_pinned_idle_connections',
      help: 'Pinned connections that no session holds, now.',
    },
    (stats) => stats.pinnedIdle,
  ),
  shard(
    { name: 'nearcache_shard_connects_total', help: 'Connections that became usable.' },
    (stats) => stats.connects,
  ),
  shard(
    { name: 'nearcache_shard_connect_failures_total', help: 'Attempts to connect that failed.' },
    (stats) => stats.connectFailures,
  ),
  shard(
    { name: 'nearcache_shard_connections_lost_total', help: 'Usable connections that were lost.' },
    (stats) => stats.losses,
  ),
  shard(
    { name: 'nearcache_shard_commands_total', help: 'Commands sent to the shard.' },
    (stats) => stats.commands,
  ),
  shard(
    { name: 'nearcache_shard_timeouts_total', help: 'Commands whose reply did not come in time.' },
    (stats) => stats.timeouts,
  ),
  shard(
    {
      name: 'nearcache_shard_commands_failed_total',
      help: 'Commands answered with an error because their connection died or never came up.',
    },
    (stats) => stats.failed,
  ),
  shard(
    { name: 'nearcache_shard_pinned_opened_total', help: 'Pinned connections opened.' },
    (stats) => stats.pinnedOpened,
  ),
  shard(
    { name: 'nearcache_shard_pinned_reused_total', help: 'Times an idle pinned connection was used again.' },
    (stats) => stats.pinnedReused,
  ),
  shard(
    {
      name: 'nearcache_shard_received_bytes_total',
      help: 'Bytes received from the shard.',
      unit: 'bytes',
    },
    (stats) => stats.bytesIn,
  ),
  shard(
    { name: 'nearcache_shard_sent_bytes_total', help: 'Bytes sent to the shard.', unit: 'bytes' },
    (stats) => stats.bytesOut,
  ),
  shard(
    { name: 'nearcache_shard_heartbeats_total', help: 'Heartbeats that the shard answered.' },
    (stats) => stats.heartbeats,
  ),
  shard(
    {
      name: 'nearcache_shard_heartbeat_seconds_total',
      help: 'Sum of the round trips of those heartbeats; divide by their number.',
      unit: 'seconds',
    },
    (stats) => stats.heartbeatSeconds,
  ),
];

const CACHE_ROWS: readonly MetricRow[] = [
  cache({ name: 'nearcache_cache_entries', help: 'Entries now.' }, (stats) => stats.entries),
  cache(
    { name: 'nearcache_cache_bytes', help: 'Memory of the entries now.', unit: 'bytes' },
    ({ bytes }) => bytes,
  ),
  cache({ name: 'nearcache_cache_hits_total', help: 'Reads answered by an entry.' }, (stats) => stats.hits),
  cache(
    { name: 'nearcache_cache_misses_total', help: 'Cacheable reads that found no entry.' },
    (stats) => stats.misses,
  ),
  cacheBy(
    {
      name: 'nearcache_cache_bypasses_total',
      help: 'Cacheable reads that had to go to Redis whatever is cached, by why.',
    },
    (stats) => stats.bypass,
  ),
  cache({ name: 'nearcache_cache_fills_total', help: 'Replies stored.' }, (stats) => stats.fills),
  cacheBy(
    { name: 'nearcache_cache_fills_refused_total', help: 'Replies that were not stored, by why.' },
    (stats) => stats.refused,
  ),
  cache(
    { name: 'nearcache_cache_evictions_total', help: 'Entries dropped to stay within --cache-size.' },
    (stats) => stats.evicted,
  ),
  cache(
    { name: 'nearcache_cache_expirations_total', help: 'Entries dropped because their time was over.' },
    (stats) => stats.expired,
  ),
  cache(
    { name: 'nearcache_cache_invalidations_total', help: 'Keys that Redis named as changed.' },
    (stats) => stats.invalidations,
  ),
  cache(
    {
      name: 'nearcache_cache_flushes_total',
      help: 'Times everything was dropped at once: FLUSHALL, a lost connection.',
    },
    (stats) => stats.flushes,
  ),
];

/** Every row under the headings of the docs. */
export const METRIC_GROUPS: readonly { readonly title: string; readonly rows: readonly MetricRow[] }[] = [
  { title: 'Process', rows: PROCESS_ROWS },
  { title: 'Sessions', rows: SESSION_ROWS },
  { title: 'Shards', rows: SHARD_ROWS },
  { title: 'Near-cache', rows: CACHE_ROWS },
];

function facts(given: Facts): Omit<MetricRow, 'read'> {
  const kind = given.name.endsWith('_total') ? 'counter' : 'gauge';
  return { unit: 'count', labels: [], kind, ...given };
}

function session(given: Facts, read: (stats: SessionStats) => number): MetricRow {
  return { ...facts(given), read: ({ sessions }) => [{ labels: {}, value: read(sessions) }] };
}

function sessionBy(given: Facts, read: (stats: SessionStats) => Readonly<Record<string, number>>): MetricRow {
  return { ...facts(given), labels: ['reason'], read: ({ sessions }) => byReason(read(sessions)) };
}

function shard(given: Facts, read: (stats: ShardStats) => number): MetricRow {
  return {
    ...facts(given),
    labels: ['shard'],
    read: ({ shards }) => shards.map(({ name, stats }) => ({ labels: { shard: name }, value: read(stats) })),
  };
}

function cache(given: Facts, read: (stats: CacheStats) => number): MetricRow {
  return { ...facts(given), read: ({ cache }) => (cache ? [{ labels: {}, value: read(cache) }] : []) };
}

function cacheBy(given: Facts, read: (stats: CacheStats) => Readonly<Record<string, number>>): MetricRow {
  return { ...facts(given), labels: ['reason'], read: ({ cache }) => (cache ? byReason(read(cache)) : []) };
}

function byReason(counts: Readonly<Record<string, number>>): readonly Sample[] {
  return Object.entries(counts).map(([reason, value]) => ({ labels: { reason }, value }));
}
