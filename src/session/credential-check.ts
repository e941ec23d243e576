import { MINUS } from '../protocol/bytes.ts';
import type { Request } from '../protocol/request.ts';
import type { Credentials } from '../shard/credentials.ts';
import type { Session } from './session.ts';
import { failureLine } from './slot.ts';

/** How often it is looked again whether the first connection is made. */
export const RETRY_MS = 10;

/** The first connection to Redis as this session's user is still being made: HELLO cannot be answered yet. */
export function isServerUnknown(session: Session): boolean {
  const { home } = session.context.upstream;
  const { state } = (session.identity.isPassing ? home.own : session.identity).shared;
  return home.identities.server === undefined && (state === 'connecting' || state === 'idle');
}

/** A copy of argument `index`'s bytes. */
export function argument(request: Request, index: number): Buffer {
  return Buffer.from(request.buffer.subarray(request.argStart(index), request.argEnd(index)));
}

/** Ask Redis whether these credentials are right, and become that user if so. `answer` makes the reply from Redis's
 *  refusal, or from nothing when it said yes. */
export function checkCredentials(
  session: Session,
  auth: Buffer,
  user: string,
  credentials: Credentials,
  answer: (refusal: Buffer | undefined) => Buffer,
): void {
  const slot = session.slot();
  session.outstanding++;
  session.context.upstream.home.auth.check(auth, (reply, failure) => {
    if (session.isClosed) return;
    const isAccepted = reply !== undefined && reply[0] !== MINUS;
    if (isAccepted) session.become(user, credentials, auth);
    const { commandTimeoutMs } = session.context.options;
    const refusal =
      reply ??
      (failure === undefined ? undefined : failureLine(failure, session.shardName, commandTimeoutMs));
    const conclude = (): void => {
      if (isAccepted && isServerUnknown(session)) {
        session.context.clock.after(RETRY_MS, conclude);
        return;
      }
      slot.answer(answer(isAccepted ? undefined : refusal));
      session.settled(slot);
    };
    conclude();
  });
}
