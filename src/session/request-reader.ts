import { settleRun } from '../base/output-buffer.ts';
import { errorReply } from '../protocol/encoder.ts';
import type { RequestLimits } from '../protocol/limits.ts';
import type { Request } from '../protocol/request.ts';
import { BIG, EMPTY, ERROR, MORE, RequestDecoder } from '../protocol/request-decoder.ts';
import { BigRequestStream } from './big-request-stream.ts';
import { dispatch } from './dispatch.ts';
import { InputBuffer } from './input-buffer.ts';
import { admitByRate, type RateAdmission } from './rate-admission.ts';
import type { Session } from './session.ts';

/** A session's way in: bytes to requests, each dispatched in the order it came.
 *
 *  A request that may not go yet (another link still owes replies, a pinned connection is being opened, too much is in
 *  flight or unread) stalls the reader: its bytes stay in the input buffer, the socket is paused, and it is tried again
 *  when something was answered. So commands always run in the order sent (DESIGN rule 1).
 *  Bounds: the input buffer holds one request below `bigBytes` and one read. */
export class RequestReader {
  /** Something waits to be dispatched again. */
  isStalled = false;
  /** It waits only for the client to read, or for the others to have their turn. */
  isStalledByClient = false;
  #session: Session;
  #decoder: RequestDecoder;
  #input = new InputBuffer();
  #stream: BigRequestStream | undefined;
  /** The request at the head of the input was counted, and has to wait. */
  #isAdmitted = false;
  #isStopped = false;
  #hasEnded = false;

  constructor(session: Session, limits: RequestLimits) {
    this.#session = session;
    this.#decoder = new RequestDecoder(limits);
  }

  /** Strangers have Redis's tight limits. */
  set authenticated(isAuthenticated: boolean) {
    this.#decoder.authenticated = isAuthenticated;
  }

  /** Redis takes the request that is being passed on more slowly than the client sends it. */
  get isFull(): boolean {
    return this.#stream?.isFull === true;
  }

  /** Bytes that wait here. */
  get held(): number {
    return this.#input.length;
  }

  /** Memory that is taken for them, and to find their way through them. Units: bytes. */
  get heldBytes(): number {
    return this.#input.capacity + this.#decoder.request.bounds.byteLength;
  }

  /** A part of a request is here, and the client alone can bring the rest. */
  get isMidRequest(): boolean {
    if (this.#isStopped || this.isStalled) return false;
    return this.#stream === undefined ? this.#input.length > 0 : !this.#stream.isFull;
  }

  received(buffer: Buffer, length: number): void {
    if (this.#isStopped) return;
    if (this.isStalled || this.#input.length > 0) {
      this.#input.append(buffer, 0, length);
      if (this.isStalled) this.#session.regulate();
      else this.#processInput();
      return;
    }
    const used = this.#process(buffer, 0, length);
    if (used < length) this.#input.append(buffer, used, length);
  }

  /** Try again what had to wait. */
  resume(): void {
    this.isStalled = false;
    this.isStalledByClient = false;
    this.#processInput();
    if (this.#hasEnded && !this.isStalled) this.stop();
  }

  /** The client sends no more: whole requests that wait are still taken, one that it broke off is dropped. */
  end(): void {
    this.#hasEnded = true;
    if (!this.isStalled) this.stop();
  }

  /** Take no more requests; what is held is dropped. */
  stop(): void {
    this.#isStopped = true;
    this.isStalled = false;
    this.#stream?.abort();
    this.#stream = undefined;
    this.#input.clear();
  }

  #processInput(): void {
    const { bytes, start, end } = this.#input;
    if (bytes === undefined) return;
    this.#input.consumeTo(this.#process(bytes, start, end));
    // The input buffer moves its bytes when it needs room; nothing may still refer to them.
    settleRun();
  }

  /** Take as many requests as may go now; returns where the rest begins. */
  #process(buffer: Buffer, start: number, end: number): number {
    let at = start;
    while (at < end && !this.#isStopped) {
      if (this.#session.isBehind || this.#session.footprint.hasHadItsTurn) {
        this.isStalledByClient = true;
        return this.#stall(at);
      }
      const next = this.#stream === undefined ? this.#step(buffer, at, end) : this.#skim(buffer, at, end);
      if (next === at) break;
      at = next;
    }
    return this.#isStopped ? end : at;
  }

  /** One request: where the next begins, or `at` itself when nothing can be done now. */
  #step(buffer: Buffer, at: number, end: number): number {
    const decoder = this.#decoder;
    const found = decoder.next(buffer, at, end);
    if (found !== MORE && found !== EMPTY) this.#session.stopWaiting();
    switch (found) {
      case MORE:
        return at;
      case EMPTY:
        return decoder.consumedTo;
      case ERROR:
        return this.#fail(decoder.error, end);
      case BIG: {
        const admission = this.#admit(decoder.request);
        if (admission === 'go') this.#stream = BigRequestStream.begin(this.#session, decoder.request);
        else if (admission === 'refused') this.#stream = BigRequestStream.dropping(this.#session);
        if (this.#stream === undefined) return this.#stall(at);
        this.#isAdmitted = false;
        return this.#skim(buffer, at, end);
      }
      default: {
        const admission = this.#admit(decoder.request);
        if (admission !== 'go') return admission === 'wait' ? this.#stall(at) : decoder.consumedTo;
        const used = dispatch(this.#session, decoder.request, buffer, decoder.consumedTo, end);
        if (used < 0) return this.#stall(at);
        this.#session.taken++;
        this.#isAdmitted = false;
        if (this.#session.lateness.isWaiting) this.#session.lateness.goOn(this.#session.now);
        return used;
      }
    }
  }

  /** May it go as far as rate limits are concerned? A request that stalls is tried again, and counted once. */
  #admit(request: Request): RateAdmission {
    const { rateLimiter } = this.#session.context;
    if (rateLimiter === undefined || this.#isAdmitted) return 'go';
    const admission = admitByRate(this.#session, rateLimiter, request);
    this.#isAdmitted = admission === 'go';
    return admission;
  }

  /** Pass on what belongs to a request that is too large to be collected. */
  #skim(buffer: Buffer, at: number, end: number): number {
    const stream = this.#stream as BigRequestStream;
    const size = this.#decoder.skim(buffer, at, end);
    if (size < 0) return this.#fail(this.#decoder.error, end);
    stream.write(buffer, at, at + size);
    if (this.#decoder.bigDone) {
      stream.finish();
      this.#stream = undefined;
    }
    return at + size;
  }

  #stall(at: number): number {
    this.isStalled = true;
    this.#session.regulate();
    return at;
  }

  /** Redis's words, then the end. */
  #fail(text: string, end: number): number {
    this.#session.context.stats.protocolErrors++;
    this.#session.answer(errorReply(`ERR Protocol error: ${text}`));
    this.#session.endAfterReplies('protocol');
    return end;
  }
}
