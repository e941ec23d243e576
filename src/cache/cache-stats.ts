/** What the near-cache counts; plain numbers that the data path adds to and `metrics/` only reads.
 *  Units: counts since start, except `entries` and `bytes` (now). */
export class CacheStats {
  entries = 0;
  bytes = 0;
  hits = 0;
  misses = 0;
  /** Cacheable reads that had to go to Redis although caching is on, by why. */
  bypass: Record<BypassReason, number> = { closed: 0, ordered: 0, stale: 0, off: 0 };
  fills = 0;
  /** Replies that were not stored, by why. */
  refused: Record<RefusedReason, number> = { revoked: 0, ttl: 0, error: 0, size: 0, closed: 0 };
  evicted = 0;
  expired = 0;
  /** Keys named by invalidation pushes. */
  invalidations = 0;
  /** Everything dropped at once: a null push, FLUSHALL, a lost link. */
  flushes = 0;
}

/** closed = a write to the key is in flight; ordered = this session has an unanswered command of unknown keys;
 *  stale = freshness is older than `maxStalenessMs`; off = no tracking on this link. */
export type BypassReason = 'closed' | 'ordered' | 'stale' | 'off';

/** revoked = an invalidation or write came first; ttl = about to expire; error = an error reply; size = over
 *  the limit; closed = a write to the key is in flight. */
export type RefusedReason = 'revoked' | 'ttl' | 'error' | 'size' | 'closed';
