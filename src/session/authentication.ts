import type { CommandSpec } from '../command/spec.ts';
import type { Request } from '../protocol/request.ts';
import type { Session } from './session.ts';
import { failureLine } from './slot.ts';

/** Does Redis (or `--require-auth`) want a password that this session has not given? */
export function mustAuthenticate(session: Session): boolean {
  if (session.isAuthenticated) return false;
  if (session.context.options.requireAuth) return true;
  const { shared } = session.context.upstream.home.own;
  return !shared.isReady && shared.problem.kind === 'refused' && shared.problem.reason.startsWith('NOAUTH');
}

/** Refuse a request for want of a password. Redis complains of an unknown command or a wrong number of arguments first,
 *  in words of its own: such a request cannot run anyway, and is shown to it. False when it has to wait. */
export function refuse(session: Session, request: Request, spec: CommandSpec | undefined): boolean {
  const isUnknown = spec === undefined || (spec.subcommands !== undefined && request.argc > 1);
  if (!isUnknown && fitsArity(spec.arity, request.argc)) {
    session.answerError(spec.name === 'exec' ? 'NOAUTH_EXEC' : 'NOAUTH');
    return true;
  }
  return askAsStranger(session, request, (reply) => reply);
}

/** Let Redis answer as to someone who has not authenticated. `answer` may replace what it says. False when it has to wait. */
export function askAsStranger(
  session: Session,
  request: Request,
  answer: (reply: Buffer) => Buffer,
): boolean {
  if (!session.mayUse('control')) return false;
  const slot = session.slot();
  session.outstanding++;
  const bytes = Buffer.from(request.buffer.subarray(request.start, request.end));
  session.context.upstream.home.auth.askStranger(bytes, (reply, failure) => {
    if (reply !== undefined) slot.answer(answer(reply));
    else if (failure !== undefined) slot.answer(failureLine(failure, session.shardName, 0));
    session.settled(slot);
  });
  return true;
}

function fitsArity(arity: number, argc: number): boolean {
  return arity < 0 ? argc >= -arity : argc === arity;
}

/** Is it served as the sidecar's own user? */
export function isOwnUser({ identity }: Session): boolean {
  return identity === identity.shard.own;
}
