import type { ErrorCode } from '../base/errors.ts';
import type { CommandSpec } from '../command/spec.ts';
import { encodeRequest, OK } from '../protocol/encoder.ts';
import type { Request } from '../protocol/request.ts';
import { OwnCall } from '../shard/call.ts';
import type { PinnedConnection } from '../shard/pinned-connection.ts';
import { mayDetour } from './detour.ts';
import { type ReplyEffect, whenReplied } from './effect.ts';
import { answerLocally } from './local-commands.ts';
import type { Pin } from './pin.ts';
import { redirectToUpstream } from './redirect.ts';
import { Relay } from './relay.ts';
import type { Session } from './session.ts';
import { TransactionKeys } from './transaction.ts';

/** CLIENT subcommands that speak of the tracking state of the pinned connection itself. */
const TRACKING_COMMANDS: ReadonlySet<string> = new Set([
  'client|tracking',
  'client|caching',
  'client|getredir',
  'client|trackinginfo',
]);

/** Session commands that a pinned connection answers like any other. */
const PASSED_COMMANDS: ReadonlySet<string> = new Set(['ping', 'echo', 'exec', 'discard']);

const MULTI = encodeRequest(['MULTI']);
/** Refused while it is queued, which aborts the transaction. */
const MISTAKE = encodeRequest(['CLIENT', 'REPLY']);

/** A transaction that did not arrive whole, as it is queued. */
interface OpenTransaction {
  keys: TransactionKeys;
  /** It queues a command of the connection: once it has run, the connection's state is no longer ours to know. */
  changesConnection: boolean;
  /** It subscribes: once it has run, frames come that answer nothing. */
  subscribes: boolean;
}

/** The state that keeps a session on its pinned connection, any of which may hold at once: in a transaction that did not
 *  arrive whole, watching keys, tracking for the app, relaying a stream (MONITOR, or SUBSCRIBE inside MULTI), or opaque:
 *  changed in a way that cannot be followed. While one holds, all commands of the session run there, in order. */
export class Sticky {
  #session: Session;
  #pin: Pin;
  #transaction: OpenTransaction | undefined;
  /** MULTI was answered here: its shard is known with the first key that is queued. */
  #isUnplaced = false;
  #isWatching = false;
  #isTracking = false;
  #isOpaque = false;
  #relay: Relay | undefined;

  constructor(session: Session, pin: Pin) {
    this.#session = session;
    this.#pin = pin;
  }

  get isInTransaction(): boolean {
    return this.#transaction !== undefined || this.#isUnplaced;
  }

  /** Memory that what is queued takes. Units: bytes. */
  get heldBytes(): number {
    return this.#transaction?.keys.bytes ?? 0;
  }

  /** Set while every frame goes to the session as it comes, and every request to Redis. */
  get relay(): Relay | undefined {
    return this.#relay;
  }

  get isActive(): boolean {
    return (
      this.isInTransaction ||
      this.#isWatching ||
      this.#isTracking ||
      this.#isOpaque ||
      this.#relay !== undefined
    );
  }

  /** Run a command that leaves state on the connection: MULTI, WATCH, MONITOR, CLIENT TRACKING, ASKING … False when it has
   *  to wait. */
  begin(request: Request, spec: CommandSpec): boolean {
    const pinned = this.#pin.take();
    if (pinned === undefined) return false;
    if (pinned === 'failed') return this.#failToBegin(spec.name);
    const isKnown = this.#enter(pinned, request, spec);
    if (isKnown !== undefined) return isKnown;
    this.#isOpaque = true;
    this.#pin.isDirty = true;
    this.#pin.send(pinned, request, spec);
    return true;
  }

