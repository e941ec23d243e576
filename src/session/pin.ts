import { blockingTimeoutMs, mayBlock } from '../command/keys.ts';
import type { CommandSpec } from '../command/spec.ts';
import { MINUS } from '../protocol/bytes.ts';
import { encodeRequest } from '../protocol/encoder.ts';
import type { Request } from '../protocol/request.ts';
import { OwnCall } from '../shard/call.ts';
import type { PinnedConnection, PinnedHolder } from '../shard/pinned-connection.ts';
import type { Shard } from '../shard/shard.ts';
import type { ReplyEffect } from './effect.ts';
import { mayDetour } from './detour.ts';
import { endLeasesOn } from './lease-ends.ts';
import { pinnedEffect } from './pinned-effect.ts';
import { PinnedHold } from './pinned-hold.ts';
import type { Session } from './session.ts';
import type { Slot } from './slot.ts';
import { Sticky } from './sticky.ts';
import { WholeFrame } from './whole-frame.ts';

const PING = encodeRequest(['PING']);

/** A session's pinned connection: taken when a command needs it, kept while state lives on it (Sticky), given back after. */
export class Pin implements PinnedHolder {
  readonly sticky: Sticky;
  /** Connections to other nodes of a Cluster, to which commands were redirected. */
  readonly detours: Set<PinnedConnection> = new Set<PinnedConnection>();
  /** Parts of a command that block on connections of their own. */
  blockingParts = 0;
  /** Commands left something behind that only RESET removes. */
  isDirty = false;
  readonly #session: Session;
  readonly #hold: PinnedHold;
  /** A push that is coming. */
  readonly #coming: WholeFrame;
  /** Commands that may block, sent and not known to be answered. */
  #blocking = 0;
  /** It was authenticated as another user: of no use to its pool. */
  #isForeign = false;

  constructor(session: Session) {
    this.#session = session;
    this.#hold = new PinnedHold(session, this);
    this.#coming = new WholeFrame(session);
    this.sticky = new Sticky(session, this);
  }

  /** A blocking command is outstanding: an element it pops must not be lost in a cleaned connection (DESIGN rule 4). */
  get isBlocking(): boolean {
    return this.#blocking > 0 || this.blockingParts > 0;
  }

  /** Where the connection is; undefined = there is none. */
  get shard(): Shard | undefined {
    return this.#hold.connection === undefined ? undefined : this.#hold.shard;
  }

  /** For CLIENT UNBLOCK: this connection's id at Redis while a command blocks on it. */
  get blockedClientId(): number | undefined {
    return this.isBlocking ? this.#hold.connection?.clientId : undefined;
  }

  /** Run one command that must have a connection of its own. False when it has to wait. */
  runOnce(request: Request, spec: CommandSpec | undefined): boolean {
    const pinned = this.take();
    if (pinned === undefined) return false;
    if (pinned === 'failed') return true;
    if (spec === undefined) this.isDirty = true;
    this.send(pinned, request, spec);
    return true;
  }

  /** The connection, taken if necessary. undefined = wait; 'failed' = the request was answered with why. */
  take(): PinnedConnection | 'failed' | undefined {
    const session = this.#session;
    if (!session.mayUse('pinned')) return undefined;
    // It was opened where the slot was, which has moved since: nothing was sent on it that would give it back.
    const isElsewhere = this.shard !== undefined && this.shard !== session.identity.shard;
    if (isElsewhere && session.outstanding === 0 && !this.sticky.isActive) this.release();
    return this.#hold.take();
  }

