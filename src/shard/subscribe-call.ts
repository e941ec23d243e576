import { Call, type CallFailure } from './call.ts';
import type { SubscribeVerb } from './pubsub-frame.ts';

/** Runs once: with Redis's error line when it refused, with a failure when there was no answer, with neither when all is confirmed. */
export type SubscribeDone = (refusal: Buffer | undefined, failure: CallFailure | undefined) => void;

/** One command of the subscribe family on its way. It is answered by one push for each name, or by one error.
 *  Shape: `names` as sent, latin1. */
export class SubscribeCall extends Call {
  readonly verb: SubscribeVerb;
  readonly names: readonly string[];
  /** Confirmations still to come. */
  left: number;
  readonly #done: SubscribeDone;
  #isOver = false;
  #parts: Buffer[] = [];

  constructor(verb: SubscribeVerb, names: readonly string[], timeoutMs: number, done: SubscribeDone) {
    super();
    this.verb = verb;
    this.names = names;
    this.left = names.length;
    this.timeoutMs = timeoutMs;
    this.#done = done;
  }

  /** May a confirmation of `word` that names `name` be this call's? Redis also ends the shard channels of a slot that moves,
   *  unasked. */
  expects(word: string, name: string): boolean {
    if (word !== this.verb.word) return false;
    return word !== 'sunsubscribe' || this.names[this.names.length - this.left] === name;
  }

  /** The last confirmation has come. */
  confirmed(): void {
    this.#finish(undefined, undefined);
  }

  reply(chunk: Buffer, start: number, end: number, last: boolean): void {
    this.#parts.push(Buffer.from(chunk.subarray(start, end)));
    if (last) this.#finish(Buffer.concat(this.#parts), undefined);
  }

  fail(failure: CallFailure): void {
    this.#finish(undefined, failure);
  }

  #finish(refusal: Buffer | undefined, failure: CallFailure | undefined): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#done(refusal, failure);
  }
}
