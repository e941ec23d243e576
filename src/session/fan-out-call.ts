import { Call, type CallFailure, type FrameFacts } from '../shard/call.ts';
import type { Slot } from './slot.ts';

/** A call that answers everybody who waits for the same. It belongs to no session, so that whoever leaves cancels
 *  nothing (coherence spec R4). */
export class FanOutCall extends Call {
  readonly waiters: Slot[] = [];
  readonly #whenOver: () => void;

  /** `whenOver` runs when all who wait have been answered. */
  constructor(whenOver: () => void = () => undefined) {
    super();
    this.#whenOver = whenOver;
  }

  reply(chunk: Buffer, start: number, end: number, last: boolean, facts: FrameFacts): void {
    this.hasBegun = true;
    this.tellAll(chunk, start, end, last, facts);
    if (last) this.#whenOver();
  }

  fail(failure: CallFailure): void {
    for (const slot of this.waiters) {
      slot.fail(failure);
      // As a connection does with its own calls: what still comes is discarded (DESIGN rule 9).
      if (failure.kind === 'timeout') slot.hasTimedOut = true;
    }
    if (failure.kind !== 'timeout') this.#whenOver();
  }

  protected tellAll(chunk: Buffer, start: number, end: number, last: boolean, facts: FrameFacts): void {
    for (const slot of this.waiters) slot.reply(chunk, start, end, last, facts);
  }
}
