import type { ErrorCode } from '../base/errors.ts';
import { KeyList, mayBlock, readsUnnamedKeys } from '../command/keys.ts';
import type { CommandSpec } from '../command/spec.ts';
import { type Spread, spreadOf } from '../command/spread.ts';
import type { Request } from '../protocol/request.ts';
import { runOnAll } from './all-shards.ts';
import { mustAuthenticate, refuse } from './authentication.ts';
import { findForeignKeys, isForeign, learnForeign } from './foreign-commands.ts';
import { admit, foreignKeysAt, keysAt } from './ring-admission.ts';
import { runScan } from './scan-path.ts';
import {
  aimAtPlace,
  aimAtShard,
  commonPlace,
  NO_PLACE,
  placeOf,
  placeOfArgument,
  SEVERAL_PLACES,
} from './placement.ts';
import { selectOnAll } from './select-all.ts';
import type { Session } from './session.ts';
import { runSplit } from './split-path.ts';

/** What has become of a request: here = the session is aimed at its one shard, go on as with a single Redis; apart = so too,
 *  but past the pinned connection that the session keeps; done = sent or answered; wait = it may not go yet. */
export type Way = 'here' | 'apart' | 'done' | 'wait';

/** Find the shard of a request when there are several, or run it on all that it concerns. */
export function overShards(session: Session, request: Request, spec: CommandSpec | undefined): Way {
  const { upstream } = session.context;
  if (session.detours > 0 || upstream.isLearning?.(session) === true) return 'wait';
  // What was sent before a change of the map may be on its way to where its key was: nothing may overtake it.
  if (session.routedAt !== upstream.version) {
    if (session.outstanding > 0) return 'wait';
    session.routedAt = upstream.version;
  }
  const isKnown = spec !== undefined && !isForeign(spec);
  if (!isKnown) {
    const learnt = learnForeign(session, request);
    if (learnt === 'wait') return 'wait';
    if (learnt !== 'known') {
      return refuseHere(session, 'SHARD_UNREACHABLE', { shard: upstream.home.name, reason: learnt.problem });
    }
  }
  const { gate } = upstream;
  if (gate !== undefined && !gate.isOpen) {
    const keys = isKnown ? keysAt(request, spec, session.db) : foreignKeysAt(session, request);
    const admission = admit(session, gate, keys);
    if (admission === 'wait') return 'wait';
    if (admission !== 'go') return refuseHere(session, 'KEY_NOT_MOVED', { reason: admission.problem });
  }
  if (session.pin.sticky.isActive) return besideState(session, request, spec);
  if (!isKnown) return aimedAtOne(session, placeOfForeign(session, request), nameOf(request));
  const spread = spreadOf(spec);
  const { onlyKey } = spec;
  // The plain case: one key, whose place in the request is known.
  if (onlyKey > 0 && spread.kind === 'keys' && onlyKey < request.argc) {
    return aimed(session, placeOfArgument(upstream, request, onlyKey));
  }
  if (isEverywhere(spread) && mustAuthenticate(session)) return ran(refuse(session, request, spec));
  return runSpread(session, request, spec, spread);
}

/** It would delete the record of how far the change is. */
const CHANGING = 'the ring has a next one configured, to which keys are moved';
const PATTERNS = 'its BY or GET pattern reads keys that may be on other shards';

/** It runs nowhere. In a transaction that is the end of it. */
function refuseHere(session: Session, code: ErrorCode, fields: Record<string, string | number>): Way {
  const { sticky, shard } = session.pin;
  if (!sticky.isInTransaction) {
    session.answerError(code, fields);
    return 'done';
  }
  aimAtShard(session, shard ?? session.context.upstream.home);
  return ran(sticky.refuse(code, fields));
}

function isEverywhere({ kind }: Spread): boolean {
  return kind === 'all' || kind === 'split' || kind === 'scan' || kind === 'refused';
}

