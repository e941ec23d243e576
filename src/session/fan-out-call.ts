import { Call, type CallFailure, type FrameFacts } from '../shard/call.ts';
import type { Request } from '../protocol/request.ts';
import type { SharedConnection } from '../shard/shared-connection.ts';
import type { Slot } from './slot.ts';

/** How to ask the same again. `request` is a copy. */
export interface Again {
  readonly request: Request;
  readonly shared: SharedConnection;
  readonly db: number;
}

/** A call that answers everybody who waits for the same. It belongs to no session, so that whoever leaves cancels
 *  nothing (coherence spec R4). */
export class FanOutCall extends Call {
  readonly waiters: Slot[] = [];
  /** Set with the first who joins. */
  again: Again | undefined;

  get isJoined(): boolean {
    return this.again !== undefined;
  }

  reply(chunk: Buffer, start: number, end: number, last: boolean, facts: FrameFacts): void {
    this.hasBegun = true;
    this.tellAll(chunk, start, end, last, facts);
  }

  fail(failure: CallFailure): void {
    const isLate = failure.kind === 'timeout';
    // Who was told of a time-out hears nothing more.
    const frame = this.hasTimedOut || !isAway(failure) ? undefined : this.insteadOf();
    for (const slot of this.waiters) {
      // Who has the beginning of a reply cannot be given another.
      if (frame === undefined || slot.hasBegun) slot.fail(failure);
      else if (isLate) slot.answerLate(frame);
      else slot.answerInstead(frame);
      // As a connection does with its own calls: what still comes is discarded (DESIGN rule 9).
      if (isLate) slot.hasTimedOut = true;
    }
  }

  /** What the waiters get in RESP3 rather than that the shard is away, if there is something. */
  insteadOf(): Buffer | undefined {
    return undefined;
  }

  /** Whoever asked when a key's time may have been over does not hear what it was (coherence spec I5): they are read for again. Call
   *  before the first `tellAll`. Units: monotonic ms. */
  protected dismissLate(validUntil: number): void {
    const { again } = this;
    const isLate = (slot: Slot): boolean => slot.sentAt > validUntil && !slot.hasTimedOut;
    if (again === undefined || !this.waiters.some(isLate)) return;
    const late = this.waiters.filter(isLate);
    const inTime = this.waiters.filter((slot) => !isLate(slot));
    this.waiters.splice(0, this.waiters.length, ...inTime);
    const call = new FanOutCall();
    call.waiters.push(...late);
    call.sentAt = Math.max(...late.map((slot) => slot.sentAt));
    call.timeoutMs = this.timeoutMs;
    const { request, shared, db } = again;
    shared.submit(call, request.buffer, request.start, request.end, db);
  }

  protected tellAll(chunk: Buffer, start: number, end: number, last: boolean, facts: FrameFacts): void {
    for (const slot of this.waiters) slot.reply(chunk, start, end, last, facts);
  }
}

/** One that is there, and busy or unwilling, says so itself. */
function isAway({ kind }: CallFailure): boolean {
  return kind !== 'busy' && kind !== 'refused';
}
