import type { Flight } from '../cache/flight.ts';
import type { NearCache } from '../cache/near-cache.ts';
import { extractKeys, KeyList } from '../command/keys.ts';
import type { CommandSpec } from '../command/spec.ts';
import { encodeRequest } from '../protocol/encoder.ts';
import type { Request } from '../protocol/request.ts';
import { answer, mayHit, wanted } from './cached-answer.ts';
import { aimAtCombined, CombinedReadCall, lookUpCombined } from './combined-read.ts';
import { countBypass, countMiss, joinRead } from './near-cache-path.ts';
import { letHeldGo } from './parked-read.ts';
import { TtlCall } from './read-call.ts';
import type { Session } from './session.ts';
import { send, sharedSlot, timeoutOf } from './shared-slot.ts';
import { policyOf, startFlight, whyClosed, whyNoFlight } from './start-read.ts';

const keyList = new KeyList();
/** A call over more keys is not worth so many tags. */
const KEYS_MAX = 64;

/** A read whose one reply depends on several keys (SINTER, ZUNION, LCS …): from the near-cache if nothing happened to any of
 *  them, else from Redis with all their PTTLs in front. False when it has to wait. */
export function readCombined(
  session: Session,
  cache: NearCache,
  request: Request,
  spec: CommandSpec,
): boolean {
  const { shared } = session.identity;
  const { now } = session;
  const keys = distinctKeys(request, spec);
  const at = { db: session.space, fence: shared.generation.fence, proto: session.proto, now };
  // Behind what is owed it would have to be looked up again; for this rarer kind Redis is asked instead.
  const isAtHead = session.queue.length === 0;
  if (
    keys !== undefined &&
    isAtHead &&
    mayHit(session, cache, now) &&
    lookUpCombined(cache, request, spec, keys, at)
  ) {
    cache.noteHit(spec.family, now);
    session.serveSlice(answer.bytes, answer.start, answer.end);
    if (cache.isDue(now) && shared.isReady && !shared.isFull) {
      cache.store.refreshing();
      cache.stats.refreshes++;
      sendRead(session, startRead(session, cache, request, spec, keys), request, keys);
    }
    return true;
  }
  // Behind a read that may yet be sent, its answer could be older than that one's (DESIGN rule 3).
  if (!letHeldGo(session) || !shared.hasRoomFor(session)) return false;
  if (keys === undefined || !mayFill(session, cache, request, spec, keys)) {
    send(session, sharedSlot(session, request, spec), request, session.db);
    return true;
  }
  aimAtCombined(request, spec, keys[0] as number, false, at);
  const policy = policyOf(cache);
  const known = cache.findRead(request.argLatin1(keys[0] as number), wanted, now);
  if (known instanceof CombinedReadCall && joinRead(session, cache, known, request, spec)) return true;
  countMiss(cache, spec, policy);
  const read = startRead(session, cache, request, spec, keys);
  read.waiters.push(sharedSlot(session, request, spec));
  sendRead(session, read, request, keys);
  session.lastPosition = shared.position;
  return true;
}

/** Indices of the keys, each key once; undefined when there are none, too many, or ones that the call does not name. */
function distinctKeys(request: Request, spec: CommandSpec): number[] | undefined {
  if (extractKeys(spec, request, keyList) !== 'keys' || keyList.count === 0 || keyList.count > KEYS_MAX) {
    return undefined;
  }
  const seen = new Map<string, number>();
  for (let i = 0; i < keyList.count; i++) {
    const index = keyList.indices[i] as number;
    const key = request.argLatin1(index);
    if (!seen.has(key)) seen.set(key, index);
  }
  return [...seen.values()];
}

function mayFill(
  session: Session,
  cache: NearCache,
  request: Request,
  spec: CommandSpec,
  keys: readonly number[],
): boolean {
  const { shared } = session.identity;
  for (const index of keys) {
    aimAtCombined(request, spec, index, false, { db: session.space, fence: shared.generation.fence });
    const policy = policyOf(cache);
    const reason = whyNoFlight(session, policy) ?? whyClosed(cache, request.argLatin1(index), wanted);
    if (reason === undefined) continue;
    countBypass(cache, spec, policy, reason);
    return false;
  }
  return shared.isReady;
}

function startRead(
  session: Session,
  cache: NearCache,
  request: Request,
  spec: CommandSpec,
  keys: readonly number[],
): CombinedReadCall {
  const { shared } = session.identity;
  const at = { db: session.space, fence: shared.generation.fence };
  const flights = keys.map((index, i) => {
    aimAtCombined(request, spec, index, i > 0, at);
    return startFlight(session, cache, spec, request.argLatin1(index), policyOf(cache));
  });
  const { clock } = session.context;
  const read = new CombinedReadCall(cache, spec, flights, () => clock.now());
  read.timeoutMs = timeoutOf(session, spec);
  (flights[0] as Flight).read = read;
  return read;
}

/** The PTTLs of all keys and the command, in one packet. */
function sendRead(session: Session, read: CombinedReadCall, request: Request, keys: readonly number[]): void {
  const { shared } = session.identity;
  const { buffer, start, end } = request;
  const ttls = keys.map((index) =>
    encodeRequest(['PTTL', buffer.subarray(request.argStart(index), request.argEnd(index))]),
  );
  const block = Buffer.concat([...ttls, buffer.subarray(start, end)]);
  const calls = [...read.flights.map((flight) => new TtlCall(flight)), read];
  shared.submitBlock(calls, block, 0, block.length, session.db);
  read.position = shared.position;
}
