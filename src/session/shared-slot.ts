import type { CommandSpec } from '../command/spec.ts';
import { allCommands } from '../command/table.ts';
import type { Request } from '../protocol/request.ts';
import { type Resp2Shape, resp2ShapeOf } from '../protocol/resp2-shapes.ts';
import { ANY_DB } from '../shard/shared-connection.ts';
import { mayDetour } from './detour.ts';
import type { Session } from './session.ts';
import type { Slot } from './slot.ts';
import type { Call, CallFailure } from '../shard/call.ts';

const SHAPES: readonly Resp2Shape[] = allCommands().map((spec) => resp2ShapeOf(spec.name));

/** A client id that no connection at Redis has. */
export const NO_SUCH_ID = '9223372036854775807';

/** How the command's reply differs in RESP2. Cost: an array look-up. */
export function shapeOf(spec: CommandSpec): Resp2Shape {
  return SHAPES[spec.id] as Resp2Shape;
}

/** How long the command's reply may take. Units: ms. */
export function timeoutOf({ context }: Session, spec: CommandSpec): number {
  return spec.isSlow ? context.options.slowCommandTimeoutMs : context.options.commandTimeoutMs;
}

/** A slot for a command, or the part that is being sent, whose reply comes in RESP3. */
export function sharedSlot(session: Session, request: Request, spec: CommandSpec): Slot {
  const slot = session.fanIn === undefined ? ownSlot(session) : session.fanIn.part(session.identity);
  mayDetour(session, slot, request, 'shared');
  if (slot.owner !== session) return slot;
  slot.needsResp2 = session.proto === 2;
  slot.shape = shapeOf(spec);
  slot.argc = request.argc;
  slot.timeoutMs = timeoutOf(session, spec);
  return slot;
}

function ownSlot(session: Session): Slot {
  session.outstanding++;
  return session.slot();
}

/** Why the session's shared connection takes nothing now; undefined = it does, and a command that needs memory is counted. */
export function obstacleTo({ identity }: Session, needsMemory: boolean): CallFailure | undefined {
  const { shared, shard } = identity;
  return shared.obstacle ?? (needsMemory ? shard.breakers?.whyNotGrow() : undefined);
}

/** Send a request on the session's shared connection. */
export function send(session: Session, call: Call, request: Request, db: number): void {
  const { shared } = session.identity;
  shared.submit(call, request.buffer, request.start, request.end, db);
  session.lastPosition = shared.position;
}

/** Send on the control connection, where Redis answers at once. */
export function runControl(session: Session, request: Request, spec: CommandSpec): boolean {
  if (!session.mayUse('control')) return false;
  const slot = sharedSlot(session, request, spec);
  session.identity.control.submit(slot, request.buffer, request.start, request.end, ANY_DB);
  return true;
}
