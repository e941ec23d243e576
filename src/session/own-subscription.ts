import { Fifo } from '../base/fifo.ts';
import type { CommandSpec } from '../command/spec.ts';
import { ASTERISK, DOLLAR, MINUS } from '../protocol/bytes.ts';
import { encodeRequest, errorReply } from '../protocol/encoder.ts';
import type { Request } from '../protocol/request.ts';
import { parseRedirect } from '../route/redirect.ts';
import type { PinnedConnection, PinnedHolder } from '../shard/pinned-connection.ts';
import { MESSAGE_KINDS, readPubSubFrame, SUBSCRIBE_VERBS } from '../shard/pubsub-frame.ts';
import { PinnedHold } from './pinned-hold.ts';
import { aimAtShard } from './placement.ts';
import type { Session } from './session.ts';
import type { Slot } from './slot.ts';
import { WholeFrame } from './whole-frame.ts';

/** Where a RESP2 connection gets the invalidations that are redirected to it. */
const INVALIDATIONS = '__redis__:invalidate';
/** Before a connection that could not be opened is asked for again. */
const RETRY_MS = 100;

/** Does the connection answer as a subscribed RESP2 connection does? */
type Mode = 'no' | 'entering' | 'yes' | 'refused';

interface Ask {
  /** undefined: it is the command that enters pub/sub mode. */
  slot: Slot | undefined;
  /** The command's name as Redis would say it. */
  name: string;
  /** Ends the wait for an answer. */
  cancel: () => void;
}

/** A pinned connection in pub/sub mode for the two things that the connection shared by all subscribers cannot stand in
 *  for: to be where the invalidations of another session's CLIENT TRACKING … REDIRECT arrive, and to hear what Redis says to
 *  the commands that it refuses a subscribed RESP2 connection. Messages that come here, too, are dropped. */
export class OwnSubscription implements PinnedHolder {
  readonly #session: Session;
  readonly #hold: PinnedHold;
  readonly #coming: WholeFrame;
  #mode: Mode = 'no';
  #asks = new Fifo<Ask>();
  /** Kept open: tracking of another session is redirected here. */
  #isReserved = false;
  #whenReady: (() => void)[] = [];

  constructor(session: Session) {
    this.#session = session;
    this.#hold = new PinnedHold(session, this);
    this.#coming = new WholeFrame(session);
  }

  /** Does it hold a connection, in the session's present protocol version? */
  get isOpen(): boolean {
    return this.#hold.connection !== undefined;
  }

