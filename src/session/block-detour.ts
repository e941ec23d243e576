import { errorLine } from '../base/errors.ts';
import { MINUS, PLUS } from '../protocol/bytes.ts';
import { parseRedirect } from '../route/redirect.ts';
import type { Redirects } from '../route/upstream.ts';
import { Call, type CallFailure, type FrameFacts } from '../shard/call.ts';
import type { Identity } from '../shard/identity.ts';
import type { Shard } from '../shard/shard.ts';
import { ANY_DB } from '../shard/shared-connection.ts';
import { identityAgain } from './detour.ts';
import type { Session } from './session.ts';
import type { Slot } from './slot.ts';

/** Besides a block that waits for its connection, what nearcache itself may send there first. */
const ROOM = 16;
const ERROR: FrameFacts = { type: MINUS, hasResp3: false };

/** How a transaction that rides the shared connection as one block is sent again, when the node that was asked does not have its
 *  slot: as a whole, once EXEC has answered an error, since nothing of it has run then. Replies that came before the redirect
 *  may be at the app already; it gets those of the first try, and of the later ones what it still waits for.
 *
 *  Not while the slot is moving (ASK): what else the session has sent there may have run on keys of the block that are still there.
 *  Bounds: `redirectsMax` times; the commands' own time-outs go on. */
export class BlockDetour {
  /** One for each slot. */
  readonly calls: readonly BlockCall[];
  readonly #session: Session;
  readonly #redirects: Redirects;
  readonly #bytes: Buffer;
  readonly #exec: Slot;
  readonly #place: number;
  #left: number;
  /** Whom the redirect named that holds this try's replies back. */
  #target: Shard | undefined;

  /** Shape: `slots` are MULTI's, those of the commands and EXEC's, `bytes` all their requests, of which the session's place is that of
   *  the keys. */
  constructor(session: Session, redirects: Redirects, slots: readonly Slot[], bytes: Buffer) {
    this.#session = session;
    this.#redirects = redirects;
    this.#bytes = bytes;
    this.#exec = slots.at(-1) as Slot;
    this.#place = session.place;
    this.#left = session.context.options.redirectsMax;
    this.calls = slots.map((slot) => new BlockCall(slot, this));
  }

