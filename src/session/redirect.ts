import { encodeRequest } from '../protocol/encoder.ts';
import type { Session } from './session.ts';
import { NO_SUCH_ID } from './shared-slot.ts';
import type { Request } from '../protocol/request.ts';

/** CLIENT TRACKING … REDIRECT id names one of nearcache's sessions; Redis must hear the id of that session's
 *  subscription connection, where the invalidations are to arrive (DESIGN rule 11).
 *  Shape: the request's bytes, rewritten where needed; undefined while that connection is being opened. */
export function redirectToUpstream(session: Session, request: Request): Buffer | undefined {
  const { buffer, start, end, argc } = request;
  const at = redirectAt(request);
  if (at === undefined) return buffer.subarray(start, end);
  if (!/^-?\d{1,18}$/.test(request.argLatin1(at))) return buffer.subarray(start, end);
  const target = session.context.registry.byId(Number(request.argLatin1(at)));
  const id = target === undefined ? NO_SUCH_ID : target.subscription.reserve(() => session.wake());
  if (id === undefined) return undefined;
  const args: Buffer[] = [];
  for (let i = 0; i < argc; i++) {
    args.push(i === at ? Buffer.from(String(id)) : buffer.subarray(request.argStart(i), request.argEnd(i)));
  }
  return encodeRequest(args);
}

function redirectAt(request: Request): number | undefined {
  for (let i = 3; i + 1 < request.argc; i++) {
    if (request.argLatin1(i).toLowerCase() === 'redirect') return i + 1;
  }
  return undefined;
}
