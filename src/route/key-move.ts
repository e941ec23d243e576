import type { Reply } from '../protocol/reply-parser.ts';
import type { CallFailure } from '../shard/call.ts';
import type { MoveMethod, RingRecord } from './ring-record.ts';
import {
  type Arguments,
  dropArguments,
  failedMove,
  migrateArguments,
  MOVED,
  type MoveOutcome,
  type MoveTarget,
  moveOutcome,
  putArguments,
  takeArguments,
} from './ring-scripts.ts';

/** Where requests that move keys go. */
export interface MoverLink {
  send(request: Arguments, db: number, done: (reply: Reply, failure: CallFailure | undefined) => void): void;
}

/** One key on its way. Shape: `line` = the record of its source, `record` the same read. */
export interface KeyMove {
  readonly key: Buffer;
  readonly db: number;
  readonly source: MoverLink;
  readonly sink: MoverLink;
  readonly target: MoveTarget;
  readonly line: string;
  readonly record: RingRecord;
}

/** lost: nobody knows whether it was moved; asking again does no harm. */
export type MoveEnd = MoveOutcome | { readonly kind: 'lost'; readonly text: string };

/** Longest wait of a source for its target, in which it serves nobody. Units: ms. */
export const TARGET_TIMEOUT_MS = 1000;

/** Move one key from its old owner to its new one, never over a key that is there. Several may do that with the same key at once. */
export const moveKey: Readonly<Record<MoveMethod, (move: KeyMove, done: (end: MoveEnd) => void) => void>> = {
  migrate: moveByMigrate,
  copy: moveByCopy,
};

function moveByMigrate({ key, db, source, target, line }: KeyMove, done: (end: MoveEnd) => void): void {
  source.send(
    migrateArguments(line, db, target, TARGET_TIMEOUT_MS, [key]),
    db,
    ending(done, () => done(MOVED)),
  );
}

/** Three steps that are one in effect: nobody uses the key at its new owner before the old one has none, and the second step happens once,
 *  however many try. */
function moveByCopy({ key, db, source, sink, line, record }: KeyMove, done: (end: MoveEnd) => void): void {
  const drop = (): void =>
    source.send(
      dropArguments(line, db, key),
      db,
      ending(done, () => done(MOVED)),
    );
  const put = (reply: Reply): void => {
    const [payload, ttlMs] = Array.isArray(reply) ? reply : [];
    // Nothing to move.
    if (typeof payload !== 'string' || typeof ttlMs !== 'number') return done(MOVED);
    const value = { payload: Buffer.from(payload, 'latin1'), ttlMs };
    sink.send(putArguments(record.id, db, key, value), db, ending(done, drop));
  };
  source.send(takeArguments(line, db, key), db, ending(done, put));
}

/** Go on with a good reply; end with any other. */
function ending(
  done: (end: MoveEnd) => void,
  next: (reply: Reply) => void,
): (reply: Reply, failure: CallFailure | undefined) => void {
  return (reply, failure) => {
    if (failure !== undefined) {
      const { kind, reason } = failure;
      return done(
        kind === 'timeout' || kind === 'refused' ? failedMove(reason) : { kind: 'lost', text: reason },
      );
    }
    const outcome = moveOutcome(reply);
    if (outcome.kind === 'moved') next(reply);
    else done(outcome);
  };
}
