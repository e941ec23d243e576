import { getDefaultHighWaterMark } from 'node:stream';
import type { ByteSocket } from '../base/byte-socket.ts';
import type { ReplyWriter } from './reply-writer.ts';
import type { RequestReader } from './request-reader.ts';
import type { Session } from './session.ts';

/** Above this backlog a client is not served until it has read, or until what is before has come. */
const BEHIND_BYTES = 262_144;
/** The same for what it could have read: the kernel has its send buffer full for it already, and more than that here makes nothing
 *  faster. Times a thousand such clients it is memory to be found, and collected. Bounds: not below the high-water mark of a socket,
 *  since it tells only above that when it has drained. */
const UNREAD_BYTES = getDefaultHighWaterMark(false);
/** What one session may be served in a turn before the others have theirs: the kernel copies a megabyte in the time in which ten
 *  others would be answered. */
const TURN_BYTES = 65_536;
/** After so many turns in a row with a full share comes a pause, in which the kernel can have others run: Redis, say, on the same
 *  core, for which their writes wait. Bounds: 256 MB/s for one session at most. */
const TURNS_IN_ROW = 4;
const PAUSE_MS = 1;
/** What a request that is not answered takes besides its bytes: its slot and the read that it may have started. */
const SLOT_BYTES = 512;

/** What one session makes nearcache hold, and how far its client is behind.
 *  Bounds: above `outputBytes` of replies the session is closed; all of it counts in the total of all sessions, which
 *  ClientLimits bounds. What comes within one turn is counted at its end. */
export class Footprint {
  readonly #session: Session;
  readonly #reader: RequestReader;
  readonly #writer: ReplyWriter;
  readonly #socket: ByteSocket;
  #counted = 0;
  #turnsInRow = 0;
  #turnAt = 0;

  constructor(session: Session, reader: RequestReader, writer: ReplyWriter, socket: ByteSocket) {
    this.#session = session;
    this.#reader = reader;
    this.#writer = writer;
    this.#socket = socket;
  }

  /** Units: bytes, as of the last `count`. */
  get bytes(): number {
    return this.#counted;
  }

  /** Replies that wait for nothing but the client. Units: bytes. */
  get unread(): number {
    return this.#writer.unread;
  }

  /** Is nothing more done for the client until it has read, or until what is before has come? */
  get isBehind(): boolean {
    return this.isUnread || this.#writer.backlog > BEHIND_BYTES;
  }

  /** Has the client left so much unread that it counts as one who does not read? */
  get isUnread(): boolean {
    return this.#socket.backlog > UNREAD_BYTES;
  }

  /** So much was answered in this turn that the rest can wait for the next. */
  get hasHadItsTurn(): boolean {
    return this.#writer.ofThisTurn > TURN_BYTES;
  }

  /** There is more to be served: in the next turn, or after a pause. */
  goOn(serve: () => void): void {
    const { now, context } = this.#session;
    this.#turnsInRow = now - this.#turnAt > PAUSE_MS ? 1 : this.#turnsInRow + 1;
    this.#turnAt = now;
    if (this.#turnsInRow < TURNS_IN_ROW) return serve();
    this.#turnsInRow = 0;
    context.clock.after(PAUSE_MS, serve);
  }

  /** Changes when the client has read. */
  get progress(): number {
    return this.#socket.progress;
  }

  /** The client alone can bring the rest of what it has begun to ask. */
  get isMidRequest(): boolean {
    return this.#reader.isMidRequest;
  }

  /** Cost: some additions. */
  count(): void {
    const { queue, subscription, pin } = this.#session;
    const kept = queue.length * SLOT_BYTES + subscription.heldBytes + pin.sticky.heldBytes;
    this.#note(this.#writer.backlog + this.#reader.heldBytes + this.#socket.unread + kept);
  }

  /** Count, and close a session that leaves more unread than any may. */
  check(): void {
    if (this.#session.isClosed) return;
    this.count();
    const { backlog } = this.#writer;
    if (backlog <= this.#session.context.options.outputBytes) return;
    this.#session.close('output', `does not read its replies: ${backlog} bytes wait`);
  }

  /** The session is gone, and what it held with it. */
  release(): void {
    this.#note(0);
  }

  #note(bytes: number): void {
    if (bytes === this.#counted) return;
    this.#session.context.clientLimits?.changed(bytes - this.#counted);
    this.#counted = bytes;
  }
}
