import type { Identity } from '../shard/identity.ts';
import { releaseHeld } from './held-keys.ts';
import type { Session } from './session.ts';
import { Slot, type SlotOwner } from './slot.ts';

/** One command that runs in parts at several shards: gathers their replies in RESP3 and makes the session's of them. When a
 *  part fails the reply is that part's error, though others may have run: so it is documented.
 *  Bounds: the parts' replies count against the session until the reply is made. */
export class FanIn implements SlotOwner {
  readonly #session: Session;
  readonly #slot: Slot;
  readonly #merge: (frames: readonly Buffer[]) => Buffer;
  readonly #parts: Slot[] = [];
  #unanswered: number;
  #unsettled: number;

  /** `slot` is the session's own. So many parts are about to be made, each of which will be sent or failed; `merge` gets
   *  their replies in the order in which they were made. */
  constructor(session: Session, slot: Slot, parts: number, merge: (frames: readonly Buffer[]) => Buffer) {
    this.#session = session;
    this.#slot = slot;
    this.#unanswered = parts;
    this.#unsettled = parts;
    this.#merge = merge;
  }

  get isClosed(): boolean {
    return this.#session.isClosed;
  }

  get writes(): number {
    return this.#session.writes;
  }

  get shardName(): string {
    return this.#session.shardName;
  }

  /** The call for the next part, which is about to be sent there. */
  part(identity: Identity): Slot {
    const part = new Slot(this);
    part.identity = identity;
    part.sentAt = this.#slot.sentAt;
    part.timeoutMs = this.#slot.timeoutMs;
    this.#parts.push(part);
    return part;
  }

  isHead(): boolean {
    return false;
  }

  emit(): void {
    // Only the head of a queue is emitted as it comes.
  }

  answered(): void {
    this.#unanswered--;
    if (this.#unanswered > 0) return;
    if (this.#unsettled === 0) this.#finish();
    else this.#tellLate();
  }

  settled(part: Slot): void {
    releaseHeld(this.#session, part);
    this.#unsettled--;
    if (this.#unsettled > 0) return;
    // Nobody waits for the reply any more, but what it does to the near-cache is due now.
    if (this.isClosed || this.#slot.hasTimedOut) this.#slot.fail({ kind: 'lost', reason: 'too late' });
  }

  kept(bytes: number): void {
    this.#session.kept(bytes);
  }

  countOwnError(): void {
    this.#session.countOwnError();
  }

  timedOut(part: Slot): void {
    releaseHeld(this.#session, part);
  }

  isNewest(): boolean {
    return this.#session.isNewest(this.#slot);
  }

  outOfStep(part: Slot): void {
    this.#session.outOfStep(part);
  }

  /** What late parts were given up with is here, and all else. The place in the queue is given up, the keys stay closed until the late
   *  parts are heard. */
  #tellLate(): void {
    const slot = this.#slot;
    if (slot.hasTimedOut) return;
    slot.answerLate(this.#merged());
    slot.hasTimedOut = true;
  }

  #merged(): Buffer {
    const frame = this.#merge(this.#parts.map((part) => part.ready as Buffer));
    this.#giveBack();
    return frame;
  }

  #finish(): void {
    const frame = this.#merged();
    const hasResp3 = this.#parts.some((part) => part.hasResp3);
    this.#slot.reply(frame, 0, frame.length, true, { type: frame[0] as number, hasResp3 });
  }

  #giveBack(): void {
    let bytes = 0;
    for (const part of this.#parts) bytes += part.ready?.length ?? 0;
    this.kept(-bytes);
  }
}
