import { copyOf } from '../base/copy-of.ts';
import { type ErrorCode, errorLine } from '../base/errors.ts';
import { COLON, DOLLAR, MINUS, PLUS } from '../protocol/bytes.ts';
import { type Resp2Row, toResp2 } from '../protocol/resp2.ts';
import { type Resp2Shape, shapeNeedsConversion } from '../protocol/resp2-shapes.ts';
import { Call, type CallFailure, type FrameFacts } from '../shard/call.ts';
import type { GateWait } from '../route/ring-gate.ts';
import type { Identity } from '../shard/identity.ts';
import type { Detour } from './detour.ts';
import type { ReplyEffect, ReplyPiece } from './effect.ts';
import type { HeldRead } from './held-keys.ts';
import type { ParkedRead } from './parked-read.ts';

/** The reply queue's side of a slot. */
export interface SlotOwner {
  /** The session is gone: replies are discarded. */
  readonly isClosed: boolean;
  /** Commands so far that are no reads. */
  readonly writes: number;
  readonly shardName: string;
  /** Is this slot the oldest one, so that its bytes may leave now? */
  isHead(slot: Slot): boolean;
  /** Bytes of the head's reply. */
  emit(slot: Slot, chunk: Buffer, start: number, end: number): void;
  /** `slot.ready` is set, or the head's last byte was emitted. */
  answered(slot: Slot): void;
  /** The link has nothing more to say to this slot. */
  settled(slot: Slot): void;
  /** Bytes kept for a slot until they have left, or given back. */
  kept(bytes: number): void;
  /** A reply was made here, because Redis gave none. */
  countOwnError(): void;
  /** A command was given up, and the app has been told. */
  timedOut(slot: Slot): void;
  /** Was nothing sent behind it for the same session? */
  isNewest(slot: Slot): boolean;
  /** A reply that cannot be what was asked for. */
  outOfStep(slot: Slot): void;
}

/** What a reply must look like inside a block that rides the shared connection. */
export type Expected = 'any' | 'ok' | 'queued' | 'exec';

/** One request's place in its session's reply queue, and the call whose reply fills it.
 *
 *  The way of a reply: effect (near-cache) → conversion to RESP2 when the session speaks it → out, if every earlier
 *  slot has left; else kept. Whole small frames at the head take the short way without a copy of their own. */
export class Slot extends Call {
  next: Slot | undefined;
  /** What `owner.writes` was when it was made. */
  readonly writesBefore: number;
  readonly owner: SlotOwner;
  /** Where its request went, and as whom. */
  identity: Identity | undefined;
  /** The reply as it goes out, once it is whole and was not streamed. */
  ready: Buffer | undefined;
  /** All its bytes were emitted as they came. */
  isDone = false;
  /** CLIENT REPLY OFF or SKIP: nothing goes out. */
  isSilent = false;
  /** Ready but not to be released: a barrier is under way. */
  isHeld = false;
  /** The reply comes in RESP3 and the session speaks RESP2. */
  needsResp2 = false;
  shape: Resp2Shape = 'plain';
  argc = 0;
  queued: readonly Resp2Row[] | undefined;
  expected: Expected = 'any';
  effect: ReplyEffect | undefined;
  /** How it is sent again, in a Cluster. */
  detour: Detour | undefined;
  /** A hit that waits for its turn: what to look up again then (DESIGN rule 3). */
  parked: ParkedRead | undefined;
  /** It is parked, and its key on the way to another shard. */
  gateWait: GateWait | undefined;
  /** It shares another's read, which may have to be sent again for it: its keys are held until it is answered. */
  held: HeldRead | undefined;
  /** Until when it may wait for another's load: 0 = it has not waited yet, below = it may not again. Units: monotonic ms. */
  waitUntil = 0;
  #parts: Buffer[] | undefined;
  #isStreaming = false;
  /** Its reply, as kept, holds RESP3-only types. */
  hasResp3 = false;

