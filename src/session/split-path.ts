import type { NearCache } from '../cache/near-cache.ts';
import { extractKeys, KeyList } from '../command/keys.ts';
import type { CommandSpec } from '../command/spec.ts';
import type { Spread } from '../command/spread.ts';
import { ASTERISK, COLON } from '../protocol/bytes.ts';
import type { Request } from '../protocol/request.ts';
import { merge } from '../route/merge.ts';
import { answer, lookUpAll } from './cached-answer.ts';
import { WriteEffect } from './effect.ts';
import { FanIn } from './fan-in.ts';
import { namesHeldKey } from './held-keys.ts';
import { endLeasesBefore, mayLeaveNoTrace } from './lease-ends.ts';
import { fetchMany, serveMany } from './many-keys-path.ts';
import { aimAtPlace, placeOfArgument } from './placement.ts';
import type { Session } from './session.ts';
import { send, sharedSlot } from './shared-slot.ts';
import { subRequest } from './sub-request.ts';

export type Split = Extract<Spread, { kind: 'split' }>;

/** The keys of a request that are at one place: indices of its arguments, in its order. */
interface Group {
  readonly place: number;
  readonly indices: number[];
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
  if (reads !== undefined && session.heldKeys.size > 0) return false;
  if (namesHeldKey(session, request, spec)) return false;
  const groups = groupKeys(session, request, spec);
  for (const { place } of groups) {
    if (!aimAtPlace(session, place)) {
      session.answerError('NO_OWNER', { slot: place });
      return true;
    }
    if (!session.identity.shared.hasRoomFor(session)) return false;
  }
  const slot = sharedSlot(session, request, spec);
  if (cache !== undefined && spec.isWrite) slot.effect = new WriteEffect(cache, keysOf(request, groups));
  session.fanIn = new FanIn(session, slot, groups.length, mergeOf(request, spec, spread, groups));
  for (const { place, indices } of groups) {
    aimAtPlace(session, place);
    const part = subRequest(request, indices, spread.step);
    if (reads === undefined) sendPart(session, part, spec);
    else readPart(session, reads, part, spec, isAlone);
  }
  session.fanIn = undefined;
  return true;
}

function groupKeys(session: Session, request: Request, spec: CommandSpec): Group[] {
  const { upstream } = session.context;
  const groups: Group[] = [];
  const byPlace = new Map<number, Group>();
  extractKeys(spec, request, keyList);
  for (let i = 0; i < keyList.count; i++) {
    const index = keyList.indices[i] as number;
    const place = placeOfArgument(upstream, request, index);
    let group = byPlace.get(place);
    if (group === undefined) {
      group = { place, indices: [] };
      byPlace.set(place, group);
      groups.push(group);
    }
    group.indices.push(index);
  }
  return groups;
}

function keysOf(request: Request, groups: readonly Group[]): string[] {
  return groups.flatMap(({ indices }) => indices.map((index) => request.argLatin1(index)));
}

function sendPart(session: Session, part: Request, spec: CommandSpec): void {
  if (session.context.leases !== undefined && mayLeaveNoTrace(spec, part)) {
    extractKeys(spec, part, keyList);
    const keys: string[] = [];
    for (let i = 0; i < keyList.count; i++) keys.push(part.argLatin1(keyList.indices[i] as number));
    endLeasesBefore(session, keys);
  }
  send(session, sharedSlot(session, part, spec), part, session.db);
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
    return fetchMany(session, cache, part, spec);
  }
  const frame = Buffer.from(answer.bytes.subarray(answer.start, answer.end));
  const type = spec.name === 'mget' ? ASTERISK : COLON;
  sharedSlot(session, part, spec).reply(frame, 0, frame.length, true, { type, hasResp3: true });
}

/** How the parts' replies become one: element i of an array comes from the part that key i went to. */
function mergeOf(
  { argc }: Request,
  spec: CommandSpec,
  spread: Split,
  groups: readonly Group[],
): (frames: readonly Buffer[]) => Buffer {
  const context = { command: spec.name };
  if (spread.merge !== 'request-order') return (frames) => merge(spread.merge, frames, context);
  const partOf = new Int32Array(argc - 1);
  for (const [part, { indices }] of groups.entries()) {
    for (const index of indices) partOf[index - 1] = part;
  }
  return (frames) => merge(spread.merge, frames, { ...context, partOf });
}
