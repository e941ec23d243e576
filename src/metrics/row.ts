import type { LoopStats } from '../base/loop-lag.ts';
import type { CacheStats } from '../cache/cache-stats.ts';
import type { HoldOff } from '../cache/hold-off.ts';
import type { StoreStats } from '../cache/store.ts';
import type { InvalidationStats } from '../invalidation/invalidation-stats.ts';
import type { InvalidationLink } from '../invalidation/invalidations.ts';
import type { PolicyTable } from '../policy/policy-table.ts';
import type { DrainState } from '../session/drain.ts';
import type { PreloadStats } from '../session/preload.ts';
import type { SessionStats } from '../session/session-stats.ts';
import type { Breakers } from '../shard/breakers.ts';
import type { Hedging } from '../shard/hedging.ts';
import type { Ramp } from '../shard/ramp.ts';
import type { RetryBudget } from '../shard/retry-budget.ts';
import type { Replica } from '../shard/replica.ts';
import type { ShardStats } from '../shard/shard-stats.ts';

/** What the rows read. Shape: `cache` undefined = no cache, whose rows are then left out. */
export interface MetricSources {
  readonly sessions: SessionStats;
  readonly shards: readonly ShardSource[];
  readonly cache: CacheSource | undefined;
  /** Fingerprints of the ring and of the one that it is to become, '-' = none; undefined = there is no ring of several shards. */
  readonly ring?: () => { readonly from: string; readonly to: string } | undefined;
  /** Undefined = none come by pub/sub. */
  readonly invalidations?: InvalidationSource | undefined;
  readonly version: string;
  readonly lifecycle?: LifecycleSource | undefined;
}

/** The process's own start and end, and whether it is held up. */
export interface LifecycleSource {
  readonly drain: DrainState;
  readonly loop: LoopStats;
  /** 0 = none. Units: ms. */
  readonly watchdogMs: number;
  /** Undefined = no hot keys are kept. */
  readonly preload: PreloadStats | undefined;
}

/** One shard. */
export interface ShardSource {
  readonly name: string;
  readonly stats: ShardStats;
  /** Undefined = there are none. */
  readonly breakers: Breakers | undefined;
  /** Commands that may be in flight to it, by one user. */
  readonly inFlightMax: () => number;
  /** Undefined = no read is hedged. */
  readonly hedging?: Pick<Hedging, 'sent' | 'won'> | undefined;
  readonly ramp: Pick<Ramp, 'delayed' | 'refused'>;
  readonly retries: Pick<RetryBudget, 'retries'>;
  /** `maxStalenessMs` less the age of the newest answered heartbeat; below 0 no entry is served. Undefined = there is no
   *  link whose invalidations could be relied on. Units: ms. */
  readonly margin: () => number | undefined;
  /** Undefined = no policy has reads of them. */
  readonly replicas?: Iterable<ReplicaSource> | undefined;
}

/** One replica of a shard. */
export type ReplicaSource = Pick<Replica, 'name' | 'isUp' | 'reads' | 'retried' | 'roundTripSeconds'>;

/** The near-cache. */
export interface CacheSource {
  readonly stats: CacheStats;
  readonly store: StoreStats;
  readonly policies: PolicyTable;
}

/** Invalidations that come by pub/sub. */
export interface InvalidationSource {
  readonly stats: InvalidationStats;
  readonly holdOff: HoldOff | undefined;
  readonly links: readonly InvalidationLink[];
}

/** One time series of a row at one scrape. Shape: `suffix` only of histograms: `_bucket`, `_sum` or `_count`. */
export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
  readonly suffix?: string;
}

/** One metric. Shape: `name` is nearcache_<noun>_<unit>[_total]; counters end in _total. */
export interface MetricRow {
  readonly name: string;
  readonly kind: 'counter' | 'gauge' | 'histogram';
  readonly unit: 'count' | 'bytes' | 'seconds' | 'boolean';
  readonly labels: readonly string[];
  readonly help: string;
  readonly read: (sources: MetricSources) => readonly Sample[];
}

/** What a row says of itself; its kind follows from its name. */
export type Facts = Pick<MetricRow, 'name' | 'help'> & Partial<Pick<MetricRow, 'unit'>>;

/** A row without `read`; of no labels unless overridden. */
export function facts(given: Facts): Omit<MetricRow, 'read'> {
  const kind = given.name.endsWith('_total') ? 'counter' : 'gauge';
  return { unit: 'count', labels: [], kind, ...given };
}

/** One sample a reason. */
export function byReason(counts: Readonly<Record<string, number>>): readonly Sample[] {
  return Object.entries(counts).map(([reason, value]) => ({ labels: { reason }, value }));
}
