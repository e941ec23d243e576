import { mayBlock, readsUnnamedKeys } from '../command/keys.ts';
import type { CommandSpec } from '../command/spec.ts';
import { resolve } from '../command/table.ts';
import type { Request } from '../protocol/request.ts';
import { mustAuthenticate, refuse } from './authentication.ts';
import { answerLocally } from './local-commands.ts';
import { emulateCluster } from './cluster-emulation.ts';
import { effectOf } from './cache-effects.ts';
import { BarrierEffect, WriteEffect } from './effect.ts';
import { readCombined } from './combined-path.ts';
import { namesHeldKey } from './held-keys.ts';
import { readManyThroughCache } from './many-keys-path.ts';
import { readThroughCache } from './near-cache-path.ts';
import { answerWhileLoading } from './not-ready.ts';
import { letHeldGo } from './parked-read.ts';
import { overShards, type Way } from './over-shards.ts';
import type { Session } from './session.ts';
import { readFromReplica } from './replica-path.ts';
import { reread } from './reread.ts';
import { obstacleTo, runControl, send, sharedSlot } from './shared-slot.ts';
import { tryWholeTransaction } from './transaction.ts';

/** The request may not go yet; the session tries again when something was answered. */
export const STALL = -1;

/** Send one decoded request on its way. `buffer[consumedTo, end)` is what follows it, for a transaction that is here
 *  whole. Returns where the next request begins, or STALL (then nothing has happened). */
export function dispatch(
  session: Session,
  request: Request,
  buffer: Buffer,
  consumedTo: number,
  end: number,
): number {
  if (session.queue.length >= session.context.options.inFlightMax) return STALL;
  // A SELECT or AUTH that Redis is asked about decides what this session is: nothing overtakes it.
  if (session.link === 'control' && session.outstanding > 0) return STALL;
  const spec = resolve(request);
  session.lastCommand = spec?.name ?? 'unknown';
  if (spec?.isRead !== true) session.writes++;
  if (session.context.isLoading === true && answerWhileLoading(session, request, spec)) return consumedTo;
  if (emulateCluster(session, request, spec)) {
    session.context.stats.commands++;
    return consumedTo;
  }
  const way = session.context.upstream.isSingle ? aimAtOnly(session) : findShard(session, request, spec);
  if (way === 'wait') return STALL;
  let used = consumedTo;
  if (way === 'done') {
    // It runs at several shards, or was refused.
  } else if (way === 'apart') {
    if (!route(session, request, spec)) return STALL;
  } else if (session.subscription.isExclusive) {
    if (!session.subscription.runSubscribed(request, spec)) return STALL;
  } else if (session.pin.sticky.isActive) {
    if (!session.pin.sticky.run(request, spec)) return STALL;
  } else if (spec?.name === 'multi' && request.argc === 1 && !mustAuthenticate(session)) {
    const block = tryWholeTransaction(session, request, buffer, consumedTo, end);
    if (block > 0) used = block;
    else if (block < 0 || !beginTransaction(session, request, spec)) return STALL;
  } else if (!route(session, request, spec)) {
    return STALL;
  }
  session.context.stats.commands++;
  return used;
}

function aimAtOnly(session: Session): 'here' {
  session.space = session.db;
  return 'here';
}

/** With several shards. What a session does while it is subscribed is the subscription's affair. */
function findShard(session: Session, request: Request, spec: CommandSpec | undefined): Way {
  return session.subscription.isExclusive ? 'here' : overShards(session, request, spec);
}

/** A MULTI of which only a part is here. */
function beginTransaction(session: Session, request: Request, spec: CommandSpec): boolean {
  const { sticky } = session.pin;
  if (session.context.upstream.isSingle) return sticky.begin(request, spec);
  if (!session.mayUse('pinned')) return false;
  sticky.beginUnplaced();
  return true;
}

function isHttp(request: Request): boolean {
  const name = request.argLatin1(0).toLowerCase();
  return name === 'post' || name === 'host:';
}

