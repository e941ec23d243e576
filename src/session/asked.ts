import { copyOf } from '../base/copy-of.ts';
import type { Generation } from '../cache/generation.ts';
import type { NearCache } from '../cache/near-cache.ts';
import { absentReply } from '../command/absent-reply.ts';
import type { CommandSpec } from '../command/spec.ts';
import { commandById } from '../command/table.ts';
import { integerReply } from '../protocol/encoder.ts';
import type { Request } from '../protocol/request.ts';
import { aimAtCall, aimAtKey, wanted } from './cached-answer.ts';
import { absentInstead, isStillGood, staleEntry } from './instead.ts';
import type { Session } from './session.ts';

/** A cacheable read of keys of one shard, and the link that was to answer it. */
export interface Asked {
  readonly request: Request;
  readonly spec: CommandSpec;
  readonly space: number;
  readonly generation: Generation;
  /** False = what was good before may be older than what the session itself has done since. */
  readonly mayBeStale: boolean;
}

/** What the session asks of the shard at which it is aimed. */
export function askedBy(session: Session, request: Request, spec: CommandSpec): Asked {
  const { space, unknownOutstanding, identity } = session;
  const mayBeStale = unknownOutstanding === 0 && space >= 0;
  return { request, spec, space, generation: identity.shared.generation, mayBeStale };
}

/** The reply, in RESP3, while the shard is away: of each key what was good before, else by its policy that there is no such key;
 *  undefined = of one of them neither may be said. Units: monotonic ms. */
export function insteadOfAsked(cache: NearCache, asked: Asked, now: number): Buffer | undefined {
  // Redis says what is wrong with it.
  if (asked.request.argc < 2) return undefined;
  return asked.spec.cacheClass === 'B' ? insteadOfMany(cache, asked, now) : insteadOfOne(cache, asked, now);
}

function insteadOfOne(cache: NearCache, asked: Asked, now: number): Buffer | undefined {
  const { request, spec, space, generation, mayBeStale } = asked;
  aimAtCall(request, spec, space, generation.fence);
  const stale = mayBeStale ? staleEntry(cache, wanted, generation, now) : undefined;
  if (stale !== undefined) return stale;
  const policy = cache.policies.of(wanted.bytes, wanted.keyStart, wanted.keyEnd);
  return absentInstead(cache, spec, request.argc, policy);
}

function insteadOfMany(cache: NearCache, asked: Asked, now: number): Buffer | undefined {
  const { request, spec, space, generation, mayBeStale } = asked;
  const parts: Buffer[] = [];
  let hasStale = false;
  let absentBy: number | undefined;
  for (let i = 1; i < request.argc; i++) {
    aimAtKey(request, i, spec, space, generation.fence);
    if (mayBeStale && isStillGood(cache, wanted, generation, now)) {
      const { bytes, start, end } = cache.store.found;
      parts.push(copyOf(bytes, start, end));
      hasStale = true;
      continue;
    }
    const policy = cache.policies.of(wanted.bytes, wanted.keyStart, wanted.keyEnd);
    if (policy.whenAway === 'error') return undefined;
    absentBy ??= policy.number;
    parts.push(absentReply(commandById(wanted.commandId), 2) as Buffer);
  }
  if (hasStale) cache.noteStale(now - generation.freshAt);
  if (absentBy !== undefined) cache.stats.away(absentBy).absent++;
  if (spec.name === 'mget') return Buffer.concat([Buffer.from(`*${parts.length}\r\n`, 'latin1'), ...parts]);
  return integerReply(parts.filter((part) => part.equals(ONE)).length);
}

const ONE = Buffer.from(':1\r\n', 'latin1');
