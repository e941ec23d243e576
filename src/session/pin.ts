import { blockingTimeoutMs, mayBlock } from '../command/keys.ts';
import type { CommandSpec } from '../command/spec.ts';
import { MINUS } from '../protocol/bytes.ts';
import { encodeRequest } from '../protocol/encoder.ts';
import type { Request } from '../protocol/request.ts';
import { type CallFailure, OwnCall } from '../shard/call.ts';
import type { PinnedConnection, PinnedHolder } from '../shard/pinned-connection.ts';
import type { PinnedPool } from '../shard/pinned-pool.ts';
import { type ReplyEffect, whenReplied } from './effect.ts';
import { answerLocally } from './local-commands.ts';
import { pinnedEffect } from './pinned-effect.ts';
import { redirectToUpstream } from './redirect.ts';
import type { Session } from './session.ts';
import { failureLine, type Slot } from './slot.ts';
import { TransactionKeys } from './transaction.ts';

const PING = encodeRequest(['PING']);

/** CLIENT subcommands that speak of the tracking state of the pinned connection itself. */
const TRACKING_COMMANDS: ReadonlySet<string> = new Set([
  'client|tracking',
  'client|caching',
  'client|getredir',
  'client|trackinginfo',
]);

/** A session's pinned connection: taken when a command needs it, kept while state lives on it, given back after.
 *
 *  States (any may hold at once): in a transaction that did not arrive whole, watching keys, tracking for the app,
 *  relaying a stream (MONITOR), or left in a state that cannot be followed (opaque). While one holds the session is
 *  sticky: all its commands run here, in order (DESIGN §2). */
export class Pin implements PinnedHolder {
  connection: PinnedConnection | undefined;
  #session: Session;
  #transaction: TransactionKeys | undefined;
  #isWatching = false;
  #isTracking = false;
  #isOpaque = false;
  /** Every frame goes to the session as it comes, and every request to Redis: MONITOR, or SUBSCRIBE inside MULTI. */
  #isRelay = false;
  /** The transaction subscribes: once it has run, frames come that answer nothing. */
  #relaysAfterExec = false;
  /** Commands left something behind that only RESET removes. */
  #isDirty = false;
  /** Commands that may block, sent and not known to be answered. */
  #blocking = 0;
  /** Where the connection came from; the session may be another user by now. */
  #pool: PinnedPool | undefined;
  /** It was authenticated as another user: of no use to its pool. */
  #isForeign = false;
  #isOpening = false;
  #failure: CallFailure | undefined;

  constructor(session: Session) {
    this.#session = session;
  }

  get isSticky(): boolean {
    return (
      this.#transaction !== undefined ||
      this.#isWatching ||
      this.#isTracking ||
      this.#isOpaque ||
      this.#isRelay
    );
  }

  /** A blocking command is outstanding: an element it pops must not be lost in a cleaned connection (DESIGN rule 4). */
  get isBlocking(): boolean {
    return this.#blocking > 0;
  }

  /** Run one command that must have a connection of its own. False when it has to wait. */
  runOnce(request: Request, spec: CommandSpec | undefined): boolean {
    const pinned = this.take();
    if (pinned === undefined) return false;
    if (pinned === 'failed') return true;
    if (spec === undefined) this.#isDirty = true;
    this.#send(pinned, request, spec);
    return true;
  }

  /** Run a command that leaves state on the connection: MULTI, WATCH, MONITOR, CLIENT TRACKING, ASKING … */
  begin(request: Request, spec: CommandSpec): boolean {
    const pinned = this.take();
    if (pinned === undefined) return false;
    if (pinned === 'failed') return true;
    switch (spec.name) {
      case 'multi':
        return this.#beginTransaction(pinned, request, spec);
      case 'watch':
        this.#isWatching = true;
        break;
      case 'client|tracking':
        return this.#track(pinned, request, spec);
      case 'monitor':
        return this.#monitor(pinned, request, spec);
      default:
        this.#isOpaque = true;
        this.#isDirty = true;
    }
    this.#send(pinned, request, spec);
    return true;
  }

