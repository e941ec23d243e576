import type { AwayTally } from '../cache/cache-stats.ts';
import type { Breaker } from '../shard/breaker.ts';
import { ageSamples } from './cache-rows.ts';
import { type Facts, facts, type MetricRow, type ShardSource } from './row.ts';

const STALE_AGES = 'nearcache_stale_age_seconds';
const STATES = { closed: 0, 'half-open': 1, open: 2 } as const;

/** What happens while shards are away. */
export const OUTAGE_ROWS: readonly MetricRow[] = [
  ofBreaker(
    {
      name: 'nearcache_shard_breaker_state',
      help: "The shard's circuit breaker: 0 closed, 1 half-open, 2 open.",
    },
    ({ breakers }) => breakers?.all,
    ({ state }) => STATES[state],
  ),
  ofBreaker(
    {
      name: 'nearcache_shard_memory_breaker_state',
      help: 'The breaker of commands that need memory, which a full Redis refuses: 0 closed, 1 half-open, 2 open.',
    },
    ({ breakers }) => breakers?.growing,
    ({ state }) => STATES[state],
  ),
  ofBreaker(
    { name: 'nearcache_shard_breaker_trips_total', help: 'Times that the circuit breaker opened.' },
    ({ breakers }) => breakers?.all,
    ({ trips }) => trips,
  ),
  ofBreaker(
    {
      name: 'nearcache_shard_memory_breaker_trips_total',
      help: 'Times that the breaker of commands that need memory opened.',
    },
    ({ breakers }) => breakers?.growing,
    ({ trips }) => trips,
  ),
  ofShard(
    {
      name: 'nearcache_shard_in_flight_limit_commands',
      help: 'Commands that may be in flight to the shard now; see --shard-in-flight and --adaptive-limit.',
    },
    ({ inFlightMax }) => inFlightMax(),
  ),
  ofShard(
    {
      name: 'nearcache_shard_retries_total',
      help: 'Reads that were sent once more because their connection died; see --retry-budget.',
    },
    ({ retries }) => retries.retries,
  ),
  ofShard(
    {
      name: 'nearcache_shard_ramp_delayed_total',
      help: 'Reads that had to wait for their turn while the shard warmed up after an outage; see --recovery-ramp.',
    },
    ({ ramp }) => ramp.delayed,
  ),
  ofShard(
    {
      name: 'nearcache_shard_ramp_refused_total',
      help: 'Those of them that waited for longer than --queue-timeout.',
    },
    ({ ramp }) => ramp.refused,
  ),
  ofShard(
    {
      name: 'nearcache_shard_hedged_reads_total',
      help: 'Reads that a replica was asked for too, since the primary took long; see --hedge-reads.',
    },
    ({ hedging }) => hedging?.sent ?? 0,
  ),
  ofShard(
    {
      name: 'nearcache_shard_hedged_reads_won_total',
      help: 'Those of them that the replica answered first.',
    },
    ({ hedging }) => hedging?.won ?? 0,
  ),
];

/** What of that only a near-cache can do. */
export const STALE_ROWS: readonly MetricRow[] = [
  byPolicy(
    {
      name: 'nearcache_stale_served_total',
      help: 'Reads answered, while their shard was away, by an entry that was good before; see --stale-if-error.',
    },
    ({ stale }) => stale,
  ),
  byPolicy(
    {
      name: 'nearcache_misses_served_total',
      help: 'Reads told, while their shard was away, that there is no such key; see --when-away.',
    },
    ({ absent }) => absent,
  ),
  {
    ...facts({
      name: STALE_AGES,
      help: 'How long before a stale answer it was last known that Redis says the same; at most --stale-if-error.',
      unit: 'seconds',
    }),
    kind: 'histogram',
    labels: ['le'],
    read: ({ cache }) => (cache ? ageSamples(cache.stats.staleAges, cache.stats.staleAgeSumMs) : []),
  },
];

function ofBreaker(
  given: Facts,
  of: (shard: ShardSource) => Breaker | undefined,
  read: (breaker: Breaker) => number,
): MetricRow {
  return {
    ...facts(given),
    labels: ['shard'],
    read: ({ shards }) =>
      shards.flatMap((shard) => {
        const breaker = of(shard);
        return breaker === undefined ? [] : [{ labels: { shard: shard.name }, value: read(breaker) }];
      }),
  };
}

function ofShard(given: Facts, read: (shard: ShardSource) => number): MetricRow {
  return {
    ...facts(given),
    labels: ['shard'],
    read: ({ shards }) => shards.map((shard) => ({ labels: { shard: shard.name }, value: read(shard) })),
  };
}

function byPolicy(given: Facts, read: (tally: AwayTally) => number): MetricRow {
  return {
    ...facts(given),
    labels: ['policy'],
    read: ({ cache }) =>
      (cache?.policies.all ?? []).map(({ name, number }) => {
        const tally = cache?.stats.whileAway[number];
        return { labels: { policy: name }, value: tally === undefined ? 0 : read(tally) };
      }),
  };
}
