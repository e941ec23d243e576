import type { Flight } from '../cache/flight.ts';
import type { NearCache } from '../cache/near-cache.ts';
import type { CommandSpec } from '../command/spec.ts';
import { encodeRequest } from '../protocol/encoder.ts';
import type { Request } from '../protocol/request.ts';
import type { Call } from '../shard/call.ts';
import { aimAtCall, aimAtKey, answer, dueKeys, lookUpAll, mayHit, wanted } from './cached-answer.ts';
import { answerAway, fetchTurn } from './answer-away.ts';
import { holdSlot } from './held-keys.ts';
import { sendAsItIs } from './held-read-call.ts';
import { ManyReadCall } from './many-read-call.ts';
import { countBypass, countMiss, joinRead } from './near-cache-path.ts';
import { letHeldGo, park } from './parked-read.ts';
import { aimAtPlace, placeOfArgument } from './placement.ts';
import { ReadCall, TtlCall } from './read-call.ts';
import type { Session } from './session.ts';
import { shapeOf, sharedSlot, timeoutOf } from './shared-slot.ts';
import { policyOf, startFlight, whyClosed, whyNoFlight } from './start-read.ts';

/** More keys in one call are not worth looking for. */
const KEYS_MAX = 1024;

/** MGET and EXISTS: one entry a key, shared with GET and with EXISTS of that key alone. All of it from the near-cache, or
 *  the missing keys from Redis and then all of it again from the near-cache (R16). False when it has to wait. */
export function readManyThroughCache(
  session: Session,
  cache: NearCache,
  request: Request,
  spec: CommandSpec,
): boolean {
  if (serveMany(session, cache, request, spec)) return true;
  // Behind a read that may yet be sent, its answer could be older than that one's (DESIGN rule 3).
  const { shared } = session.identity;
  if (!letHeldGo(session) || !shared.hasRoomFor(session)) return false;
  const turn = shared.obstacle ?? fetchTurn(session);
  if (turn === 'wait') return false;
  if (turn === 'go') fetchMany(session, cache, request, spec);
  else answerAway(session, cache, request, spec, turn);
  return true;
}

function isSized({ argc }: Request): boolean {
  return argc >= 2 && argc <= KEYS_MAX + 1;
}

/** All of it from the near-cache, wherever the keys are; false when something is missing. */
export function serveMany(session: Session, cache: NearCache, request: Request, spec: CommandSpec): boolean {
  const { now, proto } = session;
  if (!isSized(request) || !lookUpAll(session, cache, request, spec, { proto, now })) return false;
  if (session.queue.length > 0) park(session, request, spec);
  else {
    if (answer.staleMs > 0) cache.noteStale(answer.staleMs);
    session.serveSlice(answer.bytes, answer.start, answer.end);
  }
  if (answer.staleMs === 0) cache.noteHit(spec.family, now);
  if (dueKeys.length > 0) refreshKeys(session, cache, request, spec);
  return true;
}

/** Ask Redis for what is missing. All keys are at the place at which the session is aimed, and there is room on its link. */
export function fetchMany(session: Session, cache: NearCache, request: Request, spec: CommandSpec): void {
  const missing = isSized(request) ? missingKeys(session, cache, request, spec) : undefined;
  if (missing === undefined) sendAsItIs(session, cache, request, spec);
  else if (spec.name === 'mget') readMissing(session, cache, request, spec, missing);
  else fillBeside(session, cache, request, spec, missing);
}

/** Read again in the background the entries that are due, each alone. */
function refreshKeys(session: Session, cache: NearCache, request: Request, spec: CommandSpec): void {
  const { upstream } = session.context;
  for (const index of dueKeys) {
    if (!upstream.isSingle) aimAtPlace(session, placeOfArgument(upstream, request, index));
    const { shared } = session.identity;
    if (!shared.isReady || shared.isFull) continue;
    aimAtKey(request, index, spec, session.space, shared.generation.fence);
    const key = request.argLatin1(index);
    if (cache.findRead(key, wanted, session.now) !== undefined) continue;
    if (cache.find(wanted, 3, session.now)) cache.store.refreshing();
    cache.stats.refreshes++;
    const flights = startFlights(session, cache, request, spec, [index]);
    const { calls, bytes } = readOfKey(session, cache, flights[0] as Flight, keyOf(request, index), spec);
    shared.submitBlock(calls, bytes, 0, bytes.length, session.db);
  }
}

