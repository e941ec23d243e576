import { errorLine } from '../base/errors.ts';
import type { CommandSpec } from '../command/spec.ts';
import { describedServer } from '../command/table.ts';
import { bulkReply, encodeReply, type ReplyValue } from '../protocol/encoder.ts';
import type { Request } from '../protocol/request.ts';
import type { Session } from './session.ts';

/** Clients that ask before they send anything (ioredis) wait, and ask again. */
const INFO = bulkReply('# Persistence\r\nloading:1\r\nloading_eta_seconds:1\r\n');
const LOADING = errorLine('LOADING');

/** Redis has not answered since the start, and apps are to hear that rather than wait (`--startup loading`), as from a Redis that
 *  loads its data. Even AUTH needs Redis. False for what needs nothing: QUIT and RESET go on. */
export function answerWhileLoading(
  session: Session,
  request: Request,
  spec: CommandSpec | undefined,
): boolean {
  const { stats } = session.context;
  if (spec?.name === 'quit' || spec?.name === 'reset') return false;
  stats.commands++;
  if (spec?.name === 'info') session.answer(INFO);
  else if (spec?.name === 'hello') session.answer(greet(session, request));
  else session.answerError('LOADING');
  return true;
}

/** The protocol may be chosen: a client that hears an error here gives up what it was asked (ioredis). Nobody knows the version of
 *  the server yet; what nearcache knows of commands is of this one. */
function greet(session: Session, request: Request): Buffer {
  const wish = request.argc === 2 ? request.argLatin1(1) : String(session.proto);
  const isPlain = request.argc <= 2 && (wish === '2' || wish === '3');
  if (!isPlain || session.context.options.requireAuth) return LOADING;
  session.proto = wish === '2' ? 2 : 3;
  const [server = '', version = ''] = describedServer.split(' ');
  const entries = Object.entries({
    server: bulk(server),
    version: bulk(version),
    proto: { type: 'integer', value: session.proto },
    id: { type: 'integer', value: session.id },
    mode: bulk('standalone'),
    role: bulk('master'),
    modules: { type: 'array', items: [] },
  } as const satisfies Record<string, ReplyValue>);
  return encodeReply(
    { type: 'map', entries: entries.map(([name, value]) => [bulk(name), value]) },
    session.proto,
  );
}

function bulk(bytes: string): ReplyValue {
  return { type: 'bulk', bytes };
}
