import type { BypassReason } from '../cache/cache-stats.ts';
import type { NearCache } from '../cache/near-cache.ts';
import type { CommandSpec } from '../command/spec.ts';
import type { Policy } from '../policy/policy.ts';
import type { Request } from '../protocol/request.ts';
import { answerAway, fetchTurn } from './answer-away.ts';
import { aimAtCall, answer, lookUpOne, NEVER, servedAsOf, serveStale, wanted } from './cached-answer.ts';
import type { Again } from './fan-out-call.ts';
import { hedge } from './hedge.ts';
import { holdSlot, namesHeldKey } from './held-keys.ts';
import { sendAsItIs } from './held-read-call.ts';
import { letHeldGo, park } from './parked-read.ts';
import type { Leases } from './leases.ts';
import { ReadCall } from './read-call.ts';
import type { Session } from './session.ts';
import { sharedSlot } from './shared-slot.ts';
import type { Slot } from './slot.ts';
import { leasesFor, policyOf, sendRead, startRead, whyClosed, whyNoFlight } from './start-read.ts';

/** A cacheable read of one key: from the near-cache when it may be, else together with others who ask the same, else from
 *  Redis with PTTL in front, so that the reply may fill. False when it has to wait. */
export function readThroughCache(
  session: Session,
  cache: NearCache,
  request: Request,
  spec: CommandSpec,
): boolean {
  return serveOne(session, cache, request, spec) || fetchOne(session, cache, request, spec);
}

/** A read of one key from the near-cache; false when it is not there, and `wanted` is aimed at it then. */
export function serveOne(session: Session, cache: NearCache, request: Request, spec: CommandSpec): boolean {
  if (request.argc < 2) return false;
  const { now } = session;
  aimAtCall(request, spec, session.space, session.identity.shared.generation.fence);
  const asOf = servedAsOf(session, cache, now);
  if (asOf === NEVER || !lookUpOne(cache, spec, request.argc, session.proto, asOf)) return false;
  if (asOf < now) return answerStale(session, cache, request, spec, now - asOf);
  cache.noteHit(spec.family, now);
  cache.hotKeys?.note(wanted);
  const isDue = cache.isDue(now);
  if (session.queue.length === 0) session.serveSlice(answer.bytes, answer.start, answer.end);
  else park(session, request, spec);
  if (isDue) refresh(session, cache, request, spec);
  return true;
}

/** A hit on an entry whose shard is away. */
function answerStale(
  session: Session,
  cache: NearCache,
  request: Request,
  spec: CommandSpec,
  staleMs: number,
): boolean {
  if (session.queue.length > 0) {
    if (!cache.mayServeStale(staleMs)) return false;
    park(session, request, spec);
    return true;
  }
  if (!serveStale(cache, staleMs)) return false;
  session.serveSlice(answer.bytes, answer.start, answer.end);
  return true;
}

function fetchOne(session: Session, cache: NearCache, request: Request, spec: CommandSpec): boolean {
  const { shared } = session.identity;
  if (!shared.hasRoomFor(session)) return false;
  const { obstacle } = shared;
  if (obstacle !== undefined) {
    // What is known may be older than what the read before it is answered with when the shard is back.
    if (namesHeldKey(session, request, spec)) return false;
    answerAway(session, cache, request, spec, obstacle);
    return true;
  }
  const key = request.argc < 2 ? '' : request.argLatin1(1);
  const policy = policyOf(cache);
  const reason = request.argc < 2 ? 'off' : (whyNoFlight(session, policy) ?? whyClosed(cache, key, wanted));
  const leases = leasesFor(session, request, spec, policy);
  if (!session.held.isEmpty) {
    if (reason !== undefined || leases !== undefined) {
      return letHeldGo(session) && readThroughCache(session, cache, request, spec);
    }
    if (fetchTurn(session) !== 'go') return false;
    parkAhead(session, cache, request, spec, { key, policy });
    return true;
  }
  if (reason === undefined) {
    const isFresh = cache.covers(shared.generation, session.now);
    if (isFresh && waitForLoad(session, cache, request, spec, { leases, key, policy })) return true;
    const known = cache.findRead(key, wanted, session.now);
    if (known instanceof ReadCall && joinRead(session, cache, known, request, spec)) return true;
  }
  const turn = fetchTurn(session);
  if (turn === 'wait') return false;
  if (turn !== 'go') {
    answerAway(session, cache, request, spec, turn);
    return true;
  }
  if (reason === undefined) {
    if (cache.covers(shared.generation, session.now)) countMiss(cache, spec, policy);
    else countBypass(cache, spec, policy, 'stale');
  } else {
    countBypass(cache, spec, policy, reason);
    // Behind a write to a leased key it is read alone, but who hears of a nil is still to be decided.
    if ((reason !== 'closed' && reason !== 'held-off') || leases === undefined) {
      sendAsItIs(session, cache, request, spec);
      return true;
    }
  }
  const read = startRead(session, cache, request, spec, { key, policy });
  read.waiters.push(sharedSlot(session, request, spec));
  sendRead(session, read, request);
  session.lastPosition = shared.position;
  const { hedging } = session.identity.shard;
  if (hedging !== undefined) hedge(session, read, hedging, request);
  return true;
}

