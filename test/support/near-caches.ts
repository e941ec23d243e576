import { CacheStats } from '../../src/cache/cache-stats.ts';
import { createStore } from '../../src/cache/create-store.ts';
import type { Flight } from '../../src/cache/flight.ts';
import { Generation } from '../../src/cache/generation.ts';
import { type Landing, NearCache } from '../../src/cache/near-cache.ts';
import { type EntryId, SAME } from '../../src/cache/store.ts';
import { PolicyTable, type PolicyRules } from '../../src/policy/policy-table.ts';
import { get } from './store-entry.ts';

/** What a test may want of a near-cache; all of it has a value when left out. */
export interface NearCacheWishes {
  rules?: Partial<PolicyRules>;
  maxStalenessMs?: number;
  maxItemBytes?: number;
  maxKeyBytes?: number;
  random?: () => number;
}

/** Rules under which nothing is left to chance: no jitter, no refresh. */
export const PLAIN_RULES: PolicyRules = {
  isCached: true,
  maxTtlMs: 60_000,
  negativeTtlMs: 1000,
  jitterPercent: 0,
  softTtlPercent: 100,
  isReread: true,
  staleWhileRevalidateMs: 0,
  lease: undefined,
  staleIfErrorMs: 0,
  whenAway: 'error',
  rateLimit: 0,
};

/** A near-cache over a real store of 4 MB. */
export function nearCacheOf(wishes: NearCacheWishes = {}): NearCache {
  const { maxItemBytes = 10_000, maxKeyBytes = 1000, maxStalenessMs = 1000 } = wishes;
  const store = createStore('s3fifo', {
    maxBytes: 4 * 1024 * 1024,
    expectedEntryBytes: 128,
    maxItemBytes,
    maxKeyBytes,
    seed: 1,
  });
  return new NearCache(
    { maxStalenessMs, maxKeyBytes },
    {
      store,
      policies: new PolicyTable({ ...PLAIN_RULES, ...wishes.rules }),
      stats: new CacheStats(),
      random: wishes.random ?? ((): number => 0),
      hotKeys: undefined,
    },
  );
}

/** A link that is up and tracks, fresh at 0. */
export function trackingGeneration(): Generation {
  const generation = new Generation();
  generation.isTracking = true;
  return generation;
}

/** What the near-cache has for `id`, or undefined. */
export function cachedReply(cache: NearCache, id: EntryId, now = 0, proto: 2 | 3 = 3): string | undefined {
  return get(cache.store, id, now, proto);
}

/** A read of `id` on its way, whose key has this PTTL. */
export function startFlight(
  cache: NearCache,
  id: EntryId,
  given: { generation: Generation; pttl?: number; now?: number },
): Flight {
  const { generation, pttl = -1, now: sentAt = 0 } = given;
  const policy = cache.policies.of(id.bytes, id.keyStart, id.keyEnd);
  const plan = { generation, sentAt, policy, maxTtlMs: Number.POSITIVE_INFINITY };
  const flight = cache.startFlight(id, id.bytes.latin1Slice(id.keyStart, id.keyEnd), plan);
  flight.pttl = pttl;
  return flight;
}

/** Its reply is here, in the moment of its sending unless `landing` says otherwise. Shape: latin1. */
export function landFlight(
  cache: NearCache,
  flight: Flight,
  reply: string = '$1\r\nv\r\n',
  landing: Partial<Landing> = {},
): void {
  const bytes = Buffer.from(`??${reply}??`, 'latin1');
  const facts: Landing = { isError: false, isNil: false, form: SAME, now: flight.sentAt, ...landing };
  cache.land(flight, bytes, 2, bytes.length - 2, facts);
}
