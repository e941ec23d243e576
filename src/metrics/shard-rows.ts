import type { ShardStats } from '../shard/shard-stats.ts';
import { type Facts, facts, type MetricRow, type ReplicaSource } from './row.ts';

/** What Redis's side counts. */
export const SHARD_ROWS: readonly MetricRow[] = [
  {
    ...facts({
      name: 'nearcache_ring_info',
      help: '1; the epoch of the ring of shards, and of the one that it is to become. Nearcaches with different ones must not last: alert on it.',
      unit: 'boolean',
    }),
    labels: ['from', 'to'],
    read: ({ ring }) => {
      const epoch = ring?.();
      return epoch === undefined ? [] : [{ labels: { from: epoch.from, to: epoch.to }, value: 1 }];
    },
  },
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
        { labels: { shard: name, kind: 'subscriber' }, value: stats.subscriberConnections },
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
    {
      name: 'nearcache_shard_subscriptions',
      help: 'Channels and patterns subscribed to at the shard now, each once for all sessions of a user.',
    },
    (stats) => stats.subscriptions,
  ),
  shard(
    { name: 'nearcache_shard_messages_received_total', help: 'Messages of pub/sub received from the shard.' },
    (stats) => stats.messagesIn,
  ),
  shard(
    {
      name: 'nearcache_shard_messages_delivered_total',
      help: 'Messages of pub/sub passed on to sessions, one for each that hears it.',
    },
    (stats) => stats.messagesOut,
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
  replica(
    {
      name: 'nearcache_replica_up',
      help: '1 while reads may be sent to the replica; replicas are connected to only if a policy prefers them.',
      unit: 'boolean',
    },
    (each) => Number(each.isUp),
  ),
  replica(
    { name: 'nearcache_replica_reads_total', help: 'Reads sent to the replica.' },
    (each) => each.reads,
  ),
  replica(
    {
      name: 'nearcache_replica_reads_retried_total',
      help: 'Of those, sent to the primary after all: the replica was lost, or answered an error.',
    },
    (each) => each.retried,
  ),
  replica(
    {
      name: 'nearcache_replica_round_trip_seconds',
      help: 'How long a heartbeat of the replica takes, smoothed.',
      unit: 'seconds',
    },
    (each) => each.roundTripSeconds,
  ),
];

function replica(given: Facts, read: (each: ReplicaSource) => number): MetricRow {
  return {
    ...facts(given),
    labels: ['shard', 'replica'],
    read: ({ shards }) =>
      shards.flatMap(({ name, replicas = [] }) =>
        [...replicas].map((each) => ({ labels: { shard: name, replica: each.name }, value: read(each) })),
      ),
  };
}

function shard(given: Facts, read: (stats: ShardStats) => number): MetricRow {
  return {
    ...facts(given),
    labels: ['shard'],
    read: ({ shards }) => shards.map(({ name, stats }) => ({ labels: { shard: name }, value: read(stats) })),
  };
}
