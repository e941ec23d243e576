import { copyOf } from '../base/copy-of.ts';
import type { NearCache } from '../cache/near-cache.ts';
import { extractKeys, KeyList } from '../command/keys.ts';
import type { CommandSpec } from '../command/spec.ts';
import type { Spread } from '../command/spread.ts';
import type { Request } from '../protocol/request.ts';
import { SLOTS } from '../route/hash-slot.ts';
import { merge } from '../route/merge.ts';
import { answerAway, fetchTurn } from './answer-away.ts';
import { answer, lookUpAll } from './cached-answer.ts';
import { mayDetour } from './detour.ts';
import { WriteEffect } from './effect.ts';
import { FanIn } from './fan-in.ts';
import { namesHeldKey } from './held-keys.ts';
import { endLeasesBefore, mayLeaveNoTrace } from './lease-ends.ts';
import { fetchMany, serveMany } from './many-keys-path.ts';
import { letHeldGo } from './parked-read.ts';
import { aimAtPlace, placeOfArgument } from './placement.ts';
import type { Session } from './session.ts';
import { sharedSlot } from './shared-slot.ts';
import { encodeParts, forgetParts, partEnds, requestOfPart } from './sub-request.ts';

export type Split = Extract<Spread, { kind: 'split' }>;

/** The keys of a request by place. Shape: part i is at `places[i]` and has the keys that are its arguments `indices[i]`, in its
 *  order; key j of the request went to part `partOf[j]`. */
interface Groups {
  readonly places: number[];
  readonly indices: number[][];
  readonly partOf: number[];
}

const keyList = new KeyList();

/** MGET, DEL and their like with keys at several places: one part a place, on the shared connections. Each part is atomic,
 *  all together are not. False when it has to wait. */
export function runSplit(session: Session, request: Request, spec: CommandSpec, spread: Split): boolean {
  if (!session.mayUse('shared')) return false;
  const { cache } = session.context;
  const reads = spec.cacheClass === 'B' ? cache : undefined;
  const isAlone = session.queue.length === 0;
  if (reads !== undefined && isAlone && serveMany(session, reads, request, spec)) return true;
  // Behind a read that may yet be sent, its answer could be older than that one's (DESIGN rule 3).
  const mustWait = reads === undefined ? namesHeldKey(session, request, spec) : !session.held.isEmpty;
  if (mustWait && !letHeldGo(session)) return false;
  const groups = groupKeys(session, request, spec);
  const written = spec.isWrite ? cache : undefined;
  const sent: number[] = [];
  for (const [part, place] of groups.places.entries()) {
    if (!aimAtPlace(session, place)) {
      session.answerError('NO_OWNER', { slot: place });
      return true;
    }
    if (!session.identity.shared.hasRoomFor(session)) return false;
    const isSent = session.identity.shared.obstacle === undefined;
    if (isSent && written !== undefined) sent.push(...(groups.indices[part] as number[]));
    // Late, it goes all the same: the parts at other shards have had their turns.
    if (reads !== undefined && fetchTurn(session) === 'wait') return false;
  }
  const slot = sharedSlot(session, request, spec);
  // What is refused changes nothing that the near-cache knows.
  if (written !== undefined) slot.effect = new WriteEffect(written, keysOf(request, sent));
  session.fanIn = new FanIn(session, slot, groups.places.length, mergeOf(spec, spread, groups));
  const parts = encodeParts(request, groups.indices, spread.step);
  const ends = [...partEnds];
  for (let i = 0, start = 0; i < ends.length; i++) {
    aimAtPlace(session, groups.places[i] as number);
    const end = ends[i] as number;
    if (reads === undefined) sendPart(session, parts.buffer, start, end, spec);
    else readPart(session, reads, requestOfPart(parts.buffer, start, end), spec, isAlone);
    start = end;
  }
  forgetParts(parts);
  session.fanIn = undefined;
  return true;
}

/** The part that has the keys of a place, plus one; 0 = none yet. Places are slots, or the shards of a ring, which are fewer. Only
 *  used inside one call. */
const partAt = new Uint16Array(SLOTS);

function groupKeys(session: Session, request: Request, spec: CommandSpec): Groups {
  const { upstream } = session.context;
  extractKeys(spec, request, keyList);
  const groups: Groups = { places: [], indices: [], partOf: [] };
  for (let i = 0; i < keyList.count; i++) {
    const index = keyList.indices[i] as number;
    const place = placeOfArgument(upstream, request, index);
    if (partAt[place] === 0) {
      groups.places.push(place);
      groups.indices.push([]);
      partAt[place] = groups.places.length;
    }
    const part = (partAt[place] as number) - 1;
    (groups.indices[part] as number[]).push(index);
    groups.partOf.push(part);
  }
  for (const place of groups.places) partAt[place] = 0;
  return groups;
}

function keysOf(request: Request, indices: readonly number[]): string[] {
  return indices.map((index) => request.argLatin1(index));
}

function sendPart(session: Session, parts: Buffer, start: number, end: number, spec: CommandSpec): void {
  if (session.context.leases !== undefined && spec.isWrite) {
    const part = requestOfPart(parts, start, end);
    if (mayLeaveNoTrace(spec, part)) {
      extractKeys(spec, part, keyList);
      const keys: string[] = [];
      for (let i = 0; i < keyList.count; i++) keys.push(part.argLatin1(keyList.indices[i] as number));
      endLeasesBefore(session, keys);
    }
  }
  const { shared } = session.identity;
  const slot = (session.fanIn as FanIn).part(session.identity);
  if (session.context.upstream.redirects !== undefined) {
    mayDetour(session, slot, requestOfPart(parts, start, end), 'shared');
  }
  shared.submit(slot, parts, start, end, session.db);
  session.lastPosition = shared.position;
}

/** A part of which everything is here is answered now, unless something is owed to the session that Redis has yet to read:
 *  its reply would be out by then, and may not be newer than this. */
function readPart(
  session: Session,
  cache: NearCache,
  part: Request,
  spec: CommandSpec,
  isAlone: boolean,
): void {
  const { now } = session;
  if (!isAlone || !lookUpAll(session, cache, part, spec, { proto: 3, now })) {
    const { obstacle } = session.identity.shared;
    if (obstacle !== undefined) return answerAway(session, cache, part, spec, obstacle);
    return fetchMany(session, cache, part, spec);
  }
  if (answer.staleMs > 0) cache.noteStale(answer.staleMs);
  sharedSlot(session, part, spec).answerInstead(copyOf(answer.bytes, answer.start, answer.end));
}

/** How the parts' replies become one. */
function mergeOf(
  spec: CommandSpec,
  spread: Split,
  { partOf }: Groups,
): (frames: readonly Buffer[]) => Buffer {
  const context = { command: spec.name, partOf };
  return (frames) => merge(spread.merge, frames, context);
}
