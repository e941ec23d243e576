import { MINUS } from '../protocol/bytes.ts';
import { encodeReply, encodeRequest, errorReply, type ReplyValue } from '../protocol/encoder.ts';
import { errorLine } from '../base/errors.ts';
import type { Reply } from '../protocol/reply-parser.ts';
import type { Request } from '../protocol/request.ts';
import { askAsStranger, mustAuthenticate } from './authentication.ts';
import { isValidName, NAME_ERROR } from './client-name.ts';
import { argument, checkCredentials, isServerUnknown, RETRY_MS } from './credential-check.ts';
import type { Session } from './session.ts';

interface Wish {
  /** undefined: leave the protocol as it is. */
  proto: 2 | 3 | undefined;
  user: Buffer | undefined;
  password: Buffer | undefined;
  name: string | undefined;
}

/** HELLO [version [AUTH user password] [SETNAME name]]: protocol, user and name of this session, answered with Redis's own
 *  fields and this session's id. Parsed in the order in which Redis checks.
 *  Source: Redis 7.0.15, networking.c, helloCommand. */
export function runHello(session: Session, request: Request): boolean {
  if (!session.mayUse('control')) return false;
  if (isServerUnknown(session)) {
    session.context.clock.after(RETRY_MS, () => session.wake());
    return false;
  }
  const wish = parse(request);
  if (typeof wish === 'string') {
    session.answer(errorReply(wish));
    return true;
  }
  const { user, password } = wish;
  if (user === undefined && mustAuthenticate(session)) {
    // Redis says it in the words of its version; one without a password would not refuse, but nearcache was told to.
    return askAsStranger(session, request, (reply) =>
      reply[0] === MINUS && reply.includes('HELLO') ? reply : errorLine('NOAUTH_HELLO'),
    );
  }
  if (user === undefined || password === undefined) {
    session.answer(finish(session, wish));
    return true;
  }
  const auth = encodeRequest(['AUTH', user, password]);
  checkCredentials(session, auth, user.toString('latin1'), { user, password }, (refusal) => {
    return refusal ?? finish(session, wish);
  });
  return true;
}

/** The wish, or the error that Redis would answer. */
function parse(request: Request): Wish | string {
  const wish: Wish = { proto: undefined, user: undefined, password: undefined, name: undefined };
  if (request.argc >= 2) {
    const version = request.argLatin1(1);
    if (!/^(0|-?[1-9]\d{0,17})$/.test(version))
      return 'ERR Protocol version is not an integer or out of range';
    if (version !== '2' && version !== '3') return 'NOPROTO unsupported protocol version';
    wish.proto = version === '2' ? 2 : 3;
  }
  for (let i = 2; i < request.argc; i++) {
    const option = request.argLatin1(i).toLowerCase();
    const more = request.argc - 1 - i;
    if (option === 'auth' && more >= 2) {
      wish.user = argument(request, i + 1);
      wish.password = argument(request, i + 2);
      i += 2;
    } else if (option === 'setname' && more >= 1) {
      wish.name = request.argLatin1(i + 1);
      if (!isValidName(wish.name)) return NAME_ERROR;
      i += 1;
    } else {
      return `ERR Syntax error in HELLO option '${request.argLatin1(i)}'`;
    }
  }
  return wish;
}

function finish(session: Session, wish: Wish): Buffer {
  const { identities, own } = session.context.upstream.home;
  const { server } = identities;
  if (server === undefined) {
    const { reason } = own.shared.problem;
    return errorLine('SHARD_UNREACHABLE', { shard: session.shardName, reason });
  }
  if (wish.proto !== undefined && wish.proto !== session.proto && session.subscription.holdsConnection) {
    return errorLine('NOT_SUPPORTED', {
      command: 'hello',
      reason: 'the protocol version cannot change while invalidations are redirected to this connection',
    });
  }
  if (wish.name !== undefined) session.name = wish.name;
  if (wish.proto !== undefined) session.proto = wish.proto;
  session.pin.follow();
  return encodeReply(describe(session, server.hello), session.proto);
}

/** The server's own HELLO fields, with this session's id and protocol in them. */
function describe(session: Session, hello: ReadonlyMap<Reply, Reply>): ReplyValue {
  const entries: [ReplyValue, ReplyValue][] = [];
  for (const [key, value] of hello) {
    const name = encodable(key);
    if (key === 'id') entries.push([name, { type: 'integer', value: session.id }]);
    else if (key === 'proto') entries.push([name, { type: 'integer', value: session.proto }]);
    else entries.push([name, encodable(value)]);
  }
  return { type: 'map', entries };
}

/** A value that was read from Redis, to be written again. */
function encodable(value: Reply): ReplyValue {
  if (typeof value === 'number') return { type: 'integer', value };
  if (typeof value === 'string') return { type: 'bulk', bytes: Buffer.from(value, 'latin1') };
  if (Array.isArray(value)) return { type: 'array', items: value.map(encodable) };
  if (value instanceof Map) {
    return {
      type: 'map',
      entries: [...value].map(([key, item]) => [encodable(key), encodable(item)] as const),
    };
  }
  return { type: 'nil' };
}
