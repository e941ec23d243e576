import type { Credentials, CredentialSource } from './credentials.ts';
import type { ServerInfo } from './handshake.ts';
import type { Identity } from './identity.ts';
import type { ShardOptions } from './shard.ts';
import type { ShardStats } from './shard-stats.ts';
import type { SharedConnection } from './shared-connection.ts';

/** `source` is asked at each connect. */
export type MakeIdentity = (
  user: string,
  source: CredentialSource,
  credentials: Credentials,
  isPassing: boolean,
) => Identity;

/** The identities of one shard: the sidecar's own, those of users that have logged in, and passing ones for users beyond
 *  `identitiesMax`. Iterated in this order. */
export class Identities implements Iterable<Identity> {
  /** Every session that has not authenticated. */
  readonly own: Identity;
  readonly #others = new Map<string, Identity>();
  readonly #passing = new Set<Identity>();
  readonly #options: ShardOptions;
  readonly #stats: ShardStats;
  readonly #make: MakeIdentity;

  constructor(options: ShardOptions, stats: ShardStats, make: MakeIdentity) {
    this.#options = options;
    this.#stats = stats;
    this.#make = make;
    this.own = make('default', options.credentials, { user: undefined, password: undefined }, false);
  }

  *[Symbol.iterator](): IterableIterator<Identity> {
    yield this.own;
    yield* this.#others.values();
    yield* this.#passing;
  }

  /** The identity of a user whose credentials Redis has just accepted; undefined when there are too many.
   *  Unauthenticated sessions never share an identity that a password opened. */
  of(user: string, credentials: Credentials): Identity | undefined {
    if (this.own.shared.isReady && this.#ownUser() === user) return this.own;
    const known = this.#others.get(user);
    if (known !== undefined) {
      known.credentials = credentials;
      known.shared.retryNow();
      known.control.retryNow();
      return known;
    }
    if (this.#others.size >= this.#options.identitiesMax && !this.#dropUnused()) return undefined;
    const identity: Identity = this.#make(user, () => identity.credentials, credentials, false);
    this.#others.set(user, identity);
    identity.shared.start();
    return identity;
  }

  /** An identity of its own for one session, without a shared connection: for users beyond `identitiesMax`.
   *  The session says at its end that it is to be forgotten. */
  addPassing(user: string, credentials: Credentials): Identity {
    const identity: Identity = this.#make(user, () => identity.credentials, credentials, true);
    this.#passing.add(identity);
    return identity;
  }

  /** The session of a passing identity is over, or has become another user: what it subscribed to before stays. */
  forget(identity: Identity): void {
    if (identity.subscriber.isUsed) return;
    if (this.#passing.delete(identity)) this.#close(identity);
  }

  /** What a handshake told about the server, as whatever user: it is the same server. */
  get server(): ServerInfo | undefined {
    for (const { shared } of this) if (shared.server !== undefined) return shared.server;
    return undefined;
  }

  /** Does more than one link feed the near-cache? Then one link's barrier does not speak for the others. */
  get hasSeveralSources(): boolean {
    return this.#others.size > 0;
  }

  /** A shared connection that is usable: the own one, unless only apps' users may log in. */
  get anyLink(): SharedConnection {
    for (const { shared } of this) if (shared.isReady) return shared;
    return this.own.shared;
  }

  /** Every link goes; those that are always there are made anew at once. */
  reset(reason: string): void {
    for (const { shared, control, pinned, subscriber } of this) {
      shared.reset(reason);
      control.reset(reason);
      pinned.close(reason);
      subscriber.close(reason);
      shared.retryNow();
      control.retryNow();
    }
  }

  tick(now: number): void {
    let inFlight = 0;
    for (const identity of this) {
      identity.shared.tick(now);
      identity.control.tick(now);
      identity.pinned.tick(now);
      identity.subscriber.tick(now);
      if (identity.isPassing && identity.sessions === 0) this.forget(identity);
      identity.canary?.tick(now);
      this.#judge(identity, now);
      inFlight += identity.shared.inFlight;
    }
    this.#stats.inFlight = inFlight;
  }

  close(): void {
    for (const identity of this) this.#close(identity);
  }

  #ownUser(): string {
    const user = this.own.credentials.user ?? 'default';
    return typeof user === 'string' ? user : user.toString('latin1');
  }

  #dropUnused(): boolean {
    for (const [user, identity] of this.#others) {
      if (identity.sessions > 0 || identity.subscriber.isUsed) continue;
      this.#others.delete(user);
      this.#close(identity);
      return true;
    }
    return false;
  }

  #close(identity: Identity): void {
    if (identity.shared.isReady) this.#stats.sharedConnections--;
    if (identity.control.isReady) this.#stats.controlConnections--;
    identity.shared.close();
    identity.control.close();
    identity.pinned.close();
    identity.subscriber.close();
  }

  /** A silent link is dead, unless the control connection hears -BUSY: then a script, perhaps of this very link, holds
   *  its replies back (DESIGN rule 8). Redis being well on the control connection says that the silent link is not. */
  #judge({ shared, control }: Identity, now: number): void {
    const { linkDeadMs } = this.#options;
    const reason = `no byte received for ${linkDeadMs} ms`;
    if (control.isSilent(now, linkDeadMs)) control.reset(reason);
    if (!shared.isSilent(now, linkDeadMs / 2)) return;
    control.probe();
    if (shared.isSilent(now, linkDeadMs) && now - control.busyAt > linkDeadMs) shared.giveUp(reason);
  }
}
