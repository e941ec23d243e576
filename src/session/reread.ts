import type { NearCache } from '../cache/near-cache.ts';
import type { CommandSpec } from '../command/spec.ts';
import { allCommands, commandById } from '../command/table.ts';
import type { Request } from '../protocol/request.ts';
import { wanted } from './cached-answer.ts';
import { LONG_MS } from './lateness.ts';
import { PTTL_HEAD, TtlCall } from './read-call.ts';
import type { Session } from './session.ts';
import { policyOf, startRereading, whyClosed, whyNoFlight } from './start-read.ts';

/** What precedes the key of each command, where that is its only argument. */
const HEADS: readonly Buffer[] = allCommands().map(({ name }) =>
  Buffer.from(`*2\r\n$${name.length}\r\n${name}\r\n`, 'latin1'),
);

/** The read to be sent again behind a write of `key`, its argument 1: the one by which apps have asked for its key since it was read last. What nobody
 *  has asked for is not read again, so that a key costs at most one read that is of no use, when it is not asked for any more.
 *  Call before the write ends the entry. Undefined = there is none. */
export function rereadBehind(
  session: Session,
  cache: NearCache,
  request: Request,
  key: string,
): CommandSpec | undefined {
  if (session.space < 0) return undefined;
  aimAtKeyAlone(session, request, 0);
  const { isReread, lease } = policyOf(cache);
  // Who hears of a nil under a lease is not for a read to decide that nobody asked for.
  if (!isReread || lease !== undefined) return undefined;
  const commandId = cache.commandInUse(key, wanted);
  return commandId === -1 ? undefined : commandById(commandId);
}

/** Send that read, right behind the write, so that it brings what was written, or newer, with the next reply. Readers that come
 *  meanwhile join it, and those that come later hit. Not while something is short, nor over a slow link: a session that shares an
 *  answer keeps what it reads behind that for its turn, when it may be gone, and each round trip more is felt there. */
export function reread(
  session: Session,
  cache: NearCache,
  request: Request,
  spec: CommandSpec | undefined,
): void {
  if (spec === undefined) return;
  const { shared, shard } = session.identity;
  if (!shared.isReady || shared.isFull || shard.ramp.isActive) return;
  if (shared.generation.roundTripMs > LONG_MS) return;
  aimAtKeyAlone(session, request, spec.id);
  const key = request.argLatin1(1);
  const policy = policyOf(cache);
  if ((whyNoFlight(session, policy) ?? whyClosed(cache, key, wanted)) !== undefined) return;
  const read = startRereading(session, cache, spec, { key, policy });
  const argument = request.buffer.subarray(request.argEnd(0) + 2, request.argEnd(1) + 2);
  const bytes = Buffer.concat([PTTL_HEAD, argument, HEADS[spec.id] as Buffer, argument]);
  cache.stats.rereads++;
  shared.submitBlock([new TtlCall(read.flight), read], bytes, 0, bytes.length, session.db);
  read.position = shared.position;
}

function aimAtKeyAlone({ space, identity }: Session, request: Request, commandId: number): void {
  wanted.bytes = request.buffer;
  wanted.keyStart = request.argStart(1);
  wanted.keyEnd = wanted.argsStart = wanted.argsEnd = request.argEnd(1);
  wanted.commandId = commandId;
  wanted.db = space;
  wanted.fence = identity.shared.generation.fence;
}
