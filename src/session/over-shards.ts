import { mayBlock, readsUnnamedKeys } from '../command/keys.ts';
import type { CommandSpec } from '../command/spec.ts';
import { type Spread, spreadOf } from '../command/spread.ts';
import type { Request } from '../protocol/request.ts';
import { runOnAll } from './all-shards.ts';
import { mustAuthenticate, refuse } from './authentication.ts';
import { placeOfForeign } from './foreign-commands.ts';
import { runScan } from './scan-path.ts';
import { aimAtPlace, aimAtShard, NO_PLACE, placeOf, placeOfArgument, SEVERAL_PLACES } from './placement.ts';
import { selectOnAll } from './select-all.ts';
import type { Session } from './session.ts';
import { runSplit } from './split-path.ts';

/** What has become of a request: here = the session is aimed at its one shard, go on as with a single Redis; apart = so too,
 *  but past the pinned connection that the session keeps; done = sent or answered; wait = it may not go yet. */
export type Way = 'here' | 'apart' | 'done' | 'wait';

/** Find the shard of a request when there are several, or run it on all that it concerns. */
export function overShards(session: Session, request: Request, spec: CommandSpec | undefined): Way {
  const { upstream } = session.context;
  if (session.detours > 0) return 'wait';
  // What was sent before a change of the map may be on its way to where its key was: nothing may overtake it.
  if (session.routedAt !== upstream.version) {
    if (session.outstanding > 0) return 'wait';
    session.routedAt = upstream.version;
  }
  if (session.pin.sticky.isActive) return besideState(session, request, spec);
  if (spec === undefined) return aimForeign(session, request);
  const spread = spreadOf(spec);
  if (isEverywhere(spread) && mustAuthenticate(session)) return ran(refuse(session, request, spec));
  return runSpread(session, request, spec, spread);
}

const PATTERNS = 'its BY or GET pattern reads keys that may be on other shards';

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
      return aimAtKeysOf(session, request, spec);
    case 'split': {
      const way = placeOf(session, request, spec);
      return way === SEVERAL_PLACES ? ran(runSplit(session, request, spec, spread)) : aimed(session, way);
    }
    case 'all':
      if (spec.name === 'select') return selectOnAll(session, request, spec, spread);
      return ran(runOnAll(session, request, spec, spread));
    case 'scan':
      return ran(runScan(session, request, spec));
    case 'channel':
      return aimAtChannel(session, request, spread.isClusterWide);
    case 'unknown':
      return aimForeign(session, request);
    case 'refused':
      session.answerError('NOT_SUPPORTED', { command: spec.name, reason: spread.reason });
      return 'done';
    case 'home':
    case 'session':
      aimAtShard(session, session.context.upstream.home);
      return 'here';
  }
}

function aimAtKeysOf(session: Session, request: Request, spec: CommandSpec): Way {
  const place = placeOf(session, request, spec);
  if (place === SEVERAL_PLACES) {
    session.answerError('CROSSSLOT', { command: spec.name });
    return 'done';
  }
  return aimed(session, place);
}

function aimed(session: Session, place: number): Way {
  if (aimAtPlace(session, place)) return 'here';
  session.answerError('NO_OWNER', { slot: place });
  return 'done';
}

function aimAtChannel(session: Session, request: Request, isClusterWide: boolean): Way {
  const { upstream } = session.context;
  if (request.argc < 2 || (isClusterWide && upstream.kind === 'cluster')) return aimed(session, NO_PLACE);
  return aimed(session, placeOfArgument(upstream, request, 1));
}

/** A command that the table does not know: the server is asked where its keys are. */
function aimForeign(session: Session, request: Request): Way {
  const place = placeOfForeign(session, request);
  if (place === undefined) return 'wait';
  if (place === SEVERAL_PLACES) {
    session.answerError('CROSSSLOT', { command: request.argLatin1(0).slice(0, 64) });
    return 'done';
  }
  return aimed(session, place);
}

/** The session keeps a pinned connection, which is at one shard, or is about to: in a transaction everything must run there;
 *  beside WATCH, what is plain may run elsewhere. */
function besideState(session: Session, request: Request, spec: CommandSpec | undefined): Way {
  const { sticky, shard } = session.pin;
  if (sticky.relay !== undefined && shard !== undefined) {
    aimAtShard(session, shard);
    return 'here';
  }
  const spread = spec === undefined ? undefined : spreadOf(spec);
  const place = spec === undefined ? NO_PLACE : placeOf(session, request, spec);
  if (sticky.isInTransaction) return inTransaction(session, spec, spread, place);
  if (spec !== undefined && spread !== undefined && isBeside(session, request, spec, place)) {
    const way = runSpread(session, request, spec, spread);
    return way === 'here' ? 'apart' : way;
  }
  if (place === SEVERAL_PLACES || (place !== NO_PLACE && session.context.upstream.shardAt(place) !== shard)) {
    session.answerError('CROSSSLOT', { command: spec?.name ?? 'this' });
    return 'done';
  }
  if (shard !== undefined) aimAtShard(session, shard);
  if (place !== NO_PLACE) aimAtPlace(session, place);
  return 'here';
}

/** A plain command whose keys are elsewhere than on the session's pinned connection, or on several shards. */
function isBeside(session: Session, request: Request, spec: CommandSpec, place: number): boolean {
  if (spec.place !== 'shared' || mayBlock(spec, request)) return false;
  if (place === NO_PLACE) return isEverywhere(spreadOf(spec));
  return place === SEVERAL_PLACES || session.context.upstream.shardAt(place) !== session.pin.shard;
}

function inTransaction(
  session: Session,
  spec: CommandSpec | undefined,
  spread: Spread | undefined,
  place: number,
): Way {
  const { shard, sticky } = session.pin;
  const { upstream } = session.context;
  const isElsewhere =
    place === SEVERAL_PLACES ||
    (place !== NO_PLACE && shard !== undefined && upstream.shardAt(place) !== shard);
  if (place >= 0 && !isElsewhere) aimAtPlace(session, place);
  else aimAtShard(session, shard ?? upstream.home);
  if (spec === undefined || spread === undefined) return 'here';
  if (isElsewhere) return ran(sticky.refuse(spec, 'CROSSSLOT', ''));
  if (spread.kind === 'all' || spread.kind === 'scan') {
    return ran(sticky.refuse(spec, 'NOT_SUPPORTED', 'inside MULTI it would run on one of several shards'));
  }
  return 'here';
}

/** A request that is too large to be held, of which the beginning is here: aim at the shard of its key. False when that is not
 *  known; then it was answered. */
export function aimBig(session: Session, request: Request, spec: CommandSpec | undefined): boolean {
  const { upstream } = session.context;
  if (upstream.isSingle) return true;
  const { pin } = session;
  const index = spec?.onlyKey ?? 0;
  const isHere = index > 0 && request.argc > index;
  const place = isHere ? placeOfArgument(upstream, request, index) : NO_PLACE;
  const isElsewhere = pin.sticky.isActive && upstream.shardAt(place) !== pin.shard;
  if (isHere && !isElsewhere && aimAtPlace(session, place)) return true;
  session.answerError('TOO_BIG_TO_PLACE', {
    command: spec?.name ?? 'this command',
    bytes: session.context.options.requests.bigBytes,
  });
  return false;
}