function ran(hasRun: boolean): Way {
  return hasRun ? 'done' : 'wait';
}

function runSpread(session: Session, request: Request, spec: CommandSpec, spread: Spread): Way {
  switch (spread.kind) {
    case 'keys':
      if (readsUnnamedKeys(spec, request)) {
        session.answerError('NOT_SUPPORTED', { command: spec.name, reason: PATTERNS });
        return 'done';
      }
      return aimedAtOne(session, placeOf(session, request, spec), spec.name);
    case 'split': {
      // Not as many arguments as its keys need: Redis says so itself.
      if ((request.argc - 1) % spread.step !== 0) return aimed(session, NO_PLACE);
      const way = placeOf(session, request, spec);
      return way === SEVERAL_PLACES ? ran(runSplit(session, request, spec, spread)) : aimed(session, way);
    }
    case 'all':
      if (spec.flushesAll && session.context.upstream.isChanging === true) {
        session.answerError('NOT_SUPPORTED', { command: spec.name, reason: CHANGING });
        return 'done';
      }
      if (spec.name === 'select') return selectOnAll(session, request, spec, spread);
      return ran(runOnAll(session, request, spec, spread));
    case 'scan':
      return ran(runScan(session, request, spec));
    case 'channel':
      return aimed(session, placeOfChannel(session, request, spread.isClusterWide));
    case 'unknown':
      return aimedAtOne(session, placeOfForeign(session, request), nameOf(request));
    case 'refused':
      session.answerError('NOT_SUPPORTED', { command: spec.name, reason: spread.reason });
      return 'done';
    case 'home':
    case 'session':
      aimAtShard(session, session.context.upstream.home);
      return 'here';
  }
}

function aimedAtOne(session: Session, place: number, command: string): Way {
  if (place !== SEVERAL_PLACES) return aimed(session, place);
  session.answerError('CROSSSLOT', { command });
  return 'done';
}

function aimed(session: Session, place: number): Way {
  if (aimAtPlace(session, place)) return 'here';
  session.answerError('NO_OWNER', { slot: place });
  return 'done';
}

function placeOfChannel({ context }: Session, request: Request, isClusterWide: boolean): number {
  const { upstream } = context;
  const isAnywhere = request.argc < 2 || (isClusterWide && upstream.kind === 'cluster');
  if (isAnywhere) return NO_PLACE;
  return upstream.placeOfChannel(request.buffer, request.argStart(1), request.argEnd(1));
}

/** Nothing tells which arguments are keys of some foreign commands: on a wrong shard they would be silently wrong. */
function placeOfForeign(session: Session, request: Request): number {
  const isFound = findForeignKeys(session, request, keyList);
  return isFound ? commonPlace(session.context.upstream, request, keyList) : SEVERAL_PLACES;
}

const keyList = new KeyList();

/** The session keeps a pinned connection, which is at one shard, or is about to: in a transaction everything must run there;
 *  beside WATCH, what is plain may run elsewhere. */
function besideState(session: Session, request: Request, spec: CommandSpec | undefined): Way {
  const { sticky, shard } = session.pin;
  if (sticky.relay !== undefined && shard !== undefined) {
    aimAtShard(session, shard);
    return 'here';
  }
  const spread: Spread = spec === undefined ? UNKNOWN : spreadOf(spec);
  const place = placeBeside(session, request, spec, spread);
  if (sticky.isInTransaction) return inTransaction(session, request, { spec, spread, place });
  if (spec !== undefined && isBeside(session, request, spec, place)) {
    const way = runSpread(session, request, spec, spread);
    return way === 'here' ? 'apart' : way;
  }
  if (isElsewhere(session, place)) {
    session.answerError('CROSSSLOT', { command: nameOf(request) });
    return 'done';
  }
  if (shard !== undefined) aimAtShard(session, shard);
  if (place !== NO_PLACE) aimAtPlace(session, place);
  return 'here';
}

