import type { CommandSpec } from '../command/spec.ts';
import { encodeReply, encodeRequest, integerReply, NIL2, NIL3, OK, bulkReply } from '../protocol/encoder.ts';
import type { Request } from '../protocol/request.ts';
import { ANY_DB } from '../shard/shared-connection.ts';
import { killSessions } from './client-kill.ts';
import { clientLine, clientTypeOf } from './client-line.ts';
import { isValidName } from './client-name.ts';
import { aimAtShard } from './placement.ts';
import type { Session } from './session.ts';
import { NO_SUCH_ID, runControl, sharedSlot } from './shared-slot.ts';

/** CLIENT: speaks of nearcache's own sessions, by nearcache's own ids. Valid forms that concern this session are answered
 *  here; everything else (wrong arguments, unknown subcommands, newer ones) runs on the control connection, where it can
 *  do no harm and Redis's answer is exact (coherence spec R17). False when it has to wait. */
export function runClientCommand(session: Session, request: Request, spec: CommandSpec): boolean {
  switch (spec.name) {
    case 'client|id':
      if (request.argc !== 2) break;
      session.answer(integerReply(session.id));
      return true;
    case 'client|getname':
      if (request.argc !== 2) break;
      session.answer(session.name === '' ? nil(session) : bulkReply(Buffer.from(session.name, 'latin1')));
      return true;
    case 'client|setname':
      if (request.argc !== 3 || !isValidName(request.argLatin1(2))) break;
      session.name = request.argLatin1(2);
      session.pin.follow();
      session.answer(OK);
      return true;
    case 'client|info':
      if (request.argc !== 2) break;
      session.answer(encodeReply({ type: 'verbatim', text: `${clientLine(session)}\n` }, session.proto));
      return true;
    case 'client|list':
      return list(session, request, spec);
    case 'client|reply':
      return reply(session, request, spec);
    case 'client|kill':
      return killSessions(session, request, spec);
    case 'client|unblock':
      return unblock(session, request, spec);
    case 'client|tracking':
      return session.pin.sticky.begin(request, spec);
    default:
      break;
  }
  return runControl(session, request, spec);
}

function nil(session: Session): Buffer {
  return session.proto === 2 ? NIL2 : NIL3;
}

function list(session: Session, request: Request, spec: CommandSpec): boolean {
  let sessions = [...session.context.registry.all()];
  if (request.argc > 2) {
    const option = request.argLatin1(2).toLowerCase();
    const values: string[] = [];
    for (let i = 3; i < request.argc; i++) values.push(request.argLatin1(i).toLowerCase());
    if (option === 'id' && values.length > 0 && values.every((id) => /^[1-9]\d{0,17}$/.test(id))) {
      sessions = values.flatMap((id) => session.context.registry.byId(Number(id)) ?? []);
    } else if (option === 'type' && values.length === 1 && TYPES.has(values[0] as string)) {
      sessions = sessions.filter((other) => clientTypeOf(other) === values[0]);
    } else {
      return runControl(session, request, spec);
    }
  }
  const text = sessions.map((other) => `${clientLine(other)}\n`).join('');
  session.answer(encodeReply({ type: 'verbatim', text }, session.proto));
  return true;
}

const TYPES: ReadonlySet<string> = new Set(['normal', 'master', 'replica', 'slave', 'pubsub']);

function reply(session: Session, request: Request, spec: CommandSpec): boolean {
  const mode = request.argc === 3 ? request.argLatin1(2).toLowerCase() : '';
  if (mode === 'on') {
    session.replyMode = 'on';
    session.answer(OK);
  } else if (mode === 'off') {
    session.replyMode = 'off';
  } else if (mode === 'skip') {
    if (session.replyMode === 'on') session.replyMode = 'skip-next';
  } else {
    return runControl(session, request, spec);
  }
  return true;
}

/** CLIENT UNBLOCK id: a session's id becomes the id of the connection on which it blocks (DESIGN rule 11). */
function unblock(session: Session, request: Request, spec: CommandSpec): boolean {
  const id = request.argc >= 3 ? request.argLatin1(2) : '';
  if (!/^-?\d{1,18}$/.test(id)) return runControl(session, request, spec);
  if (!session.mayUse('control')) return false;
  const blocked = session.context.registry.byId(Number(id))?.pin;
  if (blocked?.shard !== undefined) aimAtShard(session, blocked.shard);
  const args: Buffer[] = [];
  for (let i = 0; i < request.argc; i++) {
    const own = request.buffer.subarray(request.argStart(i), request.argEnd(i));
    args.push(i === 2 ? Buffer.from(String(blocked?.blockedClientId ?? NO_SUCH_ID)) : own);
  }
  const bytes = encodeRequest(args);
  const slot = sharedSlot(session, request, spec);
  session.identity.control.submit(slot, bytes, 0, bytes.length, ANY_DB);
  return true;
}
