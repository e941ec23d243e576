import type { Identity } from '../shard/identity.ts';
import type { Session } from './session.ts';

/** All open sessions, for CLIENT LIST, KILL and UNBLOCK and for drain. Ids are nearcache's own, from 1 on, never
 *  reused; they are not Redis's ids (DESIGN rule 11). */
export class SessionRegistry {
  #sessions = new Map<number, Session>();
  #nextId = 1;
  /** Called when the last session is gone. */
  onEmpty: (() => void) | undefined;

  get size(): number {
    return this.#sessions.size;
  }

  nextId(): number {
    return this.#nextId++;
  }

  add(session: Session): void {
    this.#sessions.set(session.id, session);
    session.context.stats.open = this.#sessions.size;
  }

  remove(session: Session): void {
    this.#sessions.delete(session.id);
    session.context.stats.open = this.#sessions.size;
    if (this.#sessions.size === 0) this.onEmpty?.();
  }

  byId(id: number): Session | undefined {
    return this.#sessions.get(id);
  }

  /** Redis has disconnected this user: so do we. */
  closeAllOf(identity: Identity): void {
    for (const session of this.#sessions.values()) {
      if (session.user.has(identity)) session.close('upstream', 'Redis refuses its user');
    }
  }

  all(): IterableIterator<Session> {
    return this.#sessions.values();
  }
}
