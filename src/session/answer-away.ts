import type { CommandSpec } from '../command/spec.ts';
import type { NearCache } from '../cache/near-cache.ts';
import type { Request } from '../protocol/request.ts';
import type { CallFailure } from '../shard/call.ts';
import { aimAtCall, wanted } from './cached-answer.ts';
import { absentInstead } from './instead.ts';
import { askedBy, manyInstead } from './many-instead.ts';
import type { Waiter } from '../shard/shared-options.ts';
import type { Session } from './session.ts';
import { sharedSlot } from './shared-slot.ts';

/** May the session ask the shard, at which it is aimed, for what the near-cache lacks? After an outage such reads take turns. 'wait' =
 *  the session is woken; a failure = no, and why. */
export function fetchTurn({ identity, now }: Session, waiter: Waiter): 'go' | 'wait' | CallFailure {
  const { ramp } = identity.shard;
  if (!ramp.isActive) return 'go';
  const turn = ramp.admit(waiter, now);
  return turn === 'late' ? { kind: 'queue', reason: String(ramp.queueTimeoutMs) } : turn;
}

/** Answer a read whose shard is away, which cannot be answered with stale entries alone, as the policies of its keys say: with the reply
 *  for keys that do not exist if all the others fail open, else with what is wrong. The session is aimed at the shard. */
export function answerAway(
  session: Session,
  cache: NearCache,
  request: Request,
  spec: CommandSpec,
  obstacle: CallFailure,
): void {
  const frame = insteadOf(session, cache, request, spec, obstacle);
  const slot = sharedSlot(session, request, spec);
  if (frame === undefined) slot.fail(obstacle);
  else slot.answerInstead(frame);
}

function insteadOf(
  session: Session,
  cache: NearCache,
  request: Request,
  spec: CommandSpec,
  { kind }: CallFailure,
): Buffer | undefined {
  // It is there, and does not want this user.
  if (kind === 'refused') return undefined;
  if (spec.cacheClass === 'B') return manyInstead(cache, askedBy(session, request, spec), session.now);
  return absentFrame(session, cache, request, spec);
}

function absentFrame(
  session: Session,
  cache: NearCache,
  request: Request,
  spec: CommandSpec,
): Buffer | undefined {
  // Redis says what is wrong with it.
  if (request.argc < 2) return undefined;
  aimAtCall(request, spec, session.space, 0);
  const policy = cache.policies.of(wanted.bytes, wanted.keyStart, wanted.keyEnd);
  return absentInstead(cache, spec, request.argc, policy);
}
