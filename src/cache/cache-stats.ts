/** What the near-cache counts; plain numbers that the data path adds to and `metrics/` only reads.
 *  Units: counts since start. */
export class CacheStats {
  /** By the number of the policy. */
  readonly byPolicy: ReadTally[] = [];
  /** What reads were answered with while their shard was away, by the number of the policy. */
  readonly whileAway: AwayTally[] = [];
  /** By the number of the command family (`CommandSpec.family`). */
  readonly byFamily: ReadTally[] = [];
  /** Cacheable reads that had to go to Redis although caching is on, by why. */
  bypass: Record<BypassReason, number> = {
    closed: 0,
    'held-off': 0,
    moving: 0,
    ordered: 0,
    stale: 0,
    off: 0,
    policy: 0,
    replica: 0,
    size: 0,
  };
  fills = 0;
  /** Replies that were not stored, by why. */
  refused: Record<RefusedReason, number> = { revoked: 0, ttl: 0, error: 0, size: 0, closed: 0, store: 0 };
  /** Entries read again in the background before their end. */
  refreshes = 0;
  /** Reads sent right behind a write, for an entry that it ended. */
  rereads = 0;
  /** Reads of several keys of which a cached part had changed when the rest came: read again as a whole (R16). */
  torn = 0;
  /** Leases on keys that are not there, given to a session of this nearcache. */
  leasesGranted = 0;
  /** Reads that waited for another session's load, by what ended that. */
  leaseWaits: Record<LeaseWaitEnd, number> = { value: 0, loader: 0, timeout: 0, 'given-up': 0 };
  /** Keys named by invalidation pushes. */
  invalidations = 0;
  /** Everything dropped at once: a null push, FLUSHALL, a lost link. */
  flushes = 0;
  /** Canaries whose invalidation did not come. */
  canaryFailures = 0;
  canaries = 0;
  /** Keys that Redis was told are in use. */
  touched = 0;
  /** Ages of entries at hits: bucket i counts ages of less than 2^i ms, and the last everything else. */
  readonly ages: Float64Array = new Float64Array(AGE_BUCKETS);
  ageSumMs = 0;
  /** The same of stale answers: how long before it was last known that Redis says the same. */
  readonly staleAges: Float64Array = new Float64Array(AGE_BUCKETS);
  staleAgeSumMs = 0;

  /** Of the policy of that number. */
  away(policy: number): AwayTally {
    return (this.whileAway[policy] ??= new AwayTally());
  }

  tallies(list: ReadTally[], number: number): ReadTally {
    return (list[number] ??= new ReadTally());
  }

  /** All reads together. */
  get total(): ReadTally {
    const sum = new ReadTally();
    for (const tally of this.byFamily) {
      if (tally === undefined) continue;
      sum.hits += tally.hits;
      sum.misses += tally.misses;
      sum.coalesced += tally.coalesced;
      sum.bypassed += tally.bypassed;
    }
    return sum;
  }
}

/** 2^22 ms is over an hour. */
export const AGE_BUCKETS = 24;

/** Count one age in its bucket. Units: ms. */
export function countAge(ages: Float64Array, ageMs: number): void {
  const bucket = Math.min(32 - Math.clz32(ageMs), AGE_BUCKETS - 1);
  ages[bucket] = (ages[bucket] as number) + 1;
}

/** Cacheable reads by what became of them. */
export class ReadTally {
  /** Answered by an entry. */
  hits = 0;
  /** Asked Redis, to fill. */
  misses = 0;
  /** Shared the answer of a read that was on its way. */
  coalesced = 0;
  /** Asked Redis, not to fill. */
  bypassed = 0;
}

/** Reads whose shard is away, by what they were answered with. */
export class AwayTally {
  /** An entry that was good before. */
  stale = 0;
  /** That there is no such key. */
  absent = 0;
}

/** value = it was loaded; loader = nobody else loaded it, so this one was told to; timeout = it took too long; given-up = the
 *  session had sent something behind it. */
export type LeaseWaitEnd = 'value' | 'loader' | 'timeout' | 'given-up';

/** closed = a write to the key is in flight; held-off = it was changed elsewhere, and Redis may not show that yet; ordered =
 *  this session has unanswered commands that the answer must not be older than; stale = freshness, of the link or of what
 *  tells of changes beside it, is older than `maxStalenessMs`; off = no tracking on this link; policy = the key's policy does
 *  not cache; replica = it has one asked; size = key and arguments are over the limit. */
export type BypassReason =
  | 'closed'
  | 'held-off'
  | 'moving'
  | 'ordered'
  | 'stale'
  | 'off'
  | 'policy'
  | 'replica'
  | 'size';

/** revoked = an invalidation or write came first; ttl = about to expire; error = an error reply; size = over
 *  the limit; closed = a write to the key is in flight; store = too many variants of its key. */
export type RefusedReason = 'revoked' | 'ttl' | 'error' | 'size' | 'closed' | 'store';
