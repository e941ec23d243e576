import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/log.ts';
import type { RateLimiter } from '../policy/rate-limiter.ts';
import type { RequestLimits } from '../protocol/limits.ts';
import type { RequestDecoder } from '../protocol/request-decoder.ts';
import type { NearCache } from '../cache/near-cache.ts';
import type { Upstream } from '../route/upstream.ts';
import type { ClientLimits } from './client-limits.ts';
import type { ClusterEmulation } from './cluster-emulation.ts';
import type { Leases } from './leases.ts';
import type { SessionRegistry } from './session-registry.ts';
import type { SessionStats } from './session-stats.ts';

export interface SessionOptions {
  requests: RequestLimits;
  outputBytes: number;
  inFlightMax: number;
  commandTimeoutMs: number;
  slowCommandTimeoutMs: number;
  blockingGraceMs: number;
  requireAuth: boolean;
  /** Are reads whose one reply depends on several keys cached (class C), and SORT_RO without patterns (class D)? */
  cachesMultiKey: boolean;
  cachesSort: boolean;
  /** Sessions that may wait for one read. */
  followersMax: number;
  /** Undefined = CLUSTER … is for Redis to answer. */
  clusterEmulation?: ClusterEmulation | undefined;
  /** How often a command follows redirects of a Cluster. */
  redirectsMax: number;
}

/** What all sessions of one nearcache share. */
export interface SessionContext {
  options: SessionOptions;
  upstream: Upstream;
  /** Undefined = there is none. */
  cache: NearCache | undefined;
  registry: SessionRegistry;
  /** Undefined = no policy has leases. */
  leases?: Leases | undefined;
  /** Looks ahead for the end of a transaction; one for all, since it is used within one call. */
  lookahead: RequestDecoder;
  /** Undefined = no policy has a limit. */
  rateLimiter?: RateLimiter | undefined;
  stats: SessionStats;
  /** Redis has not answered since the start, and apps are told so (`--startup loading`). */
  isLoading?: boolean;
  /** Undefined = there are none. */
  clientLimits?: ClientLimits | undefined;
  clock: Clock;
  log: Logger;
}

/** Which of the shard's links holds this session's unanswered commands. */
export type Link = 'shared' | 'pinned' | 'control' | 'subscription' | 'replica';
