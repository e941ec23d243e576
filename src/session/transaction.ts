import { copyOf } from '../base/copy-of.ts';
import { canRideShared, extractKeys, KeyList, readsUnnamedKeys } from '../command/keys.ts';
import type { CommandSpec } from '../command/spec.ts';
import { resolve } from '../command/table.ts';
import type { Policy } from '../policy/policy.ts';
import { REQUEST } from '../protocol/request-decoder.ts';
import type { Request } from '../protocol/request.ts';
import type { Resp2Row } from '../protocol/resp2.ts';
import { spreadOf } from '../command/spread.ts';
import { ELSEWHERE } from '../cache/near-cache.ts';
import { BlockDetour } from './block-detour.ts';
import { BarrierEffect, FlushEffect, type ReplyEffect, WriteEffect } from './effect.ts';
import { fenceOf, unknownKeys } from './cache-effects.ts';
import { endLeasesBefore, mayLeaveNoTrace } from './lease-ends.ts';
import { letHeldGo } from './parked-read.ts';
import { admit } from './ring-admission.ts';
import { aimAtPlace, NO_PLACE, placeOf, SEVERAL_PLACES } from './placement.ts';
import { limitingPolicy } from './rate-admission.ts';
import type { Session } from './session.ts';
import { obstacleTo, shapeOf } from './shared-slot.ts';
import type { Slot } from './slot.ts';

/** What a transaction may have changed, gathered while it is queued. */
export class TransactionKeys {
  readonly keys: string[] = [];
  /** Of writes that may leave no trace. */
  readonly #untraced: string[] = [];
  isUnknown = false;
  flushesAll = false;
  /** Memory that they take. Units: bytes. */
  bytes = 0;

  /** Note a queued request. */
  add(request: Request): void {
    const spec = resolve(request);
    if (spec === undefined) {
      this.isUnknown = true;
      return;
    }
    if (spec.flushesAll) this.flushesAll = true;
    if (extractKeys(spec, request, keyList) !== 'keys') this.isUnknown = true;
    const leavesNone = mayLeaveNoTrace(spec, request);
    for (let i = 0; i < keyList.count; i++) {
      const key = request.argLatin1(keyList.indices[i] as number);
      this.keys.push(key);
      this.bytes += key.length + KEY_BYTES;
      if (leavesNone) this.#untraced.push(key);
    }
  }

