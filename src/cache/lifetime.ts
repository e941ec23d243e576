import type { Random } from '../base/random.ts';
import type { Flight } from './flight.ts';
import type { EntryFacts } from './store.ts';

/** Below this PTTL a fill is not worth it and too close to the edge (R12). */
const MIN_PTTL_MS = 10;
/** Over so many load times before its end, XFetch draws a refresh with a chance of 1 in 8 million. */
const XFETCH_WINDOW = 16;

/** Set when an entry ends and when it is to be read again; false when it may not be stored (coherence spec R12).
 *
 *  A key's own expiry in Redis is exact, and nothing extends it. A life that ends by a cap of ours is shortened by jitter,
 *  so that entries filled together do not end together; it may be extended while a refresh is under way. */
export function setLifetime(facts: EntryFacts, flight: Flight, isNil: boolean, random: Random): boolean {
  const { pttl, policy, sentAt } = flight;
  const isMissing = isNil || pttl === -2;
  const isReadable = pttl === -1 || pttl === -2 || pttl >= MIN_PTTL_MS;
  const capMs = isMissing ? Math.min(flight.maxTtlMs, policy.negativeTtlMs) : flight.maxTtlMs;
  // Who reads a leased key that is not there has to hear who loads it.
  if (!isReadable || capMs === 0 || (isNil && policy.lease !== undefined)) return false;
  // "No such field" of a key that expires stays true when the key has gone.
  const expiryMs = pttl >= 0 && !isMissing ? pttl : Number.POSITIVE_INFINITY;
  facts.filledAt = sentAt;
  if (expiryMs <= capMs) {
    facts.deadline = sentAt + expiryMs - 1;
    facts.refreshAt = Number.POSITIVE_INFINITY;
    return true;
  }
  const lifeMs = capMs * (1 - (policy.jitterPercent / 100) * random());
  facts.deadline = sentAt + Math.min(lifeMs + policy.staleWhileRevalidateMs, expiryMs) - 1;
  facts.refreshAt = refreshAt(flight, lifeMs);
  return true;
}

function refreshAt({ policy, sentAt }: Flight, lifeMs: number): number {
  if (policy.softTtlPercent < 100) return sentAt + (lifeMs * policy.softTtlPercent) / 100;
  return policy.staleWhileRevalidateMs > 0 ? sentAt + lifeMs : Number.POSITIVE_INFINITY;
}

/** Is a hit at `now` to have its entry read again? Drawn anew at each hit, the likelier the nearer the end and the longer a
 *  read takes, so that pods that filled together do not refresh together.
 *  Source: Vattani, Chierichetti, Lowenstein: Optimal probabilistic cache stampede prevention, VLDB 2015 (XFetch, beta 1). */
export function wantsRefresh(facts: EntryFacts, now: number, random: Random): boolean {
  if (now < facts.refreshAt - XFETCH_WINDOW * facts.loadMs) return false;
  return now - facts.loadMs * Math.log(1 - random()) >= facts.refreshAt;
}
