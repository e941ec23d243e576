import { errorLine } from '../base/errors.ts';
import type { NearCache } from '../cache/near-cache.ts';
import type { CommandSpec } from '../command/spec.ts';
import type { Request } from '../protocol/request.ts';
import { aimAtCall, answer, lookUpAgain, NEVER, servedAsOf, wanted } from './cached-answer.ts';
import { mayDetour } from './detour.ts';
import { sendForSlot } from './held-read-call.ts';
import { type HeldRead, holdKeys, keepHeld, releaseKeys } from './held-keys.ts';
import { type Admission, GateWait } from '../route/ring-gate.ts';
import { ReadCall } from './read-call.ts';
import { LONG_MS } from './lateness.ts';
import { keysAt } from './ring-admission.ts';
import { aimAtKeys, placeOf } from './placement.ts';
import type { ReplyWriter } from './reply-writer.ts';
import type { Session } from './session.ts';
import { send, shapeOf, timeoutOf } from './shared-slot.ts';
import type { Slot } from './slot.ts';

/** Places of the queue behind the head that are looked at when it is asked for. */
const ONWARD_MAX = 128;
/** A client for which hits have waited reads slowly for as long as this. */
const SLOW_CLIENT_MS = 1000;

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

/** The head of the queue is a parked read: answer it into `out` if the near-cache still can, else ask Redis. Nothing that this session
 *  sent after it can have changed its keys: such a command would have waited (`namesHeldKey`). False when it has to wait for
 *  its key to arrive at another shard. */
export function unpark(session: Session, slot: Slot, out: ReplyWriter): boolean {
  const admission = admissionOf(session, slot);
  if (admission === 'wait') return false;
  if (admission !== 'go') {
    refuse(session, slot, errorLine('KEY_NOT_MOVED', { reason: admission.problem }));
    return true;
  }
  // A request may be being dispatched meanwhile, and is aimed elsewhere.
  const { identity, space } = session;
  if (!lookAgain(session, slot, out)) askOnward(session, slot, out);
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

/** False when it has to be asked. */
function lookAgain(session: Session, slot: Slot, out: ReplyWriter): boolean {
  const parked = slot.parked as ParkedRead;
  const { request, spec, db, proto } = parked;
  if (!aimAtKeys(session, request, spec, db)) {
    refuse(session, slot, errorLine('NO_OWNER', { slot: placeOf(session, request, spec) }));
    return true;
  }
  if (!lookUpAgain(session, request, spec, { proto, db })) return false;
  slot.parked = undefined;
  releaseKeys(session, parked);
  // The queue waits for nothing else, so that the bytes need no place of their own.
  slot.isDone = true;
  if (!slot.isSilent) out.copy(answer.bytes, answer.start, answer.end);
  return true;
}

/** Ask for the read at the head of the queue, at which the session is aimed, and, in order, for those behind it that are not known any
 *  more either: each would find out at its turn, a round trip after the one before. */
function askOnward(session: Session, head: Slot, out: ReplyWriter): void {
  const { cache, clock } = session.context;
  const { gate } = session.context.upstream;
  if (!ask(session, head, true) || cache === undefined || (gate !== undefined && !gate.isOpen)) return;
  session.now = clock.now();
  // What a slow client could not read yet would only pile up here.
  if (session.now - out.waitedForClientAt < SLOW_CLIENT_MS) return;
  const isLong = session.now - head.sentAt > LONG_MS;
  let next = head.next;
  for (let i = 0; i < ONWARD_MAX && next !== undefined; i++) {
    if (next.parked !== undefined) {
      if (!isToBeAsked(session, cache, next.parked, isLong)) return;
      ask(session, next, false);
    }
    next = next.next;
  }
}

/** A command may not go before reads that may yet be sent. Usually it waits for them, which costs a round trip and spares Redis the
 *  reads that were hits. A session that is late because of that has them sent now, in order, so that a slow link holds up no more
 *  commands than it would without nearcache. True when nothing is to be waited for any more. The session is aimed as before. */
export function letHeldGo(session: Session): boolean {
  const { held, lateness, now } = session;
  const { gate } = session.context.upstream;
  if (!held.isEmpty && lateness.at(now) > LONG_MS && gate?.isOpen !== false) sendParked(session);
  if (held.isEmpty) return true;
  lateness.wait(now);
  return false;
}

function sendParked(session: Session): void {
  // They may be read for again, and what is parked, which is all behind them, would be older.
  if (session.held.onTheWay > 0) return;
  const { identity, space, place } = session;
  for (let slot = session.queue.head; slot !== undefined; slot = slot.next) {
    if (slot.parked === undefined) continue;
    if (!mayBeAsked(session, slot.parked)) break;
    ask(session, slot, false);
  }
  session.identity = identity;
  session.space = space;
  session.place = place;
}

/** Is there a link that takes it? Aims the session at it. */
function mayBeAsked(session: Session, { request, spec, db }: ParkedRead): boolean {
  if (!aimAtKeys(session, request, spec, db)) return false;
  const { shared, shard } = session.identity;
  // What is known may still be served at its turn.
  return shared.isReady && shared.obstacle === undefined && !shared.isFull && !shard.ramp.isActive;
}

/** Can the near-cache not answer it, as things are? Once waiting has become long (`isLong`), what is known is asked for too, since it
 *  may not be at its turn: a queue that waits for longer than its entries live only grows. Aims the session at it. */
function isToBeAsked(session: Session, cache: NearCache, parked: ParkedRead, isLong: boolean): boolean {
  const { request, spec } = parked;
  const { now } = session;
  if (!mayBeAsked(session, parked)) return false;
  const { fence } = session.identity.shared.generation;
  const asOf = servedAsOf(session, cache, now);
  if (asOf === NEVER || (isLong && asOf === now)) return true;
  if (spec.cacheClass === 'B') return false;
  aimAtCall(request, spec, session.space, fence);
  return !cache.find(wanted, 3, asOf) && cache.findRead(request.argLatin1(1), wanted, now) === undefined;
}

/** True when it was sent; false when it shares the answer of another that is on its way. That it may only at the head of the queue, since
 *  the other was sent before whatever was just asked for. */
function ask(session: Session, slot: Slot, mayShare: boolean): boolean {
  const parked = slot.parked as ParkedRead;
  const { request, spec, db, proto } = parked;
  slot.parked = undefined;
  slot.identity = session.identity;
  slot.needsResp2 = proto === 2;
  slot.shape = shapeOf(spec);
  slot.argc = request.argc;
  mayDetour(session, slot, request, 'shared');
  slot.timeoutMs = timeoutOf(session, spec);
  session.outstanding++;
  if (mayShare && joinRead(session, slot, parked)) return false;
  releaseKeys(session, parked);
  const { cache } = session.context;
  // Not the session's database: a SELECT behind this read may have changed it by now.
  if (cache === undefined) send(session, slot, request, db);
  else sendForSlot(session, cache, slot, parked);
  return true;
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
  keepHeld(session, slot, parked);
  return true;
}
