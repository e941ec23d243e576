import type { CommandSpec } from '../command/spec.ts';
import type { NearCache } from '../cache/near-cache.ts';
import type { Request } from '../protocol/request.ts';
import type { CallFailure } from '../shard/call.ts';
import { askedBy, insteadOfAsked } from './asked.ts';
import type { Session } from './session.ts';
import { sharedSlot } from './shared-slot.ts';

/** May the session ask the shard, at which it is aimed, for what the near-cache lacks? After an outage such reads take turns. 'wait' =
 *  the session is woken; a failure = no, and why. */
export function fetchTurn(session: Session): 'go' | 'wait' | CallFailure {
  const { ramp } = session.identity.shard;
  if (!ramp.isActive) return 'go';
  const turn = ramp.admit(session, session.taken, session.now);
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
  // One that refuses the user is there.
  const isAway = obstacle.kind !== 'refused';
  const frame = isAway ? insteadOfAsked(cache, askedBy(session, request, spec), session.now) : undefined;
  const slot = sharedSlot(session, request, spec);
  if (frame === undefined) slot.fail(obstacle);
  else slot.answerInstead(frame);
}
