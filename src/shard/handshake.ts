import type { Clock } from '../base/clock.ts';
import { encodeRequest } from '../protocol/encoder.ts';
import { parseReply, type Reply } from '../protocol/reply-parser.ts';
import { type CallFailure, OwnCall } from './call.ts';
import type { Connection } from './connection.ts';
import { type Credentials, type CredentialSource, helloArguments } from './credentials.ts';

/** What HELLO told about the server. */
export interface ServerInfo {
  /** The whole HELLO reply, for answering the sessions' HELLO with the server's own fields. */
  hello: ReadonlyMap<Reply, Reply>;
  /** This connection's client id at Redis. */
  clientId: number;
  isPrimary: boolean;
  /** A node of Redis Cluster: it answers several keys only when they share a slot. */
  isCluster: boolean;
  /** Invalidations keep their order among replies only from 7.0 on (redis#8935); Valkey reports 7.2.4. */
  hasOrderedPushes: boolean;
  /** CLIENT TRACKING ON was confirmed. */
  isTracking: boolean;
  /** It was not, since a script keeps Redis busy: ask again. */
  isTrackingBusy: boolean;
  /** Hash fields can expire by themselves, which no invalidation tells (coherence spec §5). */
  hasFieldTtl: boolean;
}

/** What is asked of a fresh connection. */
export interface HandshakeWishes {
  /** What the connection is to be called. */
  clientName: string;
  /** Switch CLIENT TRACKING on. */
  tracks: boolean;
  /** Known from another connection to the same server; undefined = find out. Asking where it is forbidden would fill
   *  Redis's ACL LOG. */
  hasFieldTtl: boolean | undefined;
  /** See whether it can be used yet: a server that loads its data set, or waits for its primary, refuses PING. */
  asksReady: boolean;
  /** A write that changes nothing: see that Redis answers it, whatever it says. */
  write?: readonly string[] | undefined;
}

export type HandshakeResult = { server: ServerInfo } | { failure: CallFailure };

const MINUS = 0x2d;
const PLUS = 0x2b;
const BUSY = '-BUSY ';
const UNREADY = /^-(LOADING|MASTERDOWN) /;

/** Shake hands as whom the credentials name, which are read now.
 *  Errors: the connection is destroyed, with the reason, when they cannot be read, or no answer comes in `connectTimeoutMs`. */
export function logIn(
  connection: Connection,
  { credentials, connectTimeoutMs }: { credentials: CredentialSource; connectTimeoutMs: number },
  clock: Clock,
  wishes: HandshakeWishes,
  done: (result: HandshakeResult) => void,
): void {
  let own: Credentials;
  try {
    own = credentials();
  } catch (error) {
    connection.destroy(error instanceof Error ? error.message : String(error));
    return;
  }
  const cancel = clock.after(connectTimeoutMs, () =>
    connection.destroy(`no answer to the handshake within ${connectTimeoutMs} ms`),
  );
  shakeHands(connection, own, wishes, (result) => {
    cancel();
    done(result);
  });
}

/** Make a fresh connection speak RESP3 as this user, all in one packet: HELLO 3, the probe for hash-field
 *  TTLs, CLIENT TRACKING ON, a write that changes nothing and PING when wanted. Never NOLOOP (coherence spec R7).
 *  Errors: a refused HELLO is a failure 'refused' with Redis's line; a server that is not ready one of kind 'unsent'; what else is refused is only noted. */
export function shakeHands(
  connection: Connection,
  credentials: Credentials,
  wishes: HandshakeWishes,
  done: (result: HandshakeResult) => void,
): void {
  const replies: Buffer[] = [];
  const requests = [
    [...helloArguments(3, credentials), 'SETNAME', wishes.clientName],
    ...(wishes.hasFieldTtl === undefined ? [['COMMAND', 'INFO', 'HPEXPIRE']] : []),
    ...(wishes.tracks ? [['CLIENT', 'TRACKING', 'ON']] : []),
    ...(wishes.write === undefined ? [] : [wishes.write]),
    ...(wishes.asksReady ? [['PING']] : []),
  ];
  let isOver = false;
  const collect = (reply: Buffer | undefined, failure: CallFailure | undefined): void => {
    if (isOver) return;
    if (reply !== undefined) replies.push(reply);
    if (failure === undefined && replies.length < requests.length) return;
    isOver = true;
    done(failure === undefined ? judge(replies, wishes) : { failure });
  };
  for (const request of requests) {
    const bytes = encodeRequest(request);
    connection.send(new OwnCall(collect), bytes, 0, bytes.length);
  }
}

function judge(replies: Buffer[], wishes: HandshakeWishes): HandshakeResult {
  const first = replies[0] as Buffer;
  if (first[0] === MINUS) return { failure: refusal(first) };
  const hello = parseReply(first, 0, first.length);
  if (!(hello instanceof Map)) return { failure: refusal(first) };
  const ready = wishes.asksReady ? replies.pop()?.toString('latin1') : undefined;
  // Not refused: it is the server's state, not ours, and passes.
  if (ready !== undefined && UNREADY.test(ready))
    return { failure: { kind: 'unsent', reason: ready.slice(1, -2) } };
  const probe = wishes.hasFieldTtl === undefined ? replies.splice(1, 1)[0] : undefined;
  const version = hello.get('version');
  return {
    server: {
      hello,
      clientId: Number(hello.get('id')),
      isPrimary: hello.get('role') === 'master',
      isCluster: hello.get('mode') === 'cluster',
      hasOrderedPushes: typeof version === 'string' && Number.parseInt(version, 10) >= 7,
      isTracking: wishes.tracks && replies[1]?.[0] === PLUS,
      isTrackingBusy: wishes.tracks && replies[1]?.toString('latin1').startsWith(BUSY) === true,
      // Refused to this user: assume that they can, and keep hashes for a short time only.
      hasFieldTtl: wishes.hasFieldTtl ?? probe?.includes('_\r\n') !== true,
    },
  };
}

function refusal(line: Buffer): CallFailure {
  return { kind: 'refused', reason: line.toString('latin1', 1, line.length - 2), refusal: line };
}

/** For the log. */
export function whyUntracked(server: ServerInfo): { reason: string } {
  if (!server.isPrimary) return { reason: 'the server is a replica' };
  if (server.isTrackingBusy)
    return { reason: 'a script keeps Redis busy: CLIENT TRACKING is asked for again' };
  if (!server.isTracking) return { reason: 'CLIENT TRACKING was refused' };
  return { reason: 'Redis before 7.0 may put invalidations inside replies' };
}
