import type { Clock } from '../base/clock.ts';
import type { Flight } from '../cache/flight.ts';
import type { NearCache } from '../cache/near-cache.ts';
import type { CallFailure, FrameFacts } from '../shard/call.ts';
import { ReadCall } from './read-call.ts';

/** A GET of nearcache's own that may fill: the whole reply frame goes to one callback. */
export class ValueRead extends ReadCall {
  #parts: Buffer[] = [];
  readonly #done: (reply: Buffer | undefined, failure: CallFailure | undefined) => void;

  constructor(
    of: { cache: NearCache; flight: Flight; clock: Clock },
    done: (reply: Buffer | undefined, failure: CallFailure | undefined) => void,
  ) {
    super(of.cache, of.flight, 'plain', of.clock);
    this.#done = done;
  }

  override fail(failure: CallFailure): void {
    super.fail(failure);
    if (!this.hasTimedOut) this.#done(undefined, failure);
  }

  protected override tellAll(
    chunk: Buffer,
    start: number,
    end: number,
    last: boolean,
    _facts: FrameFacts,
  ): void {
    if (this.hasTimedOut) return;
    this.#parts.push(Buffer.from(chunk.subarray(start, end)));
    if (last) this.#done(Buffer.concat(this.#parts), undefined);
  }
}
