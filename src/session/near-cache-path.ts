import { latin1 } from '../base/latin1.ts';
import type { BypassReason } from '../cache/cache-stats.ts';
import type { Entry, EntryId } from '../cache/entry.ts';
import type { NearCache } from '../cache/near-cache.ts';
import { extractKeys, KeyList } from '../command/keys.ts';
import type { CommandSpec } from '../command/spec.ts';
import { resolve } from '../command/table.ts';
import type { Request } from '../protocol/request.ts';
import { toResp2 } from '../protocol/resp2.ts';
import type { Generation } from '../cache/generation.ts';
import { BarrierEffect, FillEffect, FlushEffect, type ReplyEffect, TtlCall, WriteEffect } from './effect.ts';
import type { Session } from './session.ts';
import { shapeOf, sharedSlot } from './shared-slot.ts';
import type { Slot } from './slot.ts';

const keyList = new KeyList();
/** What is looked up; copied only when a flight starts. */
const wanted: EntryId = { key: '', commandId: 0, db: 0, identity: 0, rest: '' };
const PTTL_HEAD = Buffer.from('*2\r\n$4\r\nPTTL\r\n', 'latin1');

/** A cacheable read: from the near-cache when it may be, else from Redis with PTTL in front, so that the reply may fill.
 *  False when it has to wait. */
export function readThroughCache(
  session: Session,
  cache: NearCache,
  request: Request,
  spec: CommandSpec,
): boolean {
  const { generation } = session.identity.shared;
  const reason = bypassReason(session, cache, request, spec, generation);
  if (reason === undefined || reason === 'stale') {
    aim(session, request, spec);
    const entry = reason === undefined ? cache.find(wanted, generation, session.now) : undefined;
    if (entry !== undefined) {
      cache.stats.hits++;
      serve(session, cache, request, spec, entry);
      return true;
    }
    if (followsHit(session, request, spec) || !session.identity.shared.hasRoomFor(session)) return false;
    if (reason === undefined) cache.stats.misses++;
    else cache.stats.bypass.stale++;
    fetch(session, cache, request, spec);
    return true;
  }
  if (followsHit(session, request, spec) || !session.identity.shared.hasRoomFor(session)) return false;
  cache.stats.bypass[reason]++;
  const slot = sharedSlot(session, request, spec);
  session.identity.shared.submit(slot, request.buffer, request.start, request.end, session.db);
  return true;
}

/** Why this read may neither hit nor fill; 'stale' = it may fill. */
function bypassReason(
  session: Session,
  cache: NearCache,
  request: Request,
  spec: CommandSpec,
  generation: Generation,
): BypassReason | undefined {
  if (spec.onlyKey !== 1 || request.argc < 2 || !generation.isTracking || !generation.isAlive) return 'off';
  if (session.unknownOutstanding > 0) return 'ordered';
  if (cache.isClosed(latin1(request.buffer, request.argStart(1), request.argEnd(1)))) return 'closed';
  return generation.covers(session.now, cache.options.maxStalenessMs) ? undefined : 'stale';
}

function aim(session: Session, request: Request, spec: CommandSpec): void {
  wanted.key = request.argLatin1(1);
  wanted.commandId = spec.id;
  wanted.db = session.db;
  wanted.identity = session.identity.number;
  wanted.rest = request.argc === 2 ? '' : latin1(request.buffer, request.argEnd(1) + 2, request.end);
}

function serve(session: Session, cache: NearCache, request: Request, spec: CommandSpec, entry: Entry): void {
  if (session.queue.length === 0) {
    session.serve(bytesFor(session, cache, spec, request.argc, entry));
    return;
  }
  const slot = session.slot();
  slot.entry = entry;
  slot.request = request.copy();
  const { key } = entry.id;
  session.waitingHits.set(key, (session.waitingHits.get(key) ?? 0) + 1);
}

