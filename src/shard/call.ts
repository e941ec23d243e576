/** What is known of a reply frame: its first byte, and (complete with its last byte) whether it holds RESP3-only types. */
export interface FrameFacts {
  readonly type: number;
  readonly hasResp3: boolean;
}

/** Why a call got no reply. unsent = Redis never saw it; lost = the connection died with it outstanding; timeout = no
 *  reply in time, but one may still come and is then discarded; refused = Redis refused the connection's handshake; busy = too much is in flight (reason = the limit);
 *  open = the circuit breaker is open; queue = Redis took no more for too long (reason = ms). */
export interface CallFailure {
  kind: 'unsent' | 'lost' | 'timeout' | 'refused' | 'busy' | 'open' | 'queue';
  /** In words, for the reply. */
  reason: string;
  /** Redis's own error line, when the handshake was refused. */
  refusal?: Buffer | undefined;
}

/** One expected reply on a connection. Replies come in the order of the calls, so a call keeps its place even after
 *  it was given up (DESIGN rule 9).
 *  Units: milliseconds of the monotonic clock. Bounds: `timeoutMs` 0 = none. */
export abstract class Call {
  sentAt = 0;
  timeoutMs = 0;
  hasTimedOut = false;
  /** The first bytes of its reply have come: it is slow perhaps, but not unanswered. */
  hasBegun = false;

  /** chunk[start, end) belongs to this call's reply frame; `last` when the frame ends there. The bytes are valid only
   *  during the call. */
  abstract reply(chunk: Buffer, start: number, end: number, last: boolean, facts: FrameFacts): void;

  /** No reply. After 'timeout' a `reply` (to be discarded) or a `fail` still follows; after the others nothing does. */
  abstract fail(failure: CallFailure): void;
}

/** A call of nearcache's own: the whole reply frame goes to one callback. Bounds: for small replies only. */
export class OwnCall extends Call {
  #parts: Buffer[] = [];
  #done: (reply: Buffer | undefined, failure: CallFailure | undefined) => void;

  constructor(done: (reply: Buffer | undefined, failure: CallFailure | undefined) => void, timeoutMs = 0) {
    super();
    this.#done = done;
    this.timeoutMs = timeoutMs;
  }

  reply(chunk: Buffer, start: number, end: number, last: boolean): void {
    if (this.hasTimedOut) return;
    this.#parts.push(Buffer.from(chunk.subarray(start, end)));
    if (last) this.#done(this.#parts.length === 1 ? this.#parts[0] : Buffer.concat(this.#parts), undefined);
  }

  fail(failure: CallFailure): void {
    if (this.hasTimedOut && failure.kind !== 'timeout') return;
    this.#done(undefined, failure);
  }
}