  /** The client id of this connection at Redis, opened if need be; undefined while it opens, then `whenReady` is called. */
  reserve(whenReady: () => void): number | undefined {
    this.#isReserved = true;
    // One that rests in the pool is there at once.
    if (this.#hold.connection === undefined) this.#open();
    const { connection } = this.#hold;
    if (connection !== undefined && this.#mode !== 'entering') {
      if (this.#session.proto === 3 || this.#mode !== 'no') return connection.clientId;
      this.#enter(connection, ['SUBSCRIBE', INVALIDATIONS]);
    }
    this.#whenReady.push(whenReady);
    return undefined;
  }

  /** Let Redis refuse a command. `how` subscribes to something that the session's user may hear: else the command would
   *  run. False when it has to wait. */
  refuse(request: Request, spec: CommandSpec | undefined, how: () => readonly (string | Buffer)[]): boolean {
    // Any shard says it.
    const { home } = this.#session.context.upstream;
    aimAtShard(this.#session, (this.isOpen ? this.#hold.shard : undefined) ?? home);
    if (this.#hold.connection === undefined) this.#open();
    const connection = this.#hold.take();
    if (connection === undefined) return false;
    if (connection === 'failed') return true;
    if (this.#mode === 'no') this.#enter(connection, how());
    if (this.#mode === 'entering') return false;
    if (this.#mode === 'yes') this.#ask(connection, request, nameOf(request, spec));
    else this.#session.answer(refusalOf(nameOf(request, spec)));
    // The next one tries again.
    if (this.#mode === 'refused') this.#mode = 'no';
    this.#restUnlessNeeded();
    return true;
  }

  release(): void {
    this.#isReserved = false;
    this.#coming.clear();
    for (let ask = this.#asks.shift(); ask !== undefined; ask = this.#asks.shift()) ask.cancel();
    this.#mode = 'no';
    this.#hold.release(false);
  }

  // --- PinnedHolder --------------------------------------------------------------------------------------------

  pinnedFrame(chunk: Buffer, start: number, end: number, last: boolean): void {
    const frame = this.#coming.add(chunk, start, end, last);
    if (frame !== undefined) this.#frame(frame, 0, frame.length);
  }

  pinnedLost(reason: string): void {
    this.#hold.lost();
    this.#mode = 'no';
    for (let ask = this.#asks.shift(); ask !== undefined; ask = this.#asks.shift()) {
      ask.cancel();
      ask.slot?.fail({ kind: 'lost', reason });
    }
    if (this.#isReserved) this.#session.close('upstream', `its subscription connection was lost: ${reason}`);
    this.#session.wake();
  }

  pinnedDrained(): void {
    this.#session.wake();
    this.#session.regulate();
  }

  // --- inside --------------------------------------------------------------------------------------------------

  #open(): void {
    this.#hold.open(() => {
      const { connection } = this.#hold;
      if (connection !== undefined) connection.connection.takesAll = true;
      // Whoever waits will ask again at once: not while Redis is known to be away.
      if (connection !== undefined) this.#tellReady();
      else this.#session.context.clock.after(RETRY_MS, () => this.#tellReady());
    });
  }

  #tellReady(): void {
    for (const call of this.#whenReady.splice(0)) call();
  }

  #enter(pinned: PinnedConnection, how: readonly (string | Buffer)[]): void {
    this.#mode = 'entering';
    const bytes = encodeRequest(how);
    this.#send(pinned, { slot: undefined, name: '' }, bytes, 0, bytes.length);
  }

  #entered(mode: 'yes' | 'refused'): void {
    this.#mode = mode;
    this.#tellReady();
    this.#session.wake();
  }

  #ask(pinned: PinnedConnection, request: Request, name: string): void {
    const slot = this.#session.slot();
    this.#session.outstanding++;
    this.#send(pinned, { slot, name }, request.buffer, request.start, request.end);
  }

  #send(pinned: PinnedConnection, ask: Omit<Ask, 'cancel'>, bytes: Buffer, start: number, end: number): void {
    const { clock, options } = this.#session.context;
    const cancel = clock.after(options.commandTimeoutMs, () =>
      pinned.destroy('no answer to a command of a subscribed session'),
    );
    this.#asks.push({ ...ask, cancel });
    pinned.connection.write(bytes, start, end);
  }

  #restUnlessNeeded(): void {
    if (!this.#isReserved && this.#asks.length === 0 && this.#mode !== 'entering') this.release();
  }

  #frame(frame: Buffer, start: number, end: number): void {
    const read = readPubSubFrame(frame, start, end);
    if (read?.word === 'invalidate') return this.#session.push(frame, start, end, true);
    if (read !== undefined && MESSAGE_KINDS.has(read.word)) {
      const isForSession = isInvalidation(frame, read) && this.#session.subscription.count > 0;
      if (isForSession) this.#session.push(frame, start, end, true);
    } else {
      this.#answered(frame, start, end, read !== undefined && SUBSCRIBE_VERBS.has(read.word));
    }
  }

  #answered(frame: Buffer, start: number, end: number, isConfirmation: boolean): void {
    const ask = this.#asks.shift();
    if (ask === undefined) return;
    ask.cancel();
    if (ask.slot === undefined) return this.#entered(isConfirmation ? 'yes' : 'refused');
    // A node of a Cluster says first where the command's keys are, and would refuse it there.
    const isRedirect = parseRedirect(frame, start, end) !== undefined;
    const answer = isRedirect ? refusalOf(ask.name) : frame.subarray(start, end);
    ask.slot.reply(answer, 0, answer.length, true, { type: answer[0] as number, hasResp3: false });
    this.#restUnlessNeeded();
  }
}

/** What Redis makes of an invalidation has keys, or nothing, where a published message has bytes. */
function isInvalidation(
  frame: Buffer,
  { word, name, next }: { word: string; name: string; next: number },
): boolean {
  if (word !== 'message' || name !== INVALIDATIONS) return false;
  return frame[next] === ASTERISK || (frame[next] === DOLLAR && frame[next + 1] === MINUS);
}

/** As well as it can be said without Redis. Source: Redis 7.0.15, server.c, processCommand. */
function refusalOf(name: string): Buffer {
  return errorReply(
    `ERR Can't execute '${name}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context`,
  );
}

function nameOf(request: Request, spec: CommandSpec | undefined): string {
  return spec?.name ?? request.argLatin1(0).toLowerCase();
}
