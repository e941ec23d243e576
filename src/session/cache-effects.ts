import { ELSEWHERE, type NearCache } from '../cache/near-cache.ts';
import { extractKeys, KeyList } from '../command/keys.ts';
import type { CommandSpec } from '../command/spec.ts';
import type { Request } from '../protocol/request.ts';
import { BarrierEffect, FlushEffect, type ReplyEffect, WriteEffect } from './effect.ts';
import { endLeasesBefore, mayLeaveNoTrace } from './lease-ends.ts';
import { letHeldGo } from './parked-read.ts';
import { rereadBehind } from './reread.ts';
import type { Session } from './session.ts';

const keyList = new KeyList();

/** What a command that is no cached read does to the near-cache; 'wait' when a read of this session that may yet be sent
 *  could be overtaken by it. Creating the effect closes the keys. */
export function effectOf(
  session: Session,
  cache: NearCache,
  request: Request,
  spec: CommandSpec,
): ReplyEffect | BarrierEffect | 'wait' {
  const { held } = session;
  const result = extractKeys(spec, request, keyList);
  const keys: string[] = [];
  for (let i = 0; i < keyList.count; i++) keys.push(request.argLatin1(keyList.indices[i] as number));
  const isKnown = result === 'keys' && !spec.flushesAll;
  const mustWait = !held.isEmpty && (!isKnown || keys.some((key) => held.reads.has(key)));
  if (mustWait && !letHeldGo(session)) return 'wait';
  if (spec.flushesAll) return new FlushEffect(cache);
  if (session.context.leases !== undefined && mayLeaveNoTrace(spec, request)) endLeasesBefore(session, keys);
  if (isKnown) {
    // Before the effect ends the entry.
    const isFirst = spec.onlyKey === 1 && keys.length === 1;
    const reread = isFirst ? rereadBehind(session, cache, request, keys[0] as string) : undefined;
    return new WriteEffect(cache, keys, fenceOf(session), reread);
  }
  return unknownKeys(session, cache, keys);
}

/** The link that a write of this session is about to be sent on; what is held until there is one has no place yet. */
export function fenceOf({ identity }: Session): number {
  return identity.shared.isReady ? identity.shared.generation.fence : ELSEWHERE;
}

/** A barrier for a command that may change keys it does not name; until it is answered, reads of this session go behind it. */
export function unknownKeys(session: Session, cache: NearCache, keys: readonly string[]): BarrierEffect {
  session.unknownOutstanding++;
  return new BarrierEffect(cache, session.identity, keys, () => {
    session.unknownOutstanding--;
  });
}