/** Behind a read that may yet be sent, this one could be answered with something older than that (DESIGN rule 3). So it is
 *  answered at its turn, by what it fills meanwhile. */
function parkAhead(
  session: Session,
  cache: NearCache,
  request: Request,
  spec: CommandSpec,
  of: { key: string; policy: Policy },
): void {
  if (cache.findRead(of.key, wanted, session.now) === undefined) {
    countMiss(cache, spec, of.policy);
    sendRead(session, startRead(session, cache, request, spec, of), request);
    session.lastPosition = session.identity.shared.position;
  } else {
    countCoalesced(cache, spec, of.policy);
    // Most of what a pipeline asks of its hottest key is asked while the first of it is on its way.
    cache.hotKeys?.note(wanted);
  }
  park(session, request, spec);
}

/** Wait for the value that another session is known to be loading. False = it may not. */
function waitForLoad(
  session: Session,
  cache: NearCache,
  request: Request,
  spec: CommandSpec,
  { leases, key, policy }: { leases: Leases | undefined; key: string; policy: Policy },
): boolean {
  const lease = leases?.joinable(session, key, wanted);
  if (leases === undefined || lease === undefined) return false;
  countCoalesced(cache, spec, policy);
  leases.wait(lease, session, sharedSlot(session, request, spec));
  return true;
}

/** A read on its way that several sessions may wait for. */
interface Joinable {
  readonly position: number;
  readonly policy: Policy;
  readonly waiters: Slot[];
  again: Again | undefined;
}

/** Share the answer of a read that is on its way. Not of one that was sent before a command which this session still waits
 *  for: its answer could be older than that command's (DESIGN rule 3). False = it may not. */
export function joinRead(
  session: Session,
  cache: NearCache,
  read: Joinable,
  request: Request,
  spec: CommandSpec,
): boolean {
  if (read.waiters.length >= session.context.options.followersMax) return false;
  if (session.outstanding > 0 && read.position < session.lastPosition) return false;
  countCoalesced(cache, spec, read.policy);
  read.again ??= { request: request.copy(), shared: session.identity.shared, db: session.db };
  const slot = sharedSlot(session, request, spec);
  holdSlot(session, slot, { request: read.again.request, spec });
  read.waiters.push(slot);
  session.lastPosition = Math.max(session.lastPosition, read.position);
  return true;
}

function countCoalesced({ stats }: NearCache, spec: CommandSpec, policy: Policy): void {
  stats.tallies(stats.byFamily, spec.family).coalesced++;
  stats.tallies(stats.byPolicy, policy.number).coalesced++;
}

export function countMiss({ stats }: NearCache, spec: CommandSpec, policy: Policy): void {
  stats.tallies(stats.byFamily, spec.family).misses++;
  stats.tallies(stats.byPolicy, policy.number).misses++;
}

export function countBypass(cache: NearCache, spec: CommandSpec, policy: Policy, reason: BypassReason): void {
  const { stats } = cache;
  stats.bypass[reason]++;
  stats.tallies(stats.byFamily, spec.family).bypassed++;
  stats.tallies(stats.byPolicy, policy.number).bypassed++;
}

/** Read an entry again before its end, for nobody: the app that just hit it does not wait (XFetch). */
function refresh(session: Session, cache: NearCache, request: Request, spec: CommandSpec): void {
  const { shared } = session.identity;
  if (!shared.isReady || shared.isFull) return;
  const key = request.argLatin1(1);
  aimAtCall(request, spec, session.space, shared.generation.fence);
  if (cache.findRead(key, wanted, session.now) !== undefined) return;
  cache.store.refreshing();
  cache.stats.refreshes++;
  sendRead(session, startRead(session, cache, request, spec, { key, policy: policyOf(cache) }), request);
}
