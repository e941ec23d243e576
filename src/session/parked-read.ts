import { errorLine } from '../base/errors.ts';
import type { CommandSpec } from '../command/spec.ts';
import type { Request } from '../protocol/request.ts';
import { aimAtCall, lookUpAgain, wanted } from './cached-answer.ts';
import { mayDetour } from './detour.ts';
import { sendForSlot } from './held-read-call.ts';
import { type HeldRead, holdKeys, releaseKeys } from './held-keys.ts';
import { type Admission, GateWait } from '../route/ring-gate.ts';
import { ReadCall } from './read-call.ts';
import { keysAt } from './ring-admission.ts';
import { aimAtKeys, placeOf } from './placement.ts';
import type { Session } from './session.ts';
import { send, shapeOf, timeoutOf } from './shared-slot.ts';
import type { Slot } from './slot.ts';

/** A hit that waits in the reply queue behind unanswered commands: the request, and the state of the session when it was
 *  made. What was found is not kept, since the answer may not be older than those before it (DESIGN rule 3). */
export interface ParkedRead extends HeldRead {
  readonly db: number;
  readonly proto: 2 | 3;
}

/** Take a place in the queue for a hit that cannot be answered yet. */
export function park(session: Session, request: Request, spec: CommandSpec): void {
  const slot = session.slot();
  slot.parked = { request: request.copy(), spec, db: session.db, proto: session.proto };
  holdKeys(session, slot.parked);
}

/** The head of the queue is a parked read: answer it if the near-cache still can, else ask Redis. Nothing that this session
 *  sent after it can have changed its keys: such a command would have waited (`namesHeldKey`). False when it has to wait for
 *  its key to arrive at another shard. */
export function unpark(session: Session, slot: Slot): boolean {
  const admission = admissionOf(session, slot);
  if (admission === 'wait') return false;
  if (admission !== 'go') {
    refuse(session, slot, errorLine('KEY_NOT_MOVED', { reason: admission.problem }));
    return true;
  }
  // A request may be being dispatched meanwhile, and is aimed elsewhere.
  const { identity, space } = session;
  lookAgainOrAsk(session, slot);
  session.identity = identity;
  session.space = space;
  return true;
}

/** Its key may be on the way to another shard. */
function admissionOf(session: Session, slot: Slot): Admission {
  const { gate } = session.context.upstream;
  if (gate === undefined || gate.isOpen) return 'go';
  const { request, spec, db } = slot.parked as ParkedRead;
  slot.gateWait ??= new GateWait(() => session.answered(slot));
  return gate.admit(keysAt(request, spec, db), slot.gateWait);
}

/** There is nobody whom it could be asked. */
function refuse(session: Session, slot: Slot, line: Buffer): void {
  const parked = slot.parked as ParkedRead;
  slot.parked = undefined;
  releaseKeys(session, parked);
  session.countOwnError();
  slot.keep(line);
}

function lookAgainOrAsk(session: Session, slot: Slot): void {
  const parked = slot.parked as ParkedRead;
  const { request, spec, db, proto } = parked;
  if (!aimAtKeys(session, request, spec, db)) {
    return refuse(session, slot, errorLine('NO_OWNER', { slot: placeOf(session, request, spec) }));
  }
  slot.parked = undefined;
  const bytes = lookUpAgain(session, request, spec, { proto, db });
  if (bytes !== undefined) {
    releaseKeys(session, parked);
    slot.keep(bytes);
    return;
  }
  slot.identity = session.identity;
  slot.needsResp2 = proto === 2;
  slot.shape = shapeOf(spec);
  slot.argc = request.argc;
  mayDetour(session, slot, request, 'shared');
  slot.timeoutMs = timeoutOf(session, spec);
  session.outstanding++;
  if (joinRead(session, slot, parked)) return;
  releaseKeys(session, parked);
  const { cache } = session.context;
  // Not the session's database: a SELECT behind this read may have changed it by now.
  if (cache === undefined) send(session, slot, request, db);
  else sendForSlot(session, cache, slot, parked);
}

/** Wait for an answer that is on its way. It is newer than all that this session has been answered: replies come in one order. */
function joinRead(session: Session, slot: Slot, parked: ParkedRead): boolean {
  const { request, spec, db } = parked;
  const { cache } = session.context;
  const { shared } = session.identity;
  if (cache === undefined || spec.cacheClass === 'B') return false;
  aimAtCall(request, spec, session.space, shared.generation.fence);
  const read = cache.findRead(request.argLatin1(1), wanted, slot.sentAt);
  if (!(read instanceof ReadCall)) return false;
  read.again ??= { request, shared, db };
  read.waiters.push(slot);
  slot.held = parked;
  return true;
}