  /** For the EXEC, created when it is sent on the shared link of `fence`, or ELSEWHERE: closes the keys until its reply (coherence
   *  spec §6.3). */
  effect(session: Session, fence: number = ELSEWHERE): ReplyEffect | undefined {
    const { cache } = session.context;
    if (cache === undefined) return undefined;
    endLeasesBefore(session, this.#untraced);
    if (this.flushesAll) return new FlushEffect(cache);
    if (this.isUnknown) return unknownKeys(session, cache, this.keys);
    return new WriteEffect(cache, this.keys, fence);
  }
}

/** What a key takes besides its characters. */
const KEY_BYTES = 48;
const keyList = new KeyList();
const STALLED = -1;
const NOT_WHOLE = 0;

/** A transaction that is here whole, of commands that the table knows, rides the shared connection as one block: atomic
 *  there too, and it costs no pinned connection (DESIGN §2). `multi` is its first request; `buffer[from, end)` follows.
 *  Returns where the request behind EXEC begins, 0 when it must go pinned, below 0 when it must wait. */
export function tryWholeTransaction(
  session: Session,
  multi: Request,
  buffer: Buffer,
  from: number,
  end: number,
): number {
  if (!session.mayUse('shared') || !letHeldGo(session)) return STALLED;
  if (multi.buffer !== buffer) return NOT_WHOLE;
  const start = multi.start;
  const block = gather(session, buffer, from, end);
  if (block === undefined) return NOT_WHOLE;
  const { gate } = session.context.upstream;
  if (gate !== undefined && !gate.isOpen) {
    const { db } = session;
    const keys = block.keys.keys.map((key) => ({ key: Buffer.from(key, 'latin1'), db }));
    const admission = admit(session, gate, keys);
    if (admission === 'wait') return STALLED;
    // One by one each command hears what is wrong with its keys.
    if (admission !== 'go') return NOT_WHOLE;
  }
  if (!aimAtPlace(session, block.place)) return NOT_WHOLE;
  const { shared, isPassing } = session.identity;
  if (isPassing) return NOT_WHOLE;
  // While it is down, every command of the block hears so: were MULTI alone to fail, the others would run outside of it.
  if (shared.isConnecting(session) || !shared.hasRoomFor(session)) return STALLED;
  const slots = [slotFor(session, 'ok'), ...block.rows.map(() => slotFor(session, 'queued'))];
  const exec = slotFor(session, 'exec');
  exec.shape = 'exec';
  exec.queued = block.rows;
  if (block.isSlow) exec.timeoutMs = session.context.options.slowCommandTimeoutMs;
  slots.push(exec);
  // To queue a command needs memory, whatever it does: Redis without any refuses all but EXEC.
  const obstacle = obstacleTo(session, block.rows.length > 0);
  if (obstacle !== undefined) {
    // Refused, it changes nothing that the near-cache knows.
    for (const slot of slots) slot.fail(obstacle);
    return block.end;
  }
  exec.effect = block.keys.effect(session, fenceOf(session));
  const { redirects } = session.context.upstream;
  const calls =
    redirects === undefined
      ? slots
      : new BlockDetour(session, redirects, slots, copyOf(buffer, start, block.end)).calls;
  shared.submitBlock(calls, buffer, start, block.end, session.db);
  session.lastPosition = shared.position;
  for (const policy of block.limits) session.context.rateLimiter?.charge(policy);
  if (exec.effect instanceof BarrierEffect) exec.effect.pingBehind(session.now);
  session.context.stats.commands += block.rows.length + 1;
  session.context.stats.sharedTransactions++;
  return block.end;
}

interface Block {
  rows: Resp2Row[];
  keys: TransactionKeys;
  isSlow: boolean;
  /** Of all its keys. */
  place: number;
  /** The policies whose rate limits its commands fall under, one a command that has any. */
  limits: readonly Policy[];
  end: number;
}

function gather(session: Session, buffer: Buffer, from: number, end: number): Block | undefined {
  const decoder = session.context.lookahead;
  const rows: Resp2Row[] = [];
  const keys = new TransactionKeys();
  const countMax = session.context.options.inFlightMax - session.queue.length - 2;
  const { rateLimiter } = session.context;
  const limits: Policy[] = [];
  const { isSingle } = session.context.upstream;
  let isSlow = false;
  let place = NO_PLACE;
  let at = from;
  decoder.reset();
  while (at < end && rows.length < countMax) {
    if (decoder.next(buffer, at, end) !== REQUEST || decoder.request.buffer !== buffer) break;
    const { request } = decoder;
    const spec = resolve(request);
    if (spec === undefined) break;
    at = decoder.consumedTo;
    if (spec.name === 'exec' && request.argc === 1) {
      return { rows, keys, isSlow, place, limits, end: at };
    }
    if (!canRideShared(spec)) break;
    if (!isSingle) {
      // One by one it hears which command is wrong.
      if (!isPlaced(spec, request)) break;
      const next = placeOf(session, request, spec);
      if (next === SEVERAL_PLACES || (place >= 0 && next >= 0 && next !== place)) break;
      place = Math.max(place, next);
    }
    const limiting = rateLimiter === undefined ? undefined : limitingPolicy(rateLimiter, request);
    if (limiting !== undefined) {
      // One by one each command hears whether it is too much.
      if (rateLimiter?.isOpen(limiting, session.now) !== true) break;
      limits.push(limiting);
    }
    keys.add(request);
    isSlow ||= spec.isSlow;
    rows.push({ shape: shapeOf(spec), argc: request.argc });
  }
  decoder.reset();
  return undefined;
}

/** Does it run where its keys are, all of which it names? */
function isPlaced(spec: CommandSpec, request: Request): boolean {
  const { kind } = spreadOf(spec);
  return kind === 'split' || (kind === 'keys' && !readsUnnamedKeys(spec, request));
}

function slotFor(session: Session, expected: 'ok' | 'queued' | 'exec'): Slot {
  const slot = session.slot();
  slot.expected = expected;
  slot.needsResp2 = session.proto === 2;
  slot.timeoutMs = session.context.options.commandTimeoutMs;
  session.outstanding++;
  return slot;
}