function bytesFor(session: Session, cache: NearCache, spec: CommandSpec, argc: number, entry: Entry): Buffer {
  if (session.proto === 3) return entry.reply;
  if (entry.resp2 === undefined) {
    const { reply } = entry;
    cache.keepResp2(entry, toResp2(reply, 0, reply.length, { shape: shapeOf(spec), argc, inExec: false }));
  }
  return entry.resp2 as Buffer;
}

/** Read from Redis: PTTL and the command in one packet, so that the TTL is the value's own (coherence spec §5). */
function fetch(session: Session, cache: NearCache, request: Request, spec: CommandSpec): void {
  const { shared } = session.identity;
  const maxTtlMs =
    shared.server?.hasFieldTtl === true && spec.name.startsWith('h')
      ? Math.min(cache.options.maxTtlMs, cache.options.negativeTtlMs)
      : cache.options.maxTtlMs;
  const flight = cache.startFlight({ ...wanted }, shared.generation, session.now, maxTtlMs);
  const slot = sharedSlot(session, request, spec);
  slot.effect = new FillEffect(cache, flight);
  shared.submitWithTtl(new TtlCall(flight), slot, PTTL_HEAD, request, session.db);
}

/** The head of the queue is a hit that waited: serve it if it still holds, else ask again.
 *  Nothing that this session sent after it can have changed its key: such a command would have waited (`effectOf`). */
export function rereadHit(session: Session, slot: Slot): void {
  const { cache } = session.context.shard;
  const request = slot.request as Request;
  const entry = slot.entry as Entry;
  const spec = resolve(request) as CommandSpec;
  slot.entry = undefined;
  slot.request = undefined;
  const waiting = (session.waitingHits.get(entry.id.key) ?? 1) - 1;
  if (waiting === 0) session.waitingHits.delete(entry.id.key);
  else session.waitingHits.set(entry.id.key, waiting);
  if (cache?.mayServe(entry, session.context.clock.now()) === true) {
    slot.keep(bytesFor(session, cache, spec, request.argc, entry));
    return;
  }
  slot.needsResp2 = session.proto === 2;
  slot.shape = shapeOf(spec);
  slot.argc = request.argc;
  slot.timeoutMs = session.context.options.commandTimeoutMs;
  session.outstanding++;
  // Not the session's database: a SELECT behind this read may have changed it by now.
  session.identity.shared.submit(slot, request.buffer, request.start, request.end, entry.id.db);
}

/** Does this request name a key of which a hit still waits? If that hit had to be read again it would be read behind this
 *  request, and the session would see the key go back. */
export function followsHit(session: Session, request: Request, spec: CommandSpec): boolean {
  if (session.waitingHits.size === 0) return false;
  extractKeys(spec, request, keyList);
  for (let i = 0; i < keyList.count; i++) {
    if (session.waitingHits.has(request.argLatin1(keyList.indices[i] as number))) return true;
  }
  return false;
}

/** What a command that is no cached read does to the near-cache; 'wait' when a hit of this session that is still owed
 *  could be overtaken by it. Creating the effect closes the keys. */
export function effectOf(
  session: Session,
  cache: NearCache,
  request: Request,
  spec: CommandSpec,
): ReplyEffect | BarrierEffect | 'wait' {
  const result = extractKeys(spec, request, keyList);
  const keys: string[] = [];
  for (let i = 0; i < keyList.count; i++) keys.push(request.argLatin1(keyList.indices[i] as number));
  const isKnown = result === 'keys' && !spec.flushesAll;
  if (session.waitingHits.size > 0 && (!isKnown || keys.some((key) => session.waitingHits.has(key))))
    return 'wait';
  if (spec.flushesAll) return new FlushEffect(cache);
  if (isKnown) return new WriteEffect(cache, keys);
  return unknownKeys(session, cache, keys);
}

/** A barrier for a command that may change keys it does not name; until it is answered, reads of this session go behind it. */
export function unknownKeys(session: Session, cache: NearCache, keys: readonly string[]): BarrierEffect {
  session.unknownOutstanding++;
  return new BarrierEffect(session.context.shard, cache, session.identity, keys, () => {
    session.unknownOutstanding--;
  });
}
