import { commandById } from '../command/table.ts';
import type { EntryId } from '../cache/store.ts';
import { encodeRequest } from '../protocol/encoder.ts';
import { FanOutCall } from './fan-out-call.ts';
import type { Slot } from './slot.ts';

/** What is needed to send a read once more. */
export interface Repeatable {
  readonly id: EntryId;
  /** Of the command, its name included. */
  readonly argc: number;
  readonly db: number;
  readonly timeoutMs: number;
  /** What its waiters get rather than a failure. */
  insteadOf(): Buffer | undefined;
}

class RepeatedRead extends FanOutCall {
  readonly #read: Repeatable;

  constructor(read: Repeatable) {
    super();
    this.#read = read;
  }

  override insteadOf(): Buffer | undefined {
    return this.#read.insteadOf();
  }
}

/** Send a read whose connection died before its reply once more, when the link is back; which `waiters` may have it. Not for those who
 *  have sent a write behind it, which may have run by now: they would see what came later; nor for those who have a part of the reply.
 *  Returns those who must be told that it is lost. Bounds: within the retry budget of the shard. */
export function repeatRead(read: Repeatable, waiters: readonly Slot[], now: number): readonly Slot[] {
  const mayWait = (slot: Slot): boolean =>
    !slot.hasTimedOut &&
    !slot.hasBegun &&
    slot.detour === undefined &&
    slot.owner.writes === slot.writesBefore;
  const patient = waiters.filter(mayWait);
  const identity = patient[0]?.identity;
  if (identity === undefined || !identity.shard.retries.take(identity.shard.stats.commands)) return waiters;
  const call = new RepeatedRead(read);
  call.waiters.push(...patient);
  call.sentAt = now;
  call.timeoutMs = read.timeoutMs;
  const bytes = requestOf(read);
  identity.shared.submit(call, bytes, 0, bytes.length, read.db);
  return waiters.filter((slot) => !mayWait(slot));
}

/** The bytes of the command, from what its entry is known by. */
function requestOf({ id, argc }: Repeatable): Buffer {
  const { bytes, keyStart, keyEnd, argsStart, argsEnd, commandId } = id;
  const head = encodeRequest([commandById(commandId).name, bytes.subarray(keyStart, keyEnd)]);
  // The header says two arguments; what follows the key is as the app sent it.
  const nameAndKey = head.subarray(head.indexOf('\n') + 1);
  return Buffer.concat([
    Buffer.from(`*${argc}\r\n`, 'latin1'),
    nameAndKey,
    bytes.subarray(argsStart, argsEnd),
  ]);
}
