import type { DrainState } from '../session/drain.ts';
import { type Facts, facts, type LifecycleSource, type MetricRow } from './row.ts';

const DRAIN_STATES: readonly DrainState[] = ['none', 'serving', 'closing'];

/** How it starts and ends, and whether it is held up. The lag of the event loop itself is among the metrics of Node
 *  (`nodejs_eventloop_lag_max_seconds`: the longest since the last scrape). */
export const LIFECYCLE_ROWS: readonly MetricRow[] = [
  row(
    {
      name: 'nearcache_drain_state',
      help: '0 = not told to stop; 1 = told to stop and serving the apps that are left; 2 = closing sessions.',
    },
    ({ drain }) => DRAIN_STATES.indexOf(drain),
  ),
  row(
    {
      name: 'nearcache_loop_stalls_total',
      help: 'Times that the event loop was held up for longer than --loop-lag-warning.',
    },
    ({ loop }) => loop.stalls,
  ),
  row(
    {
      name: 'nearcache_loop_stalled_seconds_total',
      help: 'How long it was held up at those times.',
      unit: 'seconds',
    },
    ({ loop }) => loop.stalledMs / 1000,
  ),
  row(
    {
      name: 'nearcache_watchdog_seconds',
      help: 'An event loop that is held up for so long ends the process; 0 = never.',
      unit: 'seconds',
    },
    ({ watchdogMs }) => watchdogMs / 1000,
  ),
  {
    ...facts({
      name: 'nearcache_preload_keys_total',
      help: 'Names of --hot-keys-file: read = asked of Redis at the start; skipped = there already, not to be kept, or their shard was away; bad = lines that are none.',
    }),
    labels: ['result'],
    read: ({ lifecycle }) =>
      Object.entries(lifecycle?.preload ?? {}).map(([result, value]) => ({
        labels: { result },
        value: value as number,
      })),
  },
];

function row(given: Facts, read: (source: LifecycleSource) => number): MetricRow {
  return {
    ...facts(given),
    read: ({ lifecycle }) => (lifecycle === undefined ? [] : [{ labels: {}, value: read(lifecycle) }]),
  };
}