const UNKNOWN: Spread = { kind: 'unknown' };

/** Where a command has to run, whatever state the session keeps. */
function placeBeside(
  session: Session,
  request: Request,
  spec: CommandSpec | undefined,
  spread: Spread,
): number {
  if (spec === undefined || spread.kind === 'unknown') return placeOfForeign(session, request);
  return spread.kind === 'channel'
    ? placeOfChannel(session, request, spread.isClusterWide)
    : placeOf(session, request, spec);
}

function nameOf(request: Request): string {
  return request.argLatin1(0).slice(0, 64).toLowerCase();
}

/** Is it on several shards, or on another than the pinned connection that the session keeps? */
function isElsewhere({ context, pin }: Session, place: number): boolean {
  if (place === SEVERAL_PLACES) return true;
  return place !== NO_PLACE && pin.shard !== undefined && context.upstream.shardAt(place) !== pin.shard;
}

/** A plain command whose keys are elsewhere than on the session's pinned connection, or on several shards. */
function isBeside(session: Session, request: Request, spec: CommandSpec, place: number): boolean {
  if (spec.place !== 'shared' || mayBlock(spec, request)) return false;
  return place === NO_PLACE ? isEverywhere(spreadOf(spec)) : isElsewhere(session, place);
}

/** A command that MULTI is to queue. */
interface Queued {
  readonly spec: CommandSpec | undefined;
  readonly spread: Spread;
  readonly place: number;
}

function inTransaction(session: Session, request: Request, { spec, spread, place }: Queued): Way {
  const { shard, sticky } = session.pin;
  const { upstream } = session.context;
  const isApart = isElsewhere(session, place);
  if (isApart || !aimAtPlace(session, place)) aimAtShard(session, shard ?? upstream.home);
  else if (place === NO_PLACE && shard !== undefined) aimAtShard(session, shard);
  const command = spec?.name ?? nameOf(request);
  if (isApart) return ran(sticky.refuse('CROSSSLOT', { command }));
  const reason = whyUnqueued(request, spec, spread);
  return reason === undefined ? 'here' : ran(sticky.refuse('NOT_SUPPORTED', { command, reason }));
}

function whyUnqueued(request: Request, spec: CommandSpec | undefined, spread: Spread): string | undefined {
  if (spread.kind === 'refused') return spread.reason;
  if (spread.kind === 'all' || spread.kind === 'scan' || spec?.place === 'subscribe') {
    return 'inside MULTI it would run on one of several shards';
  }
  return spread.kind === 'keys' && spec !== undefined && readsUnnamedKeys(spec, request)
    ? PATTERNS
    : undefined;
}

/** A request that is too large to be held, of which the beginning is here: aim at the shard of its key. When that is not
 *  known it is refused, and a transaction that it was part of with it. */
export function aimBig(session: Session, request: Request, spec: CommandSpec | undefined): Way {
  const { upstream } = session.context;
  if (upstream.isSingle) return 'here';
  const { sticky } = session.pin;
  const index = spec?.onlyKey ?? 0;
  const isHere = index > 0 && request.argc > index;
  const place = isHere ? placeOfArgument(upstream, request, index) : NO_PLACE;
  const isApart = sticky.isActive && isElsewhere(session, place);
  const { gate } = upstream;
  if (isHere && gate !== undefined && !gate.isOpen) {
    const key = request.buffer.subarray(request.argStart(index), request.argEnd(index));
    const admission = admit(session, gate, [{ key, db: session.db }]);
    if (admission === 'wait') return 'wait';
    if (admission !== 'go') return refuseHere(session, 'KEY_NOT_MOVED', { reason: admission.problem });
  }
  if (isHere && !isApart && aimAtPlace(session, place)) return 'here';
  const command = spec?.name ?? 'this command';
  const { bigBytes } = session.context.options.requests;
  return refuseHere(session, 'TOO_BIG_TO_PLACE', { command, bytes: bigBytes });
}