  /** Run the next command while a state holds. False when it has to wait. */
  run(request: Request, spec: CommandSpec | undefined): boolean {
    const isReset = spec?.name === 'reset' && request.argc === 1;
    const isOver = isReset || spec?.name === 'quit';
    if (isOver && this.#relay === undefined) return answerLocally(this.#session, request, spec);
    const isPlain = !this.isInTransaction && this.#relay === undefined;
    if (spec !== undefined && isPlain && isOwnCommand(spec)) {
      return answerLocally(this.#session, request, spec);
    }
    if (spec?.place === 'refused' && isPlain) {
      this.#session.answerError('NOT_SUPPORTED', { command: spec.name, reason: spec.reason });
      return true;
    }
    if (!this.#session.mayUse('pinned')) return this.#runApart(request, spec);
    const pinned = this.#pin.take();
    if (pinned === undefined) return false;
    if (pinned === 'failed') return this.#isUnplaced ? this.#failToBegin('multi') : true;
    if (this.#isUnplaced) this.#place(pinned);
    if (this.#relay !== undefined) return this.#runRelayed(this.#relay, pinned, request, spec);
    if (this.#transaction !== undefined) return this.#queueOrEnd(pinned, this.#transaction, request, spec);
    return this.#runOutside(pinned, request, spec);
  }

  /** MULTI with several shards. The session is told OK; where it runs is not known yet. */
  beginUnplaced(): void {
    this.#isUnplaced = true;
    this.#session.answer(OK);
  }

  /** Refuse a command of the transaction, which aborts it. False when it has to wait. */
  refuse(code: ErrorCode, fields: Record<string, string | number>): boolean {
    if (!this.#session.mayUse('pinned')) return false;
    const pinned = this.#pin.take();
    if (pinned === undefined) return false;
    if (pinned === 'failed') return this.#failToBegin('multi');
    if (this.#isUnplaced) this.#place(pinned);
    this.#session.answerError(code, fields);
    pinned.submit(new OwnCall(() => undefined), MISTAKE, 0, MISTAKE.length);
    return true;
  }

  /** A request goes by in pieces on this connection: its keys are unknown to a transaction that it may be part of. True when it
   *  is. */
  noteStreamed(pinned: PinnedConnection): boolean {
    if (this.#isUnplaced) this.#place(pinned);
    if (this.#transaction === undefined) return false;
    this.#transaction.keys.isUnknown = true;
    return true;
  }

  /** The connection is gone or given back. */
  clear(): void {
    this.#transaction = undefined;
    this.#isUnplaced = false;
    this.#isWatching = false;
    this.#isTracking = false;
    this.#isOpaque = false;
    this.#relay = undefined;
  }

  /** The app has been told. What it sent behind MULTI or WATCH was meant for the transaction, and would now run outside of it. */
  #failToBegin(name: string): true {
    if (name === 'multi' || name === 'watch') {
      this.#session.close('upstream', `${name.toUpperCase()} could not be sent to Redis`);
    }
    return true;
  }

  /** The commands whose state is known: runs one and says whether it went; undefined for any other command. */
  #enter(pinned: PinnedConnection, request: Request, spec: CommandSpec): boolean | undefined {
    switch (spec.name) {
      case 'multi':
        if (request.argc !== 1) return undefined;
        return this.#beginTransaction(pinned, request, spec);
      case 'watch':
        this.#isWatching = true;
        this.#pin.send(pinned, request, spec);
        return true;
      case 'client|tracking':
        return this.#track(pinned, request, spec);
      case 'monitor':
        return this.#monitor(pinned, request, spec);
      default:
        return undefined;
    }
  }

  // --- transactions --------------------------------------------------------------------------------------------

  #beginTransaction(pinned: PinnedConnection, request: Request, spec: CommandSpec): boolean {
    this.#transaction = { keys: new TransactionKeys(), changesConnection: false, subscribes: false };
    const slot = this.#pin.slot(
      spec,
      whenReplied((isError) => {
        // A user without permission for MULTI is not in a transaction.
        if (isError) this.#transaction = undefined;
      }),
    );
    pinned.submit(slot, request.buffer, request.start, request.end);
    return true;
  }

  /** Now its shard is known: Redis hears of the MULTI. */
  #place(pinned: PinnedConnection): void {
    this.#isUnplaced = false;
    this.#transaction = { keys: new TransactionKeys(), changesConnection: false, subscribes: false };
    const call = new OwnCall((reply) => {
      if (reply?.equals(OK) !== true) pinned.destroy('MULTI was refused');
    });
    pinned.submit(call, MULTI, 0, MULTI.length);
  }

  #queueOrEnd(
    pinned: PinnedConnection,
    transaction: OpenTransaction,
    request: Request,
    spec: CommandSpec | undefined,
  ): boolean {
    if (spec !== undefined && (isOwnCommand(spec) || silences(spec, request))) {
      return this.#refuseQueued(spec);
    }
    // EXEC with arguments is a mistake that discards the transaction; DISCARD with arguments is one that does not.
    const isEnd = spec?.name === 'exec' || (spec?.name === 'discard' && request.argc === 1);
    if (isEnd && transaction.subscribes && this.#session.queue.length > 0) return false;
    let effect: ReplyEffect | undefined;
    if (isEnd) {
      this.#transaction = undefined;
      this.#isWatching = false;
      if (spec.name === 'exec' && request.argc === 1) effect = this.#execEffect(pinned, transaction);
    } else if (spec?.name !== 'multi' && spec?.name !== 'watch') {
      transaction.keys.add(request);
      noteState(transaction, spec);
    }
    const slot = this.#pin.slot(spec, effect);
    mayDetour(this.#session, slot, request, 'none');
    if (isEnd) slot.timeoutMs = this.#session.context.options.slowCommandTimeoutMs;
    pinned.submit(slot, request.buffer, request.start, request.end);
    return true;
  }

  /** Redis would leave a hole in EXEC's reply, and nothing behind it could be told apart. It hears of a mistake instead, so that
   *  its EXEC aborts as after any other. */
  #refuseQueued(spec: CommandSpec): boolean {
    const reason = isOwnCommand(spec)
      ? 'Redis cannot queue it inside MULTI'
      : 'inside MULTI it breaks the reply to EXEC';
    return this.refuse('NOT_SUPPORTED', { command: spec.name, reason });
  }

  #execEffect(pinned: PinnedConnection, transaction: OpenTransaction): ReplyEffect | undefined {
    if (transaction.changesConnection) {
      this.#isOpaque = true;
      this.#pin.isDirty = true;
    }
    return transaction.subscribes ? this.#relayOnceReplied(pinned) : transaction.keys.effect(this.#session);
  }

  // --- other states --------------------------------------------------------------------------------------------

  #runOutside(pinned: PinnedConnection, request: Request, spec: CommandSpec | undefined): boolean {
    if (spec === undefined) {
      this.#pin.isDirty = true;
    } else {
      const isKnown = this.#enter(pinned, request, spec);
      if (isKnown !== undefined) return isKnown;
      if (spec.name === 'unwatch' && request.argc === 1) this.#isWatching = false;
      else if (this.#isOwn(spec)) return answerLocally(this.#session, request, spec);
      else if (spec.place === 'subscribe') return this.#session.subscription.run(request, spec);
    }
    this.#pin.send(pinned, request, spec);
    return true;
  }

  #isOwn(spec: CommandSpec): boolean {
    // It is about the replies to the app; those of the connection must be counted.
    if (spec.name === 'client|reply') return true;
    if (this.#isOpaque || spec.place !== 'session') return false;
    return !TRACKING_COMMANDS.has(spec.name) && !PASSED_COMMANDS.has(spec.name);
  }

  /** Another link of this session still owes replies (a subscription, a control command): only what goes there may go on. */
  #runApart(request: Request, spec: CommandSpec | undefined): boolean {
    if (this.#transaction !== undefined || this.#relay !== undefined || spec?.place !== 'subscribe')
      return false;
    return this.#session.subscription.run(request, spec);
  }

  #track(pinned: PinnedConnection, request: Request, spec: CommandSpec): boolean {
    const isOff = request.argc >= 3 && request.argLatin1(2).toLowerCase() === 'off';
    const rewritten = redirectToUpstream(this.#session, request);
    if (rewritten === undefined) return false;
    this.#pin.isDirty = true;
    const before = this.#isTracking;
    this.#isTracking = !isOff;
    const slot = this.#pin.slot(
      spec,
      whenReplied((isError) => {
        if (isError) this.#isTracking = before;
      }),
    );
    pinned.submit(slot, rewritten, 0, rewritten.length);
    return true;
  }

  #monitor(pinned: PinnedConnection, request: Request, spec: CommandSpec): boolean {
    if (this.#session.queue.length > 0) return false;
    this.#pin.isDirty = true;
    const slot = this.#pin.slot(spec, this.#relayOnceReplied(pinned));
    pinned.submit(slot, request.buffer, request.start, request.end);
    return true;
  }

  /** The reply itself is one (MONITOR's +OK, EXEC's array); every frame behind it belongs to the stream, and would overtake replies
   *  that are held back: to be sent when none is owed. Sticky from now on; a refusal takes it back. */
  #relayOnceReplied(pinned: PinnedConnection): ReplyEffect {
    this.#relay = new Relay();
    return whenReplied((isError) => {
      if (isError) this.#relay = undefined;
      pinned.connection.takesAll = !isError;
      this.#session.context.cache?.flush();
    });
  }

  #runRelayed(
    relay: Relay,
    pinned: PinnedConnection,
    request: Request,
    spec: CommandSpec | undefined,
  ): boolean {
    // Refused, MONITOR would leave this request without anyone to answer.
    if (!pinned.connection.takesAll) return false;
    // Whatever it changes, nobody counts the replies that would say when.
    this.#session.context.cache?.flush();
    if (!relay.send(pinned, request, spec)) return false;
    const { clock, options } = this.#session.context;
    // Redis closes after its reply to QUIT; to a connection that wants no replies it gives none, and stays.
    if (relay.isQuitting) clock.after(options.commandTimeoutMs, () => this.#session.endAfterReplies('quit'));
    return true;
  }
}

/** A command that Redis does not know. */
function isOwnCommand(spec: CommandSpec): boolean {
  return spec.name.startsWith('nearcache.');
}

/** CLIENT REPLY OFF or SKIP. */
function silences(spec: CommandSpec, request: Request): boolean {
  return spec.name === 'client|reply' && request.argc === 3 && /^(off|skip)$/i.test(request.argLatin1(2));
}

function noteState(transaction: OpenTransaction, spec: CommandSpec | undefined): void {
  if (spec?.place === 'shared' || spec?.place === 'pinned') return;
  if (spec?.name === 'ping' || spec?.name === 'echo' || spec?.name === 'unwatch') return;
  transaction.changesConnection = true;
  if (spec?.place === 'subscribe' || spec?.name === 'monitor') transaction.subscribes = true;
}