  /** Some bytes of its reply have left, but not all. */
  get isPartlyOut(): boolean {
    return this.#isStreaming && !this.isDone;
  }

  get #shardName(): string {
    return this.identity?.shard.name ?? this.owner.shardName;
  }

  constructor(owner: SlotOwner) {
    super();
    this.owner = owner;
    this.writesBefore = owner.writes;
  }

  reply(chunk: Buffer, start: number, end: number, last: boolean, facts: FrameFacts): void {
    if (!this.hasBegun) {
      if (this.detour !== undefined && facts.type === MINUS && this.detour.takes(this, chunk, start, end))
        return;
      if (last && this.effect === undefined && this.expected === 'any' && !this.hasTimedOut) {
        const isSame = !this.needsResp2 || (!facts.hasResp3 && !shapeNeedsConversion(this.shape));
        if (isSame && this.owner.isHead(this)) {
          this.owner.emit(this, chunk, start, end);
          this.isDone = true;
          this.owner.settled(this);
          this.owner.answered(this);
          return;
        }
      }
      this.#begin(chunk, start, end, last, facts.type);
    }
    if (this.#isStreaming) this.#stream(chunk, start, end, last);
    else this.#gather(chunk, start, end, last, facts);
  }

  fail(failure: CallFailure): void {
    this.owner.countOwnError();
    if (failure.kind === 'timeout') {
      this.#answer(failureLine(failure, this.#shardName, this.timeoutMs));
      this.owner.timedOut(this);
      return;
    }
    if (!this.hasBegun || this.effect?.needsWhole === true) this.effect?.failed();
    const isAnswered = this.hasTimedOut || this.ready !== undefined;
    this.isHeld = false;
    if (!isAnswered) {
      // Half a reply has left already: nothing that follows could be understood.
      if (this.#isStreaming) this.owner.outOfStep(this);
      else this.keep(failureLine(failure, this.#shardName, this.timeoutMs));
    }
    this.owner.settled(this);
    if (!isAnswered) this.owner.answered(this);
  }

  /** Redis never had all of the request: nothing has run, and nothing is answered. */
  breakOff(): void {
    this.isSilent = true;
    this.effect?.brokenOff?.();
    this.effect = undefined;
  }

  /** Answer with bytes made here, already in the session's protocol. */
  answer(bytes: Buffer): void {
    this.#answer(bytes);
  }

  /** Redis takes too long: a frame made here, in RESP3, is the reply, and what still comes is discarded. */
  answerLate(frame: Buffer): void {
    this.#answer(this.#inSessionProtocol(frame, 0, frame.length, true));
    this.owner.timedOut(this);
  }

  /** A frame made here, in RESP3, is the reply: none will come. */
  answerInstead(frame: Buffer): void {
    this.reply(frame, 0, frame.length, true, { type: frame[0] as number, hasResp3: true });
  }

  answerError(code: ErrorCode, fields: Record<string, string | number> = {}): void {
    this.#answer(errorLine(code, fields));
  }

  /** The whole reply is here. Its bytes count against the session until they have left. */
  keep(bytes: Buffer): void {
    this.ready = bytes;
    this.owner.kept(bytes.length);
  }

  /** The barrier has been passed: the reply may leave. */
  release(): void {
    this.isHeld = false;
    if (this.ready !== undefined) this.owner.answered(this);
  }

  #answer(bytes: Buffer): void {
    this.keep(bytes);
    this.owner.answered(this);
  }

  /** First bytes of the reply. */
  #begin(chunk: Buffer, start: number, end: number, last: boolean, type: number): void {
    this.hasBegun = true;
    if (this.effect !== undefined && !this.effect.needsWhole)
      this.effect.replied(asPiece(chunk, start, end, last, type), this);
    if (!this.#fits(chunk, start, end, type)) this.owner.outOfStep(this);
    const isScalar = type === DOLLAR || type === PLUS || type === MINUS || type === COLON;
    const mustGather = this.effect?.needsWhole === true || (this.needsResp2 && !isScalar) || this.isHeld;
    this.#isStreaming = !last && !mustGather && !this.hasTimedOut && this.owner.isHead(this);
  }

  #fits(chunk: Buffer, start: number, end: number, type: number): boolean {
    switch (this.expected) {
      case 'ok':
        return type === PLUS;
      case 'queued':
        // Cut behind its first byte it cannot be told yet; the rest is small.
        return type === MINUS || (type === PLUS && (start + 1 >= end || chunk[start + 1] === LETTER_Q));
      case 'exec':
        return type !== PLUS;
      case 'any':
        return true;
    }
  }

  #stream(chunk: Buffer, start: number, end: number, last: boolean): void {
    if (!this.hasTimedOut) this.owner.emit(this, chunk, start, end);
    if (!last) return;
    this.isDone = true;
    this.owner.settled(this);
    this.owner.answered(this);
  }

  #gather(chunk: Buffer, start: number, end: number, last: boolean, facts: FrameFacts): void {
    const isWanted = !this.hasTimedOut && !this.owner.isClosed;
    if (!last) {
      if (!isWanted && this.effect?.needsWhole !== true) return;
      this.#parts ??= [];
      this.#parts.push(copyOf(chunk, start, end));
      this.owner.kept(end - start);
      return;
    }
    let frame = chunk;
    let from = start;
    let to = end;
    if (this.#parts !== undefined) {
      this.#parts.push(copyOf(chunk, start, end));
      frame = Buffer.concat(this.#parts);
      this.owner.kept(end - start - frame.length);
      this.#parts = undefined;
      from = 0;
      to = frame.length;
    }
    if (this.effect?.needsWhole === true)
      this.effect.replied(asPiece(frame, from, to, true, facts.type), this);
    this.hasResp3 = facts.hasResp3;
    if (isWanted) this.keep(this.#inSessionProtocol(frame, from, to, facts.hasResp3));
    this.owner.settled(this);
    if (isWanted && !this.isHeld) this.owner.answered(this);
  }

  #inSessionProtocol(frame: Buffer, start: number, end: number, hasResp3: boolean): Buffer {
    if (!this.needsResp2 || (!hasResp3 && !shapeNeedsConversion(this.shape))) {
      return copyOf(frame, start, end);
    }
    return toResp2(frame, start, end, {
      shape: this.shape,
      argc: this.argc,
      inExec: false,
      queued: this.queued,
    });
  }
}

