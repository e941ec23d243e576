import type { CommandSpec } from '../command/spec.ts';
import { bulkReply, OK, PONG, RESET } from '../protocol/encoder.ts';
import type { Request } from '../protocol/request.ts';
import type { Credentials } from '../shard/credentials.ts';
import { ANY_DB } from '../shard/shared-connection.ts';
import { isOwnUser, mustAuthenticate, refuse } from './authentication.ts';
import { runClientCommand } from './client-command.ts';
import { argument, checkCredentials } from './credential-check.ts';
import { whenReplied } from './effect.ts';
import { runHello } from './hello.ts';
import { runNearcacheCommand } from './nearcache-commands.ts';
import type { Session } from './session.ts';
import { sharedSlot } from './shared-slot.ts';

/** What a connection may send before it has authenticated. */
const OPEN_COMMANDS: ReadonlySet<string> = new Set(['auth', 'hello', 'quit', 'reset']);

/** Run a command that the session answers or drives itself. Only its valid forms are handled here; anything else goes to
 *  Redis, whose arity and syntax errors are its own (DESIGN rule 10). False when it has to wait. */
export function answerLocally(session: Session, request: Request, spec: CommandSpec): boolean {
  if (!OPEN_COMMANDS.has(spec.name) && mustAuthenticate(session)) return refuse(session, request, spec);
  switch (spec.name) {
    case 'ping':
      return ping(session, request, spec);
    case 'echo':
      if (request.argc !== 2 || !isOwnUser(session)) return passOn(session, request, spec);
      session.answer(bulkReply(argument(request, 1)));
      return true;
    case 'select':
      return select(session, request, spec);
    case 'auth':
      return authenticate(session, request);
    case 'hello':
      return runHello(session, request);
    case 'reset':
      return request.argc === 1 ? reset(session) : passOn(session, request, spec);
    case 'quit':
      session.answer(OK);
      session.endAfterReplies('quit');
      return true;
    case 'watch':
      return request.argc > 1 ? session.pin.sticky.begin(request, spec) : passOn(session, request, spec);
    case 'multi':
    case 'exec':
    case 'discard':
    case 'unwatch':
      return passOn(session, request, spec);
    case 'nearcache.getlease':
    case 'nearcache.setlease':
      return runNearcacheCommand(session, request, spec);
    default:
      return runClientCommand(session, request, spec);
  }
}

/** Let Redis answer, on the shared connection. */
function passOn(session: Session, request: Request, spec: CommandSpec): boolean {
  if (!session.mayUse('shared') || !session.identity.shared.hasRoomFor(session)) return false;
  const slot = sharedSlot(session, request, spec);
  session.identity.shared.submit(slot, request.buffer, request.start, request.end, ANY_DB);
  return true;
}

function ping(session: Session, request: Request, spec: CommandSpec): boolean {
  // A user of its own may lack the permission: only Redis knows.
  if (request.argc > 2 || !isOwnUser(session)) return passOn(session, request, spec);
  session.answer(request.argc === 1 ? PONG : bulkReply(argument(request, 1)));
  return true;
}

function select(session: Session, request: Request, spec: CommandSpec): boolean {
  const text = request.argc === 2 ? request.argLatin1(1) : '';
  const db = /^\d{1,9}$/.test(text) ? Number(text) : undefined;
  const { databases } = session.identity;
  if (db !== undefined && databases.has(db)) {
    session.db = db;
    session.pin.follow();
    session.answer(OK);
    return true;
  }
  if (!session.mayUse('control')) return false;
  const slot = sharedSlot(session, request, spec);
  slot.effect = whenReplied((isError) => {
    if (isError || db === undefined) return;
    databases.add(db);
    session.db = db;
    session.pin.follow();
  });
  session.identity.control.submit(slot, request.buffer, request.start, request.end, ANY_DB);
  return true;
}

function authenticate(session: Session, request: Request): boolean {
  if (!session.mayUse('control')) return false;
  const auth = Buffer.from(request.buffer.subarray(request.start, request.end));
  const last = request.argc - 1;
  const user = request.argc === 3 ? request.argLatin1(1) : 'default';
  const password = request.argc > 1 ? argument(request, last) : undefined;
  const credentials: Credentials = { user: request.argc === 3 ? argument(request, 1) : undefined, password };
  checkCredentials(session, auth, user, credentials, (refusal) => refusal ?? OK);
  return true;
}

/** Back to how the connection was at its start. */
function reset(session: Session): boolean {
  if (session.outstanding > 0 || session.queue.length > 0) return false;
  const isSkipped = session.replyMode === 'skip-next';
  session.pin.release();
  session.startOver();
  if (!isSkipped) session.answer(RESET);
  return true;
}
