import type { InvalidationStats } from '../invalidation/invalidation-stats.ts';
import type { InvalidationLink } from '../invalidation/invalidations.ts';
import { byReason, type Facts, facts, type InvalidationSource, type MetricRow } from './row.ts';

/** What invalidations that come by pub/sub count; nothing while none are listened to. */
export const INVALIDATION_ROWS: readonly MetricRow[] = [
  byLink(
    {
      name: 'nearcache_invalidation_link_up',
      help: '1 while a subscription delivers (and, of keyspace events, its canary comes back). Without the channel no entry is served.',
      unit: 'boolean',
    },
    ({ isUp }) => (isUp ? 1 : 0),
  ),
  byLink(
    { name: 'nearcache_invalidation_links_lost_total', help: 'Subscriptions that were lost.' },
    ({ losses }) => losses,
  ),
  {
    ...facts({
      name: 'nearcache_invalidation_messages_total',
      help: 'Messages by form: key, list and object come from the channel, event is a keyspace event, bad was not understood.',
    }),
    labels: ['form'],
    read: ({ invalidations }) =>
      Object.entries(invalidations?.stats.messages ?? {}).map(([form, value]) => ({
        labels: { form },
        value,
      })),
  },
  counted(
    {
      name: 'nearcache_invalidation_gaps_total',
      help: 'Times that a publisher of the channel left out a number.',
    },
    (stats) => stats.gaps,
  ),
  {
    ...facts({
      name: 'nearcache_invalidation_flushes_total',
      help: 'Times that everything was dropped, or everything of one publisher, by why.',
    }),
    labels: ['reason'],
    read: ({ invalidations }) => (invalidations ? byReason(invalidations.stats.flushes) : []),
  },
  counted(
    {
      name: 'nearcache_invalidation_canary_failures_total',
      help: 'Canaries whose keyspace events did not come.',
    },
    (stats) => stats.canaryFailures,
  ),
  single(
    {
      name: 'nearcache_invalidation_held_off_keys',
      help: 'Keys and prefixes that are not kept now, since the channel named them; see --invalidation-hold-off.',
    },
    ({ holdOff }) => holdOff?.count ?? 0,
  ),
  single(
    {
      name: 'nearcache_invalidation_held_off_all',
      help: '1 while no key at all is kept for that reason.',
      unit: 'boolean',
    },
    ({ holdOff }) => (holdOff?.holdsAll === true ? 1 : 0),
  ),
];

function byLink(given: Facts, read: (link: InvalidationLink) => number): MetricRow {
  return {
    ...facts(given),
    labels: ['shard', 'source'],
    read: ({ invalidations }) =>
      (invalidations?.links ?? []).map((link) => {
        const { shard, source } = link;
        return { labels: { shard, source }, value: read(link) };
      }),
  };
}

function counted(given: Facts, read: (stats: InvalidationStats) => number): MetricRow {
  return single(given, ({ stats }) => read(stats));
}

function single(given: Facts, read: (source: InvalidationSource) => number): MetricRow {
  return {
    ...facts(given),
    read: ({ invalidations }) => (invalidations ? [{ labels: {}, value: read(invalidations) }] : []),
  };
}
