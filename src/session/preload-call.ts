import type { Clock } from '../base/clock.ts';
import type { Flight } from '../cache/flight.ts';
import type { NearCache } from '../cache/near-cache.ts';
import { MINUS } from '../protocol/bytes.ts';
import type { Resp2Shape } from '../protocol/resp2-shapes.ts';
import type { CallFailure, FrameFacts } from '../shard/call.ts';
import { ReadCall } from './read-call.ts';

/** Errors that concern only this key: it holds something else by now, or is elsewhere. */
const OF_THE_KEY = /^-(WRONGTYPE|MOVED|ASK|TRYAGAIN) /;

/** A read that nobody asked for. Whoever asks for the same meanwhile may join it. */
export class PreloadCall extends ReadCall {
  readonly #ended: (isRefused: boolean) => void;
  #hasEnded = false;

  /** `ended`: it was answered or failed; refused = with an error that the next read will probably get too. */
  constructor(
    cache: NearCache,
    flight: Flight,
    of: { shape: Resp2Shape; clock: Clock },
    ended: (isRefused: boolean) => void,
  ) {
    super(cache, flight, of.shape, of.clock);
    this.#ended = ended;
  }

  override reply(chunk: Buffer, start: number, end: number, last: boolean, facts: FrameFacts): void {
    super.reply(chunk, start, end, last, facts);
    if (last) this.#end(facts.type === MINUS && !OF_THE_KEY.test(chunk.latin1Slice(start, end)));
  }

  override fail(failure: CallFailure): void {
    super.fail(failure);
    this.#end(false);
  }

  #end(isRefused: boolean): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#ended(isRefused);
  }
}