  /** Send a request whose reply is one frame. */
  send(pinned: PinnedConnection, request: Request, spec: CommandSpec | undefined): void {
    const isBlocking = spec !== undefined && mayBlock(spec, request);
    const effect = pinnedEffect(this.#session, request, spec, isBlocking);
    // WAIT counts from this connection's own last command, so it must have one that is younger than the session's
    // writes on the shared connection (DESIGN rule 5).
    if (spec?.name === 'wait' || spec?.name === 'waitaof') {
      pinned.submit(new OwnCall(() => undefined), PING, 0, PING.length);
    }
    endLeasesOn(pinned, this.#session, request, spec);
    const slot = this.slot(spec, effect);
    mayDetour(this.#session, slot, request, this.sticky.isActive ? 'none' : 'pinned');
    if (isBlocking) {
      this.#blocking++;
      const askedMs = blockingTimeoutMs(spec, request);
      slot.timeoutMs = askedMs === 0 ? 0 : askedMs + this.#session.context.options.blockingGraceMs;
    }
    pinned.submit(slot, request.buffer, request.start, request.end);
  }

  /** A slot for a reply on this connection, which comes in the session's protocol. */
  slot(spec: CommandSpec | undefined, effect: ReplyEffect | undefined): Slot {
    const session = this.#session;
    const { options } = session.context;
    const slot = session.slot();
    slot.effect = effect;
    slot.timeoutMs =
      spec === undefined || spec.isSlow ? options.slowCommandTimeoutMs : options.commandTimeoutMs;
    session.outstanding++;
    return slot;
  }

  /** The session has no unanswered commands: let go of the connection when nothing lives on it. */
  idle(): void {
    this.#blocking = 0;
    if (!this.sticky.isActive) this.release();
  }

  /** Give the connection back. */
  release(): void {
    // A MULTI that was not sent yet is over, too.
    if (this.#hold.connection === undefined) return this.sticky.clear();
    if (this.#isForeign) this.#hold.destroy('it changed its user');
    else this.#hold.release(!this.isDirty && !this.sticky.isActive);
    this.#forget();
  }

  /** End the connection in the middle of something; the session goes on, or ends by itself. */
  abandon(reason: string): void {
    if (this.#hold.connection !== undefined) this.#hold.connection.holder = undefined;
    this.#hold.destroy(reason);
    this.#forget();
  }

  sessionClosed(): void {
    for (const pinned of this.detours) pinned.destroy('its session closed while a command was outstanding');
    // A command that the table does not know has made it dirty, and may block, too.
    if (this.#blocking > 0 || (this.isDirty && this.#session.outstanding > 0)) {
      this.#hold.connection?.destroy('its session closed while a command was blocking');
    }
    this.release();
  }

  /** Database, protocol or name of the session have changed while it is sticky: let the connection follow. */
  follow(): void {
    const { proto, db, name } = this.#session;
    const { connection } = this.#hold;
    const named = name === '' ? (this.#hold.shard?.pinnedName ?? '') : name;
    connection?.prepare({ proto, db, name: named }, (failure) => {
      if (failure !== undefined) connection.destroy(failure.reason);
    });
  }

  /** The session has become another user: what lives on the connection stays, and goes on as that user. */
  reauthenticate(auth: Buffer): void {
    const { connection } = this.#hold;
    if (connection === undefined) return;
    this.#isForeign = true;
    const call = new OwnCall((reply) => {
      if (reply?.[0] === MINUS) connection.destroy('AUTH was refused on the pinned connection');
    });
    connection.submit(call, auth, 0, auth.length);
  }

  // --- PinnedHolder --------------------------------------------------------------------------------------------

  pinnedFrame(chunk: Buffer, start: number, end: number, last: boolean): void {
    if (this.#hold.connection?.connection.takesAll !== true) {
      const push = this.#coming.add(chunk, start, end, last);
      if (push !== undefined) this.#session.push(push, 0, push.length, true);
      return;
    }
    this.#session.push(chunk, start, end, last);
    if (this.sticky.relay?.endsWith(chunk, start, end, last) !== true) return;
    // Redis has said all that it had to say to this session.
    this.release();
    this.#session.startOver();
    this.#session.wake();
  }

  pinnedLost(reason: string): void {
    this.#hold.lost();
    const hadState = this.sticky.isActive;
    const isQuit = this.sticky.relay?.isQuitting === true;
    this.#forget();
    if (isQuit) this.#session.endAfterReplies('quit');
    else if (hadState) this.#session.close('upstream', `its pinned connection was lost: ${reason}`);
  }

  pinnedDrained(): void {
    this.#session.wake();
    this.#session.regulate();
  }

  #forget(): void {
    this.sticky.clear();
    this.#coming.clear();
    this.isDirty = false;
    this.#isForeign = false;
    this.#blocking = 0;
  }
}
