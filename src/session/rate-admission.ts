import { extractKeys, KeyList } from '../command/keys.ts';
import { resolve } from '../command/table.ts';
import type { Policy } from '../policy/policy.ts';
import type { RateLimiter } from '../policy/rate-limiter.ts';
import type { Request } from '../protocol/request.ts';
import { mustAuthenticate } from './authentication.ts';
import { aimAtShard } from './placement.ts';
import type { Session } from './session.ts';

/** go = it has been counted; refused = it was answered with why; wait = it may not be answered yet. */
export type RateAdmission = 'go' | 'refused' | 'wait';

const keyList = new KeyList();

/** The policy whose rate limit a request falls under: that of the first key that it names. Undefined = none. */
export function limitingPolicy(limiter: RateLimiter, request: Request): Policy | undefined {
  const spec = resolve(request);
  if (spec === undefined) return undefined;
  extractKeys(spec, request, keyList);
  if (keyList.count === 0) return undefined;
  const first = keyList.indices[0] as number;
  return limiter.policyOf(request.buffer, request.argStart(first), request.argEnd(first));
}

/** Count a request against the rate limit of its policy, or refuse it. To be asked once for each request, before anything has
 *  been done about it. Refused inside MULTI it aborts the transaction, as any mistake does. */
export function admitByRate(session: Session, limiter: RateLimiter, request: Request): RateAdmission {
  const { sticky } = session.pin;
  // Redis, or nearcache in its place, has something else to say to these; a stranger may not spend what is others'.
  if (sticky.relay !== undefined || session.subscription.isExclusive || mustAuthenticate(session))
    return 'go';
  const policy = limitingPolicy(limiter, request);
  if (policy === undefined) return 'go';
  if (limiter.isOpen(policy, session.now)) {
    limiter.charge(policy);
    return 'go';
  }
  const { options, stats, upstream } = session.context;
  if (session.queue.length >= options.inFlightMax) return 'wait';
  const fields = { rate: policy.rateLimit, policy: policy.name };
  if (sticky.isInTransaction) {
    aimAtShard(session, session.pin.shard ?? upstream.home);
    if (!sticky.refuse('RATE_LIMIT', fields)) return 'wait';
  } else {
    session.answerError('RATE_LIMIT', fields);
  }
  stats.commands++;
  limiter.refuse(policy);
  return 'refused';
}
