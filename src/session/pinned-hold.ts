import type { CallFailure } from '../shard/call.ts';
import type { PinnedConnection, PinnedHolder } from '../shard/pinned-connection.ts';
import type { PinnedPool } from '../shard/pinned-pool.ts';
import type { Shard } from '../shard/shard.ts';
import type { Session } from './session.ts';
import { failureLine } from './slot.ts';

/** At most one pinned connection on loan to a session: taken from the pool of the session's user when it is first needed, and
 *  given back to that pool, whoever the session is by then. */
export class PinnedHold {
  connection: PinnedConnection | undefined;
  #session: Session;
  #holder: PinnedHolder;
  #pool: PinnedPool | undefined;
  /** Where the connection is, or will be. */
  shard: Shard | undefined;
  #isOpening = false;
  #failure: CallFailure | undefined;

  constructor(session: Session, holder: PinnedHolder) {
    this.#session = session;
    this.#holder = holder;
  }

  /** The connection, taken if necessary. undefined = being opened, wait; 'failed' = the request was answered with why. */
  take(): PinnedConnection | 'failed' | undefined {
    if (this.connection === undefined && this.#failure === undefined) this.open();
    if (this.connection !== undefined) {
      // It is at another shard: given back as soon as everything is answered.
      if (this.shard !== this.#session.identity.shard) return undefined;
      return this.connection.connection.isFull ? undefined : this.connection;
    }
    if (this.#failure === undefined) return undefined;
    const failure = this.#failure;
    this.#failure = undefined;
    const session = this.#session;
    session.countOwnError();
    session.answer(failureLine(failure, session.shardName, 0));
    return 'failed';
  }

  /** Begin to open it, if that has not begun. `done` also runs when it could not be opened. */
  open(done: () => void = () => undefined): void {
    if (this.#isOpening) return;
    const session = this.#session;
    const { proto, db, name, identity } = session;
    const { obstacle } = identity.shared;
    if (obstacle !== undefined) {
      // Known to be away: nobody waits for one more connection to fail.
      this.#failure = obstacle;
      return done();
    }
    this.#isOpening = true;
    this.#pool = identity.pinned;
    this.shard = identity.shard;
    identity.pinned.acquire(this.#holder, { proto, db, name }, (pinned, failure) => {
      this.#isOpening = false;
      if (session.isClosed) {
        if (pinned !== undefined) identity.pinned.release(pinned, true);
        return;
      }
      this.connection = pinned;
      this.#failure = failure;
      done();
      session.wake();
    });
  }

  /** Give it back. `isClean` = nothing that ran on it left state behind. */
  release(isClean: boolean): void {
    const { connection } = this;
    this.connection = undefined;
    if (connection !== undefined) this.#pool?.release(connection, isClean);
  }

  /** End it, because nobody else could use it. */
  destroy(reason: string): void {
    this.connection?.destroy(reason);
    this.connection = undefined;
  }

  /** It is gone. */
  lost(): void {
    this.connection = undefined;
  }
}