  /** Run the next command of a sticky session. False when it has to wait. */
  runSticky(request: Request, spec: CommandSpec | undefined): boolean {
    const isReset = spec?.name === 'reset' && request.argc === 1;
    if (isReset || spec?.name === 'quit') return answerLocally(this.#session, request, spec);
    if (!this.#session.mayUse('pinned')) return this.#runApart(request, spec);
    const pinned = this.take();
    if (pinned === undefined) return false;
    if (pinned === 'failed') return true;
    if (this.#isRelay) {
      // Refused, it would leave this request without anyone to answer.
      if (!pinned.connection.takesAll) return false;
      // Whatever it changes, nobody counts the replies that would say when.
      this.#session.context.shard.cache?.flush();
      pinned.connection.write(request.buffer, request.start, request.end);
      return true;
    }
    if (this.#transaction !== undefined) return this.#queueOrEnd(pinned, this.#transaction, request, spec);
    return this.#runOutside(pinned, request, spec);
  }

  /** The connection, taken if necessary. undefined = being opened, wait; 'failed' = the request was answered with why. */
  take(): PinnedConnection | 'failed' | undefined {
    const session = this.#session;
    if (!session.mayUse('pinned')) return undefined;
    if (this.connection !== undefined) return this.connection;
    if (!this.#isOpening && this.#failure === undefined) this.#open();
    if (this.connection !== undefined) return this.connection;
    if (this.#failure === undefined) return undefined;
    const failure = this.#failure;
    this.#failure = undefined;
    session.context.stats.ownErrors++;
    session.answer(failureLine(failure, session.shardName, 0));
    return 'failed';
  }

  /** The session has no unanswered commands: let go of the connection when nothing lives on it. */
  idle(): void {
    this.#blocking = 0;
    if (!this.isSticky) this.release();
  }

  /** Give the connection back. */
  release(): void {
    const { connection } = this;
    if (connection === undefined) return;
    this.connection = undefined;
    if (this.#isForeign) connection.destroy('it changed its user');
    else this.#pool?.release(connection, !this.#isDirty && !this.isSticky);
    this.#forget();
  }

  sessionClosed(): void {
    if (this.#blocking > 0) this.connection?.destroy('its session closed while a command was blocking');
    this.release();
  }

  /** Database, protocol or name of the session have changed while it is sticky: let the connection follow. */
  follow(): void {
    const { proto, db, name } = this.#session;
    const { connection } = this;
    if (connection === undefined) return;
    connection.idleSince = Number.POSITIVE_INFINITY;
    connection.prepare({ proto, db, name }, (failure) => {
      if (failure !== undefined) connection.destroy(failure.reason);
    });
  }

  /** The session has become another user: what lives on the connection stays, and goes on as that user. */
  reauthenticate(auth: Buffer): void {
    const { connection } = this;
    if (connection === undefined) return;
    this.#isForeign = true;
    const call = new OwnCall((reply) => {
      if (reply?.[0] === MINUS) connection.destroy('AUTH was refused on the pinned connection');
    });
    connection.submit(call, auth, 0, auth.length);
  }

  /** A request went by in pieces: its keys are unknown to a transaction that it may be part of. True when it is. */
  noteStreamed(): boolean {
    if (this.#transaction === undefined) return false;
    this.#transaction.isUnknown = true;
    return true;
  }

  /** For CLIENT UNBLOCK: this connection's id at Redis while a command blocks on it. */
  get blockedClientId(): number | undefined {
    return this.isBlocking ? this.connection?.clientId : undefined;
  }

  // --- PinnedHolder --------------------------------------------------------------------------------------------

  pinnedFrame(chunk: Buffer, start: number, end: number): void {
    this.#session.push(chunk, start, end);
  }

  pinnedLost(reason: string): void {
    this.connection = undefined;
    const hadState = this.isSticky;
    this.#forget();
    if (hadState) this.#session.close('upstream', `its pinned connection was lost: ${reason}`);
  }

  pinnedDrained(): void {
    this.#session.regulate();
  }

  // --- sending -------------------------------------------------------------------------------------------------

  #open(): void {
    const session = this.#session;
    const { proto, db, name, identity } = session;
    this.#isOpening = true;
    this.#pool = identity.pinned;
    identity.pinned.acquire(this, { proto, db, name }, (pinned, failure) => {
      this.#isOpening = false;
      if (session.isClosed) {
        if (pinned !== undefined) identity.pinned.release(pinned, true);
        return;
      }
      this.connection = pinned;
      this.#failure = failure;
      session.wake();
    });
  }

  #send(pinned: PinnedConnection, request: Request, spec: CommandSpec | undefined): Slot {
    const isBlocking = spec !== undefined && this.#transaction === undefined && mayBlock(spec, request);
    const effect = pinnedEffect(this.#session, request, spec, isBlocking);
    // WAIT counts from this connection's own last command, so it must have one that is younger than the session's
    // writes on the shared connection (DESIGN rule 5).
    if (spec?.name === 'wait' || spec?.name === 'waitaof') {
      pinned.submit(new OwnCall(() => undefined), PING, 0, PING.length);
    }
    const slot = this.#slot(spec, effect);
    if (isBlocking) {
      this.#blocking++;
      const askedMs = blockingTimeoutMs(spec, request);
      slot.timeoutMs = askedMs === 0 ? 0 : askedMs + this.#session.context.options.blockingGraceMs;
    }
    pinned.submit(slot, request.buffer, request.start, request.end);
    return slot;
  }

  #slot(spec: CommandSpec | undefined, effect: ReplyEffect | undefined): Slot {
    const session = this.#session;
    const { options } = session.context;
    const slot = session.slot();
    slot.effect = effect;
    slot.timeoutMs =
      spec === undefined || spec.isSlow ? options.slowCommandTimeoutMs : options.commandTimeoutMs;
    session.outstanding++;
    return slot;
  }

  // --- transactions that did not arrive whole ------------------------------------------------------------------

  #beginTransaction(pinned: PinnedConnection, request: Request, spec: CommandSpec): boolean {
    this.#transaction = new TransactionKeys();
    const slot = this.#slot(
      spec,
      whenReplied((isError) => {
        // A user without permission for MULTI is not in a transaction.
        if (isError) this.#transaction = undefined;
      }),
    );
    pinned.submit(slot, request.buffer, request.start, request.end);
    return true;
  }

  #queueOrEnd(
    pinned: PinnedConnection,
    transaction: TransactionKeys,
    request: Request,
    spec: CommandSpec | undefined,
  ): boolean {
    const isEnd = (spec?.name === 'exec' || spec?.name === 'discard') && request.argc === 1;
    let effect: ReplyEffect | undefined;
    if (isEnd) {
      this.#transaction = undefined;
      this.#isWatching = false;
      if (spec.name === 'exec') {
        effect = this.#relaysAfterExec ? this.#relayOnceReplied(pinned) : transaction.effect(this.#session);
      }
    } else if (spec?.name !== 'multi' && spec?.name !== 'watch') {
      transaction.add(request);
      if (spec === undefined || (spec.place !== 'shared' && spec.place !== 'pinned'))
        this.#queueForeign(spec);
    }
    const slot = this.#slot(spec, effect);
    if (isEnd) slot.timeoutMs = this.#session.context.options.slowCommandTimeoutMs;
    pinned.submit(slot, request.buffer, request.start, request.end);
    return true;
  }

  /** A connection command is queued: when EXEC runs it, the connection's state is no longer ours to know. */
  #queueForeign(spec: CommandSpec | undefined): void {
    if (spec?.name === 'ping' || spec?.name === 'echo' || spec?.name === 'unwatch') return;
    this.#isOpaque = true;
    this.#isDirty = true;
    if (spec?.place === 'subscribe' || spec?.name === 'monitor') this.#relaysAfterExec = true;
  }

  // --- other sticky states -------------------------------------------------------------------------------------

  #runOutside(pinned: PinnedConnection, request: Request, spec: CommandSpec | undefined): boolean {
    switch (spec?.name) {
      case 'multi':
        return request.argc === 1
          ? this.#beginTransaction(pinned, request, spec)
          : this.#pass(pinned, request, spec);
      case 'watch':
        this.#isWatching = true;
        return this.#pass(pinned, request, spec);
      case 'unwatch':
        if (request.argc === 1) this.#isWatching = false;
        return this.#pass(pinned, request, spec);
      case 'client|tracking':
        return this.#track(pinned, request, spec);
      case 'monitor':
        return this.#monitor(pinned, request, spec);
      default:
        break;
    }
    const isOwn = spec?.place === 'session' && !TRACKING_COMMANDS.has(spec.name) && !this.#isOpaque;
    const isPassed =
      spec?.name === 'ping' || spec?.name === 'echo' || spec?.name === 'exec' || spec?.name === 'discard';
    if (spec !== undefined && isOwn && !isPassed) return answerLocally(this.#session, request, spec);
    if (spec?.place === 'subscribe' && !this.#isOpaque) return this.#session.subscription.run(request, spec);
    if (spec === undefined) this.#isDirty = true;
    return this.#pass(pinned, request, spec);
  }

  /** Another link of this session still owes replies (a subscription, a control command): only what goes there may go on. */
  #runApart(request: Request, spec: CommandSpec | undefined): boolean {
    if (this.#transaction !== undefined || this.#isRelay || spec === undefined) return false;
    if (spec.place === 'subscribe') return this.#session.subscription.run(request, spec);
    return false;
  }

  #pass(pinned: PinnedConnection, request: Request, spec: CommandSpec | undefined): boolean {
    this.#send(pinned, request, spec);
    return true;
  }

  #track(pinned: PinnedConnection, request: Request, spec: CommandSpec): boolean {
    const isOff = request.argc >= 3 && request.argLatin1(2).toLowerCase() === 'off';
    const rewritten = redirectToUpstream(this.#session, request);
    if (rewritten === undefined) return false;
    this.#isDirty = true;
    const before = this.#isTracking;
    this.#isTracking = !isOff;
    const slot = this.#slot(
      spec,
      whenReplied((isError) => {
        if (isError) this.#isTracking = before;
      }),
    );
    pinned.submit(slot, rewritten, 0, rewritten.length);
    return true;
  }

  /** MONITOR's +OK is a reply; every frame behind it is a line of the stream. */
  #monitor(pinned: PinnedConnection, request: Request, spec: CommandSpec): boolean {
    this.#isDirty = true;
    const slot = this.#slot(spec, this.#relayOnceReplied(pinned));
    pinned.submit(slot, request.buffer, request.start, request.end);
    return true;
  }

  #relayOnceReplied(pinned: PinnedConnection): ReplyEffect {
    // Sticky from now on; a refusal takes it back.
    this.#isRelay = true;
    return whenReplied((isError) => {
      this.#isRelay = !isError;
      pinned.connection.takesAll = !isError;
    });
  }

  #forget(): void {
    this.#transaction = undefined;
    this.#isWatching = false;
    this.#isTracking = false;
    this.#isOpaque = false;
    this.#isRelay = false;
    this.#relaysAfterExec = false;
    this.#isDirty = false;
    this.#isForeign = false;
    this.#blocking = 0;
  }
}
