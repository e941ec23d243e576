import { extractKeys, KeyList } from '../command/keys.ts';
import type { CommandSpec } from '../command/spec.ts';
import type { Request } from '../protocol/request.ts';
import { FlushEffect, type ReplyEffect, RevokeEffect, WriteEffect } from './effect.ts';
import { unknownKeys } from './cache-effects.ts';
import type { Session } from './session.ts';

const keyList = new KeyList();

/** What a command on a pinned connection does to the near-cache. Its reply may be newer than what invalidations have
 *  told so far, since they come on another connection: keys it names are revoked either way (coherence spec R14). A
 *  blocking command does not hold its keys closed while it waits (spec §6.3). */
export function pinnedEffect(
  session: Session,
  request: Request,
  spec: CommandSpec | undefined,
  isBlocking: boolean,
): ReplyEffect | undefined {
  const { cache } = session.context;
  if (cache === undefined) return undefined;
  if (spec === undefined) return unknownKeys(session, cache, []);
  if (spec.flushesAll) return new FlushEffect(cache);
  const result = extractKeys(spec, request, keyList);
  const keys: string[] = [];
  for (let i = 0; i < keyList.count; i++) keys.push(request.argLatin1(keyList.indices[i] as number));
  if (result !== 'keys') return unknownKeys(session, cache, keys);
  if (keys.length === 0) return undefined;
  return spec.isWrite && !isBlocking ? new WriteEffect(cache, keys) : new RevokeEffect(cache, keys);
}
