import { copyOf } from '../base/copy-of.ts';
import type { Flight } from '../cache/flight.ts';
import type { NearCache } from '../cache/near-cache.ts';
import { absentReply } from '../command/absent-reply.ts';
import { commandById } from '../command/table.ts';
import type { Policy } from '../policy/policy.ts';

/** What a read that has failed is answered with, in RESP3, by an entry that was good when its shard was last heard of. */
export function staleEntry(cache: NearCache, { id, generation }: Flight, now: number): Buffer | undefined {
  const staleMs = now - generation.freshAt;
  if (!generation.isTracking || staleMs > cache.staleIfErrorMs) return undefined;
  if (!cache.find(id, 3, generation.freshAt) || !cache.mayServeStale(staleMs)) return undefined;
  cache.noteStale(staleMs);
  const { found } = cache.store;
  return copyOf(found.bytes, found.start, found.end);
}

/** The reply for a read that has failed, by the policy of its key; undefined = its error. `argc`: as the app sent it. */
export function absentInstead(
  cache: NearCache,
  commandId: number,
  argc: number,
  policy: Policy,
): Buffer | undefined {
  if (policy.whenAway === 'error') return undefined;
  cache.stats.tallies(cache.stats.byPolicy, policy.number).absent++;
  return absentReply(commandById(commandId), argc);
}
