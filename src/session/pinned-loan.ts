import { encodeRequest } from '../protocol/encoder.ts';
import { OwnCall } from '../shard/call.ts';
import type { Identity } from '../shard/identity.ts';
import type { PinnedConnection, PinnedHolder } from '../shard/pinned-connection.ts';
import type { Session } from './session.ts';
import type { Slot } from './slot.ts';

const PING = encodeRequest(['PING']);

/** One command for a connection from the pool. */
export interface Loan {
  readonly slot: Slot;
  readonly bytes: Buffer;
  /** In which its reply is to come. */
  readonly proto: 2 | 3;
  /** What goes ahead of it, whose reply is nobody's. */
  readonly ahead: Buffer | undefined;
  /** Does it leave nothing behind on the connection? */
  readonly isClean: boolean;
  /** It is about to be sent. */
  begins?: () => void;
  /** It was answered. */
  ends?: () => void;
}

/** Run one command on a connection of its own, which is given back when the command was answered: a PING behind it tells. It may
 *  block, so it ends with its session. */
export function runOnLoan(session: Session, identity: Identity, loan: Loan): void {
  const { slot, bytes, proto, ahead, isClean } = loan;
  const { db, name, pin } = session;
  identity.pinned.acquire(HOLDER, { proto, db, name }, (pinned, failure) => {
    if (failure !== undefined) return slot.fail(failure);
    if (pinned === undefined) return;
    if (session.isClosed) {
      identity.pinned.release(pinned, true);
      return slot.fail({ kind: 'lost', reason: 'its session closed' });
    }
    pin.detours.add(pinned);
    loan.begins?.();
    if (ahead !== undefined) ask(pinned, ahead, () => undefined);
    pinned.submit(slot, bytes, 0, bytes.length);
    ask(pinned, PING, () => {
      pin.detours.delete(pinned);
      loan.ends?.();
      identity.pinned.release(pinned, isClean);
    });
  });
}

function ask(pinned: PinnedConnection, bytes: Buffer, done: () => void): void {
  pinned.submit(new OwnCall(done), bytes, 0, bytes.length);
}

/** The calls hear of a loss themselves. */
const HOLDER: PinnedHolder = {
  pinnedFrame: () => undefined,
  pinnedLost: () => undefined,
  pinnedDrained: () => undefined,
};
