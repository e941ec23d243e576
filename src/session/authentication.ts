import type { Session } from './session.ts';

/** Does Redis (or `--require-auth`) want a password that this session has not given? */
export function mustAuthenticate(session: Session): boolean {
  if (session.isAuthenticated) return false;
  if (session.context.options.requireAuth) return true;
  const { shared } = session.context.shard.own;
  return !shared.isReady && shared.problem.kind === 'refused' && shared.problem.reason.startsWith('NOAUTH');
}

export function refuse(session: Session): boolean {
  session.answerError('NOAUTH');
  return true;
}
