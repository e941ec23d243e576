import { copyOf } from '../base/copy-of.ts';
import type { Generation } from '../cache/generation.ts';
import type { NearCache } from '../cache/near-cache.ts';
import type { EntryId } from '../cache/store.ts';
import { absentReply } from '../command/absent-reply.ts';
import type { CommandSpec } from '../command/spec.ts';
import type { Policy } from '../policy/policy.ts';

/** Was it good when its shard, which is away, was last heard of, not too long ago? `store.found` has it then. Units: monotonic ms. */
export function isStillGood(cache: NearCache, id: EntryId, generation: Generation, now: number): boolean {
  const staleMs = now - generation.freshAt;
  if (!generation.isTracking || staleMs >= cache.staleIfErrorMs) return false;
  return cache.find(id, 3, generation.freshAt) && cache.mayServeStale(staleMs);
}

/** What a read that has failed is answered with, in RESP3, by an entry that was good when its shard was last heard of. */
export function staleEntry(
  cache: NearCache,
  id: EntryId,
  generation: Generation,
  now: number,
): Buffer | undefined {
  if (!isStillGood(cache, id, generation, now)) return undefined;
  cache.noteStale(now - generation.freshAt);
  const { found } = cache.store;
  return copyOf(found.bytes, found.start, found.end);
}

/** The reply for a read that has failed, by the policy of its key; undefined = its error. `argc`: as the app sent it. */
export function absentInstead(
  cache: NearCache,
  spec: CommandSpec,
  argc: number,
  policy: Policy,
): Buffer | undefined {
  if (policy.whenAway === 'error') return undefined;
  const frame = absentReply(spec, argc);
  if (frame !== undefined) cache.stats.away(policy.number).absent++;
  return frame;
}