/** False when it may not go yet. */
function route(session: Session, request: Request, spec: CommandSpec | undefined): boolean {
  if (spec === undefined) {
    if (isHttp(request)) {
      // As Redis does: a browser that was tricked into talking to it must not get a second line through.
      session.close('protocol', 'an HTTP request: possible cross-protocol attack');
      return true;
    }
    return mustAuthenticate(session)
      ? refuse(session, request, spec)
      : session.pin.runOnce(request, undefined);
  }
  switch (spec.place) {
    case 'shared':
      // To its own subscription: the message comes before the reply, as on one connection.
      if (spec.isPublish && session.subscription.isActive) {
        return session.subscription.runBeside(request, spec);
      }
      if (spec.isBlocking && mayBlock(spec, request)) {
        return mustAuthenticate(session)
          ? refuse(session, request, spec)
          : session.pin.runOnce(request, spec);
      }
      return runShared(session, request, spec);
    case 'session':
      return answerLocally(session, request, spec);
    default:
      return mustAuthenticate(session) ? refuse(session, request, spec) : routeApart(session, request, spec);
  }
}

function routeApart(session: Session, request: Request, spec: CommandSpec): boolean {
  switch (spec.place) {
    case 'subscribe':
      return session.subscription.run(request, spec);
    case 'control':
      return runControl(session, request, spec);
    case 'sticky':
      return session.pin.sticky.begin(request, spec);
    case 'refused':
      session.answerError('NOT_SUPPORTED', { command: spec.name, reason: spec.reason });
      return true;
    default:
      return session.pin.runOnce(request, spec);
  }
}

type Reader = typeof readThroughCache;

/** How the near-cache answers such a call; undefined = it does not. */
function readerOf({ context, identity }: Session, spec: CommandSpec, request: Request): Reader | undefined {
  // What the node may have to refuse (CROSSSLOT) is not ours to put together.
  if (context.upstream.isSingle && identity.shared.server?.isCluster === true && spec.cacheClass !== 'A') {
    return undefined;
  }
  switch (spec.cacheClass) {
    case 'A':
      return readThroughCache;
    case 'B':
      return readManyThroughCache;
    case 'C':
      // PFCOUNT rewrites its key: a write in all but name.
      return context.options.cachesMultiKey && !spec.isWrite ? readCombined : undefined;
    case 'D':
      return context.options.cachesSort && !readsUnnamedKeys(spec, request) ? readThroughCache : undefined;
    default:
      return undefined;
  }
}

/** The pipelined way: cache first, then the shared connection. */
function runShared(session: Session, request: Request, spec: CommandSpec): boolean {
  if (session.context.options.requireAuth && mustAuthenticate(session)) return refuse(session, request, spec);
  if (session.identity.isPassing) return session.pin.runOnce(request, spec);
  const { replicas } = session.identity.shard;
  if (replicas !== undefined && readFromReplica(session, replicas, request, spec)) return true;
  if (!session.mayUse('shared')) return false;
  const { cache } = session.context;
  const read = cache === undefined ? undefined : readerOf(session, spec, request);
  if (cache !== undefined && read !== undefined) return read(session, cache, request, spec);
  if (!session.identity.shared.hasRoomFor(session)) return false;
  const obstacle = obstacleTo(session, spec.needsMemory);
  if (obstacle !== undefined) {
    // It is not sent, so what the near-cache knows stays true.
    sharedSlot(session, request, spec).fail(obstacle);
    return true;
  }
  if (cache !== undefined) {
    if (spec.isWrite || spec.flushesAll || spec.keyAccess === 'unknown') {
      const effect = effectOf(session, cache, request, spec);
      if (effect === 'wait') return false;
      const slot = sharedSlot(session, request, spec);
      slot.effect = effect;
      send(session, slot, request, session.db);
      if (effect instanceof BarrierEffect) effect.pingBehind(session.now);
      else if (effect instanceof WriteEffect) reread(session, cache, request, effect.reread);
      return true;
    }
    if (namesHeldKey(session, request, spec) && !letHeldGo(session)) return false;
  }
  send(session, sharedSlot(session, request, spec), request, session.db);
  return true;
}
