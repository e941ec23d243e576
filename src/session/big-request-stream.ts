import { resolve } from '../command/table.ts';
import type { Request } from '../protocol/request.ts';
import type { PinnedConnection } from '../shard/pinned-connection.ts';
import { mustAuthenticate } from './authentication.ts';
import { unknownKeys } from './cache-effects.ts';
import { aimBig } from './over-shards.ts';
import type { Session } from './session.ts';
import type { Slot } from './slot.ts';

/** A request above `bigValueBytes` on its way: its bytes go straight to a pinned connection as they come, so that it is
 *  never held here whole and nothing on the shared connection waits for it (DESIGN rule 6).
 *  Bounds: what Redis has not taken is at most one read over `bigBytes`; then the client is not read. */
export class BigRequestStream {
  #session: Session;
  /** undefined: the request was refused and its bytes are dropped. */
  #pinned: PinnedConnection | undefined;
  /** undefined also while a stream is relayed: what comes answers nothing in particular. */
  #slot: Slot | undefined;

  private constructor(session: Session, pinned?: PinnedConnection, slot?: Slot) {
    this.#session = session;
    this.#pinned = pinned;
    this.#slot = slot;
  }

  /** Start to pass on a request of which `request` is the beginning. undefined = it has to wait. */
  static begin(session: Session, request: Request): BigRequestStream | undefined {
    const spec = request.argc === 0 ? undefined : resolve(request);
    if (mustAuthenticate(session)) {
      session.answerError('NOAUTH');
      return BigRequestStream.dropping(session);
    }
    if (session.context.isLoading === true) {
      session.answerError('LOADING');
      return BigRequestStream.dropping(session);
    }
    const isOwn = spec?.place === 'session' && spec.name !== 'ping' && spec.name !== 'echo';
    const isForbidden = isOwn || spec?.place === 'subscribe' || spec?.place === 'refused';
    if (spec !== undefined && (isForbidden || session.subscription.isExclusive)) {
      session.answerError('TOO_BIG_HERE', {
        command: spec.name,
        bytes: session.context.options.requests.bigBytes,
      });
      return BigRequestStream.dropping(session);
    }
    // A request that is broken off takes its connection along, and nobody else's reply may go with it.
    if (session.outstanding > 0 || session.pin.sticky.relay?.isLeaving === true) return undefined;
    const way = aimBig(session, request, spec);
    if (way !== 'here') return way === 'wait' ? undefined : BigRequestStream.dropping(session);
    const pinned = session.pin.take();
    if (pinned === undefined) return undefined;
    if (pinned === 'failed') return BigRequestStream.dropping(session);
    session.context.stats.streamedRequests++;
    session.context.stats.commands++;
    if (session.pin.sticky.relay !== undefined) return new BigRequestStream(session, pinned);
    const isQueued = session.pin.sticky.noteStreamed(pinned);
    const slot = session.slot();
    const { cache } = session.context;
    // Its keys may come after the large argument: nobody knows them yet.
    if (cache !== undefined && !isQueued) slot.effect = unknownKeys(session, cache, []);
    session.outstanding++;
    slot.timeoutMs = session.context.options.slowCommandTimeoutMs;
    pinned.connection.expect(slot);
    return new BigRequestStream(session, pinned, slot);
  }

  /** A request that was refused: its bytes are dropped. */
  static dropping(session: Session): BigRequestStream {
    return new BigRequestStream(session);
  }

  /** Has Redis a backlog, so that the client should not be read? */
  get isFull(): boolean {
    const { bigBytes } = this.#session.context.options.requests;
    return this.#pinned !== undefined && !this.#pinned.isGone && this.#pinned.connection.backlog > bigBytes;
  }

  write(buffer: Buffer, start: number, end: number): void {
    if (this.#pinned === undefined || this.#pinned.isGone) return;
    // The time-out counts from the last progress, of the client and of Redis.
    if (this.#slot !== undefined) this.#slot.sentAt = this.#session.now;
    this.#pinned.connection.write(buffer, start, end);
    if (this.isFull) this.#session.regulate();
  }

  /** All of it has been passed on: from now on Redis owes the reply. */
  finish(): void {
    this.#pinned = undefined;
  }

  /** The client broke off in the middle: no request was made, so none is answered, and the connection is of no use to
   *  anyone. */
  abort(): void {
    if (this.#pinned === undefined) return;
    this.#pinned = undefined;
    this.#slot?.breakOff();
    this.#session.pin.abandon('its session broke off inside a request');
  }
}
