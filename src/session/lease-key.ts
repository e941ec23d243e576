import type { NearCache } from '../cache/near-cache.ts';
import { encodeRequest } from '../protocol/encoder.ts';

/** What the name of a lease in Redis begins with; the key that it is for follows, byte by byte and in braces unless it has some,
 *  in that key's database: so both have one hash tag and are on one shard. A program that deletes a key behind nearcache's back
 *  deletes this one with it. */
export const LEASE_PREFIX = 'nearcache:lease:';

/** Delete the lease only if it is still ours. */
const RELEASE = `if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) end return 0`;

/** Shape: `key` is latin1, as everywhere. */
export function leaseKeyOf(key: string): Buffer {
  // A key with a } but no tag keeps its name: in a Cluster its lease may be elsewhere, and such a key has none.
  return Buffer.from(LEASE_PREFIX + (/[{}]/.test(key) ? key : `{${key}}`), 'latin1');
}

/** Take the lease, if nobody has it. Shape: answered by OK or nil. */
export function takeLease(key: string, token: string, ttlMs: number): Buffer {
  return encodeRequest(['SET', leaseKeyOf(key), token, 'NX', 'PX', String(ttlMs)]);
}

export function releaseLease(key: string, token: string): Buffer {
  return encodeRequest(['EVAL', RELEASE, '1', leaseKeyOf(key), token]);
}

/** End the leases of those of `keys` that may have one, whoever holds it; undefined when none may. */
export function endLeases(cache: NearCache, keys: readonly string[]): Buffer | undefined {
  const leased = keys.filter((key) => {
    const bytes = Buffer.from(key, 'latin1');
    return cache.policies.of(bytes, 0, bytes.length).lease !== undefined;
  });
  return leased.length === 0 ? undefined : encodeRequest(['UNLINK', ...leased.map(leaseKeyOf)]);
}
