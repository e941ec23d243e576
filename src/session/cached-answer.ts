import type { NearCache } from '../cache/near-cache.ts';
import { type EntryId, RESP2_ONLY } from '../cache/store.ts';
import type { CommandSpec } from '../command/spec.ts';
import { commandByName } from '../command/table.ts';
import { COLON, UNDERSCORE } from '../protocol/bytes.ts';
import { integerReply } from '../protocol/encoder.ts';
import type { Request } from '../protocol/request.ts';
import { toResp2 } from '../protocol/resp2.ts';
import { aimAtPlace, NO_PLACE, placeOfArgument } from './placement.ts';
import type { Session } from './session.ts';
import { shapeOf } from './shared-slot.ts';

/** What is looked up. One object for all: it is filled and used within a call. */
export const wanted: EntryId = {
  bytes: Buffer.alloc(0),
  keyStart: 0,
  keyEnd: 0,
  argsStart: 0,
  argsEnd: 0,
  commandId: 0,
  db: 0,
  fence: 0,
};

/** The reply that a successful look-up found: bytes[start, end), in the session's protocol, valid until the near-cache is
 *  next changed. `staleMs`: 0, or how long ago its shard, which is away, was last known to say the same. One object for all. */
export const answer: { bytes: Buffer; start: number; end: number; staleMs: number } = {
  bytes: Buffer.alloc(0),
  start: 0,
  end: 0,
  staleMs: 0,
};

const GET_ID = (commandByName('get') as CommandSpec).id;
const ONE = 0x31;
const NIL_RESP2 = Buffer.from('$-1\r\n', 'latin1');

/** May what was found be served although it was last known to be true so long ago? It is counted then. Units: ms. */
export function serveStale(cache: NearCache, staleMs: number): boolean {
  if (!cache.mayServeStale(staleMs)) return false;
  cache.noteStale(staleMs);
  return true;
}

/** Aim at the entry of a call's only key: everything behind that key is part of what was asked. */
export function aimAtCall(request: Request, spec: CommandSpec, db: number, fence: number): void {
  wanted.bytes = request.buffer;
  wanted.keyStart = request.argStart(1);
  wanted.keyEnd = request.argEnd(1);
  wanted.argsStart = wanted.keyEnd + 2;
  wanted.argsEnd = request.argc === 2 ? wanted.argsStart : request.end;
  wanted.commandId = spec.id;
  wanted.db = db;
  wanted.fence = fence;
}

/** Aim at what MGET or EXISTS needs of its i-th key: the entry that GET or EXISTS of this key alone has. */
export function aimAtKey(
  request: Request,
  index: number,
  spec: CommandSpec,
  db: number,
  fence: number,
): void {
  wanted.bytes = request.buffer;
  wanted.keyStart = request.argStart(index);
  wanted.keyEnd = request.argEnd(index);
  wanted.argsStart = 0;
  wanted.argsEnd = 0;
  wanted.commandId = spec.name === 'mget' ? GET_ID : spec.id;
  wanted.db = db;
  wanted.fence = fence;
}

/** Look for the reply to a call of one key, at which `wanted` is aimed; `answer` has it then. A reply that reads otherwise in
 *  RESP2 is converted at the first such look-up, and kept. */
export function lookUpOne(
  cache: NearCache,
  spec: CommandSpec,
  argc: number,
  proto: 2 | 3,
  now: number,
): boolean {
  const { store } = cache;
  if (store.find(wanted, proto, now)) {
    answer.bytes = store.found.bytes;
    answer.start = store.found.start;
    answer.end = store.found.end;
    return true;
  }
  if (proto === 3 || !store.find(wanted, 3, now)) return false;
  const { found } = store;
  const how = { shape: shapeOf(spec), argc, inExec: false };
  const converted = toResp2(found.bytes, found.start, found.end, how);
  store.insert(wanted, converted, 0, converted.length, { ...found, form: RESP2_ONLY });
  answer.bytes = converted;
  answer.start = 0;
  answer.end = converted.length;
  return true;
}

/** No entry may be served. */
export const NEVER = -1;

/** When an entry must have been good to be served now, at the shard and place at which the session is aimed: now itself, while the
 *  link delivers; while the shard is away, when it was last known to have delivered everything; or NEVER.
 *  Units: monotonic ms. */
export function servedAsOf(session: Session, cache: NearCache, now: number): number {
  if (session.unknownOutstanding > 0 || session.space < 0) return NEVER;
  const { shared } = session.identity;
  const { generation } = shared;
  if (cache.covers(generation, now)) return now;
  // However short ago: the shard is away.
  const asOf = Math.min(generation.freshAt, now - 1);
  if (!generation.isTracking || now - asOf >= cache.staleIfErrorMs) return NEVER;
  // Freshness ends when a heartbeat is not answered; only a server that says nothing at all is away.
  const silentMs = cache.options.maxStalenessMs / 2;
  return shared.isUnresponsive(now, silentMs) ? asOf : NEVER;
}

