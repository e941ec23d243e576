import type { ByteSocket } from '../base/byte-socket.ts';
import { OutputBuffer } from '../base/output-buffer.ts';
import { unpark } from './parked-read.ts';
import { ReplyQueue } from './reply-queue.ts';
import type { Session } from './session.ts';
import type { Slot } from './slot.ts';

/** A session's way out: replies in request order, pushes between them, one write a turn.
 *  Bounds: the session watches `backlog`. */
export class ReplyWriter {
  readonly queue: ReplyQueue = new ReplyQueue();
  #session: Session;
  #socket: ByteSocket;
  #out = new OutputBuffer();
  /** Bytes of replies that are here and have not left, and of pushes that wait. */
  #keptBytes = 0;
  #heldPushes: Buffer[] = [];
  /** Half of a push has left: nothing may before the rest of it. */
  #isMidPush = false;
  /** The last of the held pushes is not here whole. */
  #isHeldMidPush = false;
  #isAdvancing = false;
  /** A hit is at the head, and goes out once the client has read what was before it. */
  waitsForClient = false;
  /** When one did so last. Units: monotonic ms. */
  waitedForClientAt: number = -Infinity;

  constructor(session: Session, socket: ByteSocket) {
    this.#session = session;
    this.#socket = socket;
  }

  /** Bytes that this client has made nearcache hold. */
  get backlog(): number {
    return this.#out.length + this.#socket.backlog + this.#keptBytes;
  }

  /** Of these, what the client could read at once. */
  get unread(): number {
    return this.#out.length + this.#socket.backlog;
  }

  /** A hit waited for the client to read, and it has. What is behind that hit does not count: nobody could have read it. */
  get mayAdvance(): boolean {
    return this.waitsForClient && !this.#session.footprint.isUnread;
  }

  /** What this turn has brought so far. Units: bytes. */
  get ofThisTurn(): number {
    return this.#out.length;
  }

  /** Bytes of the head's reply, or of a reply that nothing is before. */
  append(chunk: Buffer, start: number, end: number): void {
    this.#out.append(chunk, start, end);
  }

  /** A whole reply that nothing is before. */
  appendAll(bytes: Buffer): void {
    this.#out.appendAll(bytes);
  }

  /** Bytes that may change after this call: a cached reply. */
  copy(bytes: Buffer, start: number, end: number): void {
    this.#out.copy(bytes, start, end);
  }

  /** Is nothing owed, so that a reply may leave at once? */
  get isClear(): boolean {
    return this.queue.length === 0 && !this.#isMidPush;
  }

  /** Is this slot the oldest one, and nothing half out before it? */
  isNext(slot: Slot): boolean {
    return this.queue.head === slot && !this.#isMidPush;
  }

  /** A part of a push or message; held back while half of a large reply has left. */
  push(chunk: Buffer, start: number, end: number, last: boolean): void {
    if (this.queue.head?.isPartlyOut === true) {
      this.#heldPushes.push(Buffer.from(chunk.subarray(start, end)));
      this.#keptBytes += end - start;
      this.#isHeldMidPush = !last;
      return;
    }
    this.#out.append(chunk, start, end);
    const hadBegun = this.#isMidPush;
    this.#isMidPush = !last;
    if (hadBegun && last) this.advance();
  }

  kept(bytes: number): void {
    this.#keptBytes += bytes;
  }

  /** Let out everything that is ready, from the head on. */
  advance(): void {
    // A hit that is read again may be answered at once, which comes back here: the loop goes on with it.
    if (this.#isAdvancing) return;
    this.waitsForClient = false;
    if (this.#isMidPush) return;
    this.#isAdvancing = true;
    const { queue } = this;
    for (let slot = queue.head; slot !== undefined; slot = queue.head) {
      if (slot.parked !== undefined && !this.#unpark(slot)) break;
      if (slot.isHeld || (slot.ready === undefined && !slot.isDone)) break;
      this.#release(slot);
    }
    this.#isAdvancing = false;
    if (this.#heldPushes.length > 0 && queue.head?.isPartlyOut !== true) this.#releasePushes();
  }

  flush(): void {
    this.#session.context.stats.bytesOut += this.#out.length;
    this.#out.flushTo(this.#socket);
  }

  clear(): void {
    this.#out.clear(this.#socket);
    this.#heldPushes = [];
    this.#isMidPush = false;
  }

  /** A hit found while earlier replies were owed: is it still what Redis would say (DESIGN rule 3)? False when its bytes
   *  would only pile up here, or its key is on the way to another shard. */
  #unpark(slot: Slot): boolean {
    const session = this.#session;
    if (session.isClosed) {
      slot.parked = undefined;
      slot.isDone = true;
    } else if (session.footprint.isUnread || session.footprint.hasHadItsTurn) {
      this.waitsForClient = true;
      this.waitedForClientAt = session.context.clock.now();
      return false;
    } else {
      return unpark(session, slot, this);
    }
    return true;
  }

  #release(slot: Slot): void {
    this.queue.shift();
    if (slot.ready === undefined) return;
    this.#keptBytes -= slot.ready.length;
    if (!slot.isSilent && !this.#session.isClosed) this.#out.appendAll(slot.ready);
  }

  #releasePushes(): void {
    const pushes = this.#heldPushes;
    this.#heldPushes = [];
    for (const push of pushes) {
      this.#keptBytes -= push.length;
      this.#out.appendAll(push);
    }
    this.#isMidPush = this.#isHeldMidPush;
  }
}