const LETTER_Q = 0x51;
const piece: ReplyPiece = { chunk: Buffer.alloc(0), start: 0, end: 0, last: false, type: 0 };

/** Fills the one piece there is: it is read within the call. */
function asPiece(chunk: Buffer, start: number, end: number, last: boolean, type: number): ReplyPiece {
  piece.chunk = chunk;
  piece.start = start;
  piece.end = end;
  piece.last = last;
  piece.type = type;
  return piece;
}

/** The reply to a call that got none. */
export function failureLine(failure: CallFailure, shard: string, timeoutMs: number): Buffer {
  switch (failure.kind) {
    case 'refused': {
      // Redis wants a password that nobody has given yet: its own words, since clients match them.
      if (failure.reason.startsWith('NOAUTH')) return errorLine('NOAUTH');
      return errorLine('SHARD_REFUSED', { shard, reason: failure.reason });
    }
    case 'busy':
      return errorLine('SHARD_BUSY', { shard, count: failure.reason });
    case 'unsent':
      return errorLine('SHARD_UNREACHABLE', { shard, reason: failure.reason });
    case 'open':
      return errorLine('SHARD_AWAY', { shard, reason: failure.reason });
    case 'queue':
      return errorLine('QUEUE_TIMEOUT', { shard, ms: failure.reason });
    case 'timeout':
      return errorLine('SHARD_TIMEOUT', { shard, ms: timeoutMs });
    case 'lost':
      return errorLine('SHARD_LOST', { shard, reason: failure.reason });
  }
}
