import { copyOf } from '../base/copy-of.ts';
import { MINUS } from '../protocol/bytes.ts';
import type { Request } from '../protocol/request.ts';
import { Call, type FrameFacts } from '../shard/call.ts';
import type { Hedging } from '../shard/hedging.ts';
import { isOwnUser } from './authentication.ts';
import type { ReadCall } from './read-call.ts';
import type { Session } from './session.ts';

/** Ask a replica too when the primary takes longer for this read than it does for most. What comes first is the answer; only the primary's
 *  is kept. A replica may be behind: who switches this on says that this does not matter. */
export function hedge(session: Session, read: ReadCall, hedging: Hedging, request: Request): void {
  read.hedging = hedging;
  const { replicas } = session.identity.shard;
  const { delayMs } = hedging;
  // Who hears a nil under a lease is to load the value: only the primary knows that there is none.
  if (replicas === undefined || delayMs === undefined || read.policy.lease !== undefined) return;
  if (!isOwnUser(session)) return;
  const { id, db } = session;
  const bytes = copyOf(request.buffer, request.start, request.end);
  session.context.clock.after(delayMs, () => {
    if (!read.isOpen || read.waiters.length === 0) return;
    const replica = replicas.pick('replica', id);
    if (replica === undefined || replica.link.isFull) return;
    hedging.sent++;
    replica.reads++;
    replica.link.submit(new HedgedRead(read, hedging), bytes, 0, bytes.length, db);
  });
}

/** What the replica says, which counts if the primary has not begun to. */
class HedgedRead extends Call {
  readonly #read: ReadCall;
  readonly #hedging: Hedging;
  #parts: Buffer[] = [];

  constructor(read: ReadCall, hedging: Hedging) {
    super();
    this.#read = read;
    this.#hedging = hedging;
    this.sentAt = read.sentAt;
    this.timeoutMs = read.timeoutMs;
  }

  reply(chunk: Buffer, start: number, end: number, last: boolean, facts: FrameFacts): void {
    this.hasBegun = true;
    const read = this.#read;
    if (!read.isOpen || facts.type === MINUS) return;
    this.#parts.push(copyOf(chunk, start, end));
    if (!last) return;
    const frame = Buffer.concat(this.#parts);
    this.#hedging.won++;
    for (const slot of read.waiters.splice(0)) slot.reply(frame, 0, frame.length, true, facts);
  }

  fail(): void {
    // The primary is still to answer.
  }
}
