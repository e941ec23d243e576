import type { Upstream } from '../route/upstream.ts';
import type { Credentials } from '../shard/credentials.ts';
import type { Identity } from '../shard/identity.ts';
import type { Shard } from '../shard/shard.ts';

/** Who a session is, at every shard: the sidecar's own user, or the one as whom it has authenticated. */
export class SessionUser {
  readonly #upstream: Upstream;
  /** By the shard's number, of which there are not many. */
  readonly #identities: (Identity | undefined)[] = [];
  #given: { user: string; credentials: Credentials } | undefined;

  constructor(upstream: Upstream) {
    this.#upstream = upstream;
  }

  /** The ACL user, as latin1. */
  get name(): string {
    return this.at(this.#upstream.home).user;
  }

  /** Its identity at a shard; a second ask gives the same. */
  at(shard: Shard): Identity {
    return this.#identities[shard.number] ?? this.#enter(shard);
  }

  has(identity: Identity): boolean {
    return this.#identities[identity.shard.number] === identity;
  }

  /** Redis has accepted these credentials. */
  become(user: string, credentials: Credentials): void {
    this.leave();
    this.#given = { user, credentials };
  }

  /** The sidecar's own user again, or the end of the session. */
  leave(): void {
    for (const identity of this.#identities) {
      if (identity === undefined) continue;
      identity.sessions--;
      if (identity.isPassing) identity.shard.identities.forget(identity);
    }
    this.#identities.length = 0;
    this.#given = undefined;
  }

  #enter(shard: Shard): Identity {
    const identity = this.#identityAt(shard);
    identity.sessions++;
    this.#identities[shard.number] = identity;
    return identity;
  }

  #identityAt(shard: Shard): Identity {
    if (this.#given === undefined) return shard.own;
    const { user, credentials } = this.#given;
    const { identities } = shard;
    return identities.of(user, credentials) ?? identities.addPassing(user, credentials);
  }
}