/** PTTL and the read of one key that MGET and EXISTS share, for nobody. */
function readOfKey(
  session: Session,
  cache: NearCache,
  flight: Flight,
  key: Buffer,
  spec: CommandSpec,
): { calls: Call[]; bytes: Buffer } {
  const read = new ReadCall(cache, flight, shapeOf(spec), session.context.clock);
  read.timeoutMs = timeoutOf(session, spec);
  const command = spec.name === 'mget' ? 'GET' : 'EXISTS';
  return {
    calls: [new TtlCall(flight), read],
    bytes: Buffer.concat([encodeRequest(['PTTL', key]), encodeRequest([command, key])]),
  };
}

/** Indices of the keys that have no entry, at least one; undefined when none of them may be filled. */
function missingKeys(
  session: Session,
  cache: NearCache,
  request: Request,
  spec: CommandSpec,
): number[] | undefined {
  const { shared } = session.identity;
  const canHit = mayHit(session, cache, session.now);
  const missing: number[] = [];
  for (let i = 1; i < request.argc; i++) {
    aimAtKey(request, i, spec, session.space, shared.generation.fence);
    const policy = policyOf(cache);
    const reason = whyNoFlight(session, policy) ?? whyClosed(cache, request.argLatin1(i), wanted);
    if (reason !== undefined) {
      countBypass(cache, spec, policy, reason);
      return undefined;
    }
    if (!canHit || !cache.find(wanted, 3, session.now)) missing.push(i);
  }
  if (!shared.isReady) return undefined;
  // An entry in the form of RESP2 alone is none for this purpose, so something is always missing here.
  return missing.length === 0 ? undefined : missing;
}

function startFlights(
  session: Session,
  cache: NearCache,
  request: Request,
  spec: CommandSpec,
  missing: readonly number[],
): Flight[] {
  const { shared } = session.identity;
  return missing.map((index) => {
    aimAtKey(request, index, spec, session.space, shared.generation.fence);
    return startFlight(session, cache, spec, request.argLatin1(index), policyOf(cache));
  });
}

/** One MGET of what is missing, with the PTTL of each key in front; others who ask the same share it. */
function readMissing(
  session: Session,
  cache: NearCache,
  request: Request,
  spec: CommandSpec,
  missing: readonly number[],
): void {
  aimAtCall(request, spec, session.space, session.identity.shared.generation.fence);
  const first = request.argLatin1(missing[0] as number);
  const known = cache.findRead(first, wanted, session.now);
  const policy = policyOf(cache);
  if (known instanceof ManyReadCall && joinRead(session, cache, known, request, spec)) return;
  countMiss(cache, spec, policy);
  const flights = startFlights(session, cache, request, spec, missing);
  const copy = request.copy();
  const read = new ManyReadCall(session, cache, copy, { spec, missing, flights });
  read.timeoutMs = timeoutOf(session, spec);
  (flights[0] as Flight).read = read;
  const slot = sharedSlot(session, request, spec);
  read.waiters.push(slot);
  if (!read.isWhole) {
    // It may have to be read again as a whole, later than anything this session sends now.
    holdSlot(session, slot, { request: copy, spec });
  }
  const keys = missing.map((index) => keyOf(request, index));
  sendBlock(
    session,
    flights,
    [...flights.map((flight) => new TtlCall(flight)), read],
    [...keys.map((key) => encodeRequest(['PTTL', key])), encodeRequest(['MGET', ...keys])],
  );
  read.position = session.lastPosition;
}

/** EXISTS as it is, and in front of it each missing key alone, for the near-cache. */
function fillBeside(
  session: Session,
  cache: NearCache,
  request: Request,
  spec: CommandSpec,
  missing: readonly number[],
): void {
  countMiss(cache, spec, policyOf(cache));
  const flights = startFlights(session, cache, request, spec, missing);
  const calls: Call[] = [];
  const bytes: Buffer[] = [];
  for (const [i, flight] of flights.entries()) {
    const single = readOfKey(session, cache, flight, keyOf(request, missing[i] as number), spec);
    calls.push(...single.calls);
    bytes.push(single.bytes);
  }
  calls.push(sharedSlot(session, request, spec));
  bytes.push(request.buffer.subarray(request.start, request.end));
  sendBlock(session, flights, calls, bytes);
}

function sendBlock(
  session: Session,
  flights: readonly Flight[],
  calls: readonly Call[],
  parts: readonly Buffer[],
): void {
  const { shared } = session.identity;
  const block = Buffer.concat(parts);
  for (const call of calls) call.sentAt = (flights[0] as Flight).sentAt;
  shared.submitBlock(calls, block, 0, block.length, session.db);
  session.lastPosition = shared.position;
}

function keyOf(request: Request, index: number): Buffer {
  return request.buffer.subarray(request.argStart(index), request.argEnd(index));
}