/** May entries of the session's link fill up a reply of Redis now? */
export function mayHit(session: Session, cache: NearCache, now: number): boolean {
  return servedAsOf(session, cache, now) === now;
}

/** Arguments of the keys that the last `lookUpAll` found due for a refresh. */
export const dueKeys: number[] = [];

/** Where the parts of a reply over several keys lie. */
const parts: { bytes: Buffer[]; starts: number[]; ends: number[] } = { bytes: [], starts: [], ends: [] };

/** Look for the reply to MGET or EXISTS: all of its keys, or nothing. All hits of one shard are what one moment of it had,
 *  since replies and invalidations come in one order (R16); several shards have no moment in common. */
export function lookUpAll(
  session: Session,
  cache: NearCache,
  request: Request,
  spec: CommandSpec,
  { proto, now, db = session.db }: { proto: 2 | 3; now: number; db?: number },
): boolean {
  const { upstream } = session.context;
  const count = request.argc - 1;
  dueKeys.length = 0;
  let asOf = NEVER;
  let staleMs = 0;
  for (let i = 0; i < count; i++) {
    const place = upstream.isSingle ? NO_PLACE : placeOfArgument(upstream, request, i + 1);
    if (place !== NO_PLACE && !aimAtPlace(session, place, db)) return false;
    if (i === 0 || !upstream.isSingle) asOf = servedAsOf(session, cache, now);
    if (asOf === NEVER) return false;
    aimAtKey(request, i + 1, spec, session.space, session.identity.shared.generation.fence);
    if (!findPart(cache, i, proto, asOf)) return false;
    cache.hotKeys?.note(wanted);
    if (asOf < now) {
      if (!cache.mayServeStale(now - asOf)) return false;
      staleMs = Math.max(staleMs, now - asOf);
    } else if (cache.isDue(now)) dueKeys.push(i + 1);
  }
  answer.staleMs = staleMs;
  const bytes = spec.name === 'mget' ? joined(count) : integerReply(countOnes(count));
  answer.bytes = bytes;
  answer.start = 0;
  answer.end = bytes.length;
  return true;
}

function findPart({ store }: NearCache, i: number, proto: 2 | 3, now: number): boolean {
  const { found } = store;
  if (!store.find(wanted, proto, now)) {
    // The only reply of GET and EXISTS that reads otherwise in RESP2 is nil.
    if (proto === 3 || !store.find(wanted, 3, now) || found.bytes[found.start] !== UNDERSCORE) return false;
    parts.bytes[i] = NIL_RESP2;
    parts.starts[i] = 0;
    parts.ends[i] = NIL_RESP2.length;
    return true;
  }
  parts.bytes[i] = found.bytes;
  parts.starts[i] = found.start;
  parts.ends[i] = found.end;
  return true;
}

function joined(count: number): Buffer {
  const head = `*${count}\r\n`;
  let size = head.length;
  for (let i = 0; i < count; i++) size += (parts.ends[i] as number) - (parts.starts[i] as number);
  const bytes = Buffer.allocUnsafe(size);
  let at = bytes.latin1Write(head, 0);
  for (let i = 0; i < count; i++) {
    at += (parts.bytes[i] as Buffer).copy(bytes, at, parts.starts[i], parts.ends[i]);
  }
  return bytes;
}

/** How many parts are `:1`. */
function countOnes(count: number): number {
  let ones = 0;
  for (let i = 0; i < count; i++) {
    const bytes = parts.bytes[i] as Buffer;
    const start = parts.starts[i] as number;
    if (bytes[start] === COLON && bytes[start + 1] === ONE) ones++;
  }
  return ones;
}

/** Look again for what was found before, at the moment when it may be answered; the session is aimed at it. `answer` has it then. */
export function lookUpAgain(
  session: Session,
  request: Request,
  spec: CommandSpec,
  { proto, db }: { proto: 2 | 3; db: number },
): boolean {
  const { cache } = session.context;
  const now = session.context.clock.now();
  if (cache === undefined) return false;
  if (spec.cacheClass === 'B') {
    if (!lookUpAll(session, cache, request, spec, { proto, now, db })) return false;
    if (answer.staleMs > 0) cache.noteStale(answer.staleMs);
    return true;
  }
  const asOf = servedAsOf(session, cache, now);
  aimAtCall(request, spec, session.space, session.identity.shared.generation.fence);
  if (asOf === NEVER || !lookUpOne(cache, spec, request.argc, proto, asOf)) return false;
  return asOf === now || serveStale(cache, now - asOf);
}