  /** An error reply to a command. True = it was a redirect, which is kept until EXEC has answered. */
  holds(slot: Slot, line: Buffer): boolean {
    const redirect = parseRedirect(line, 0, line.length);
    const { identity } = slot;
    if (typeof redirect !== 'object' || redirect.slot !== this.#place || identity === undefined) return false;
    const { slot: at, host, port, kind } = redirect;
    if (kind === 'ask') this.#left = 0;
    if (this.#target !== undefined) return true;
    this.#session.detours++;
    this.#target =
      kind === 'ask'
        ? this.#redirects.asked(at, host, port, identity.shard)
        : this.#redirects.moved(at, host, port, identity.shard);
    return true;
  }

  /** EXEC has answered an error. True = it will have another answer. */
  ended(line: Buffer): boolean {
    const isRedirect = this.holds(this.#exec, line);
    const identity =
      this.#left > 0 && this.#target !== undefined ? this.#identityAt(this.#target) : undefined;
    if (identity !== undefined) {
      this.#left--;
      this.#send(identity);
      return true;
    }
    if (isRedirect) this.calls.at(-1)?.hold();
    this.giveUp();
    return isRedirect;
  }

  /** It is not sent again: what is held back is refused, since nothing of the transaction has run. */
  giveUp(): void {
    this.#left = 0;
    for (const call of this.calls) call.refuse(this.#place);
    this.#goOn();
  }

  #identityAt(shard: Shard): Identity | undefined {
    const identity = identityAgain(this.#session, this.#exec, shard);
    return identity?.isPassing === true ? undefined : identity;
  }

  #send(identity: Identity): void {
    const { shared } = identity;
    this.#exec.effect?.redirected?.();
    for (const call of this.calls) call.again(identity);
    const { obstacle } = shared;
    const isConnecting = shared.state === 'idle' || shared.state === 'connecting';
    if (obstacle !== undefined) {
      for (const call of this.calls) call.fail(obstacle);
    } else if (!isConnecting) {
      shared.submitBlock(this.calls, this.#bytes, 0, this.#bytes.length, ANY_DB);
    } else if (shared.inFlight + this.calls.length + ROOM > shared.options.inFlightMax) {
      for (const call of this.calls) call.fail({ kind: 'busy', reason: String(shared.options.inFlightMax) });
    } else {
      // It waits for the connection as one: all its bytes are the first call's. What the session has sent behind it follows.
      let end = this.#bytes.length;
      for (const call of this.calls) {
        shared.submit(call, this.#bytes, 0, end, ANY_DB);
        end = 0;
      }
    }
    this.#session.lastPosition = Math.max(this.#session.lastPosition, shared.position);
    this.#goOn();
  }

  #goOn(): void {
    if (this.#target === undefined) return;
    this.#target = undefined;
    this.#session.detours--;
    this.#session.wake();
  }
}

/** The call of one slot of a block, each time that the block is sent. */
class BlockCall extends Call {
  readonly #slot: Slot;
  readonly #block: BlockDetour;
  /** The beginning of an error line that is cut between two reads. */
  #parts: Buffer[] = [];
  #isHeld = false;
  /** The app has its reply, or will not get one. */
  #isAnswered = false;

  constructor(slot: Slot, block: BlockDetour) {
    super();
    this.#slot = slot;
    this.#block = block;
    this.sentAt = slot.sentAt;
    this.timeoutMs = slot.timeoutMs;
  }

  reply(chunk: Buffer, start: number, end: number, last: boolean, facts: FrameFacts): void {
    if (facts.type === MINUS && !this.hasBegun) {
      this.#parts.push(Buffer.from(chunk.subarray(start, end)));
      if (last) this.#failed(Buffer.concat(this.#parts));
      return;
    }
    this.hasBegun = true;
    this.#pass(chunk, start, end, last, facts);
  }

  fail(failure: CallFailure): void {
    const isLate = failure.kind === 'timeout';
    if (!this.#isAnswered) this.#slot.fail(failure);
    if (isLate) this.#slot.hasTimedOut = true;
    else this.#isAnswered = true;
    // Sent again it would run although the app was told that it has failed.
    if (isLate || this.#isExec) this.#block.giveUp();
  }

  /** Keep it without a reply. */
  hold(): void {
    this.#isHeld = true;
  }

  /** It has no reply if it is held back: this is it. */
  refuse(place: number): void {
    if (!this.#isHeld) return;
    this.#isHeld = false;
    const line = errorLine('SLOT_MOVED', { slot: place });
    this.#pass(line, 0, line.length, true, ERROR);
  }

  /** It is about to be sent there. */
  again(identity: Identity): void {
    this.#slot.identity = identity;
    this.#isHeld = false;
    this.hasBegun = false;
    this.#parts = [];
  }

  get #isExec(): boolean {
    return this.#slot.expected === 'exec';
  }

  #failed(line: Buffer): void {
    if (this.#isExec) {
      if (this.#block.ended(line)) return;
    } else if (this.#block.holds(this.#slot, line)) {
      this.#isHeld = true;
      return;
    }
    this.#pass(line, 0, line.length, true, ERROR);
  }

  #pass(chunk: Buffer, start: number, end: number, last: boolean, facts: FrameFacts): void {
    const { expected, owner } = this.#slot;
    if (!this.#isAnswered) this.#slot.reply(chunk, start, end, last, facts);
    // The app has that of another try; but this one must be in the transaction as well.
    else if (facts.type !== PLUS && (expected === 'ok' || facts.type !== MINUS)) owner.outOfStep(this.#slot);
    this.#isAnswered ||= last;
  }
}
