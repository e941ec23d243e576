import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/log.ts';
import type { Random } from '../base/random.ts';
import type { NearCache } from '../cache/near-cache.ts';
import { AuthConnection } from './auth-connection.ts';
import { Backoff } from './backoff.ts';
import type { ShardAddress } from './connection.ts';
import type { CredentialSource, Credentials } from './credentials.ts';
import type { ServerInfo } from './handshake.ts';
import type { Identity } from './identity.ts';
import { PinnedPool } from './pinned-pool.ts';
import type { ShardStats } from './shard-stats.ts';
import { SharedConnection, type SharedListener } from './shared-connection.ts';

export interface ShardOptions {
  name: string;
  address: ShardAddress;
  /** The sidecar's own credentials, read anew at every connect. */
  credentials: CredentialSource;
  maxStalenessMs: number;
  connectTimeoutMs: number;
  commandTimeoutMs: number;
  linkDeadMs: number;
  reconnectBaseMs: number;
  reconnectMaxMs: number;
  inFlightMax: number;
  pinnedMax: number;
  pinnedIdleMax: number;
  pinnedIdleMs: number;
  identitiesMax: number;
}

/** How often time-outs are looked for. */
const TICK_MS = 100;
/** A tick this late means that the process itself stood still: read the sockets before judging them. */
const STALL_MS = 1000;

/** One Redis server: its identities, each with a shared, a control and pinned connections, and its near-cache.
 *  Errors: none thrown; what cannot be sent fails its call. */
export class Shard {
  readonly name: string;
  readonly options: ShardOptions;
  readonly stats: ShardStats;
  readonly cache: NearCache | undefined;
  readonly auth: AuthConnection;
  /** The sidecar's own identity: every session that has not authenticated. */
  readonly own: Identity;
  /** Redis does not accept an identity's credentials any more: its sessions are to end, as they would at Redis. */
  onRefused: (identity: Identity) => void = () => undefined;
  #others = new Map<string, Identity>();
  #passing = new Set<Identity>();
  #clock: Clock;
  #random: Random;
  #log: Logger;
  #nextNumber = 0;
  #lastTickAt = 0;
  #stopTicking: () => void = () => undefined;

  constructor(
    options: ShardOptions,
    parts: { clock: Clock; random: Random; log: Logger; stats: ShardStats; cache: NearCache | undefined },
  ) {
    this.name = options.name;
    this.options = options;
    this.#clock = parts.clock;
    this.#random = parts.random;
    this.#log = parts.log.child({ shard: options.name });
    this.stats = parts.stats;
    this.cache = parts.cache;
    this.auth = new AuthConnection(options.address, options, this.#clock, this.stats);
    this.own = this.#identity('default', options.credentials);
  }

  start(): void {
    this.own.shared.start();
    this.#lastTickAt = this.#clock.now();
    this.#stopTicking = this.#clock.every(TICK_MS, () => this.#tick());
  }

  close(): void {
    this.#stopTicking();
    for (const identity of this.identities()) this.#closeIdentity(identity);
    this.auth.close();
  }

  /** The identity of a user whose credentials Redis has just accepted; undefined when there are too many.
   *  Unauthenticated sessions never share an identity that a password opened. */
  identityOf(user: string, credentials: Credentials): Identity | undefined {
    if (this.own.shared.isReady && this.#ownUser() === user) return this.own;
    const known = this.#others.get(user);
    if (known !== undefined) {
      known.credentials = credentials;
      known.shared.retryNow();
      known.control.retryNow();
      return known;
    }
    if (this.#others.size >= this.options.identitiesMax && !this.#dropUnused()) return undefined;
    const identity: Identity = this.#identity(user, () => identity.credentials, credentials);
    this.#others.set(user, identity);
    identity.shared.start();
    return identity;
  }

  /** An identity of its own for one session, without a shared connection: for users beyond `identitiesMax`.
   *  The session closes its pool at the end. */
  passingIdentity(user: string, credentials: Credentials): Identity {
    const identity: Identity = this.#identity(user, () => identity.credentials, credentials, true);
    this.#passing.add(identity);
    return identity;
  }

  /** The session of a passing identity is over. */
  forget(identity: Identity): void {
    if (this.#passing.delete(identity)) this.#closeIdentity(identity);
  }

  *identities(): IterableIterator<Identity> {
    yield this.own;
    yield* this.#others.values();
    yield* this.#passing;
  }

  /** What a handshake told about the server, as whatever user: it is the same server. */
  get server(): ServerInfo | undefined {
    for (const { shared } of this.identities()) if (shared.server !== undefined) return shared.server;
    return undefined;
  }

  /** Does more than one link feed the near-cache? Then one link's barrier does not speak for the others. */
  get hasSeveralSources(): boolean {
    return this.#others.size > 0;
  }

  #ownUser(): string {
    const user = this.own.credentials.user ?? 'default';
    return typeof user === 'string' ? user : user.toString('latin1');
  }

  #dropUnused(): boolean {
    for (const [user, identity] of this.#others) {
      if (identity.sessions > 0) continue;
      this.#others.delete(user);
      this.#closeIdentity(identity);
      return true;
    }
    return false;
  }

  #closeIdentity(identity: Identity): void {
    if (identity.shared.isReady) this.stats.sharedConnections--;
    if (identity.control.isReady) this.stats.controlConnections--;
    identity.shared.close();
    identity.control.close();
    identity.pinned.close();
  }

  #identity(
    user: string,
    source: CredentialSource,
    credentials: Credentials = { user: undefined, password: undefined },
    isPassing = false,
  ): Identity {
    const log = this.#log.child({ identity: user });
    const { options, stats } = this;
    const number = this.#nextNumber++;
    // The sidecar's own credentials may sit in a file: remember what was read last, for `#ownUser`.
    const remembering: CredentialSource = () => {
      identity.credentials = source();
      return identity.credentials;
    };
    const common = {
      address: options.address,
      credentials: remembering,
      connectTimeoutMs: options.connectTimeoutMs,
      inFlightMax: options.inFlightMax,
      knownServer: () => this.server,
      heartbeatMs: options.maxStalenessMs / 4,
    };
    const parts = { clock: this.#clock, stats };
    const identity: Identity = {
      number,
      user,
      credentials,
      shared: new SharedConnection(
        { ...common, tracks: this.cache !== undefined },
        { ...parts, backoff: this.#backoff(), listener: this.#sharedListener(log, () => identity), log },
      ),
      control: new SharedConnection(
        { ...common, tracks: false, heartbeatMs: Number.POSITIVE_INFINITY },
        { ...parts, backoff: this.#backoff(), listener: this.#controlListener(), log },
      ),
      pinned: new PinnedPool(
        options.address,
        remembering,
        {
          pinnedMax: options.pinnedMax,
          idleMax: options.pinnedIdleMax,
          idleMs: options.pinnedIdleMs,
          connectTimeoutMs: options.connectTimeoutMs,
          commandTimeoutMs: options.commandTimeoutMs,
        },
        this.#clock,
        stats,
      ),
      databases: new Set([0]),
      isPassing,
      sessions: 0,
    };
    return identity;
  }

  #backoff(): Backoff {
    return new Backoff(this.options.reconnectBaseMs, this.options.reconnectMaxMs, this.#random);
  }

  #sharedListener(log: Logger, identityOf: () => Identity): SharedListener {
    const { stats, cache } = this;
    return {
      invalidated: (keys) => this.#invalidated(keys),
      ready: (shared) => {
        cache?.dropDead();
        stats.sharedConnections++;
        if (identityOf() === this.own) stats.up = 1;
        log.info({ state: shared.generation.isTracking ? 'tracking' : 'pass-through' }, 'shard is up');
      },
      lost: (shared, reason) => {
        if (shared.state === 'ready') {
          stats.sharedConnections--;
          if (identityOf() === this.own) stats.up = 0;
          log.warn({ reason }, 'shard was lost');
        } else if (shared.state === 'connecting') {
          log.warn({ reason }, 'shard is unreachable, retrying with back-off');
        }
        if (shared.problem.kind === 'refused' && identityOf() !== this.own) {
          this.onRefused(identityOf());
        }
      },
    };
  }

  #controlListener(): SharedListener {
    return {
      invalidated: () => undefined,
      ready: () => {
        this.stats.controlConnections++;
      },
      lost: (control) => {
        if (control.state === 'ready') this.stats.controlConnections--;
      },
    };
  }

  #invalidated(keys: readonly string[] | 'all'): void {
    const { cache } = this;
    if (cache === undefined) return;
    if (keys === 'all') {
      cache.flush();
      return;
    }
    cache.stats.invalidations += keys.length;
    for (const key of keys) cache.revoke(key);
  }

  #tick(): void {
    const now = this.#clock.now();
    const stalled = now - this.#lastTickAt > STALL_MS;
    this.#lastTickAt = now;
    if (stalled) return;
    let inFlight = 0;
    for (const identity of this.identities()) {
      identity.shared.tick(now);
      identity.control.tick(now);
      identity.pinned.tick(now);
      this.#judge(identity, now);
      inFlight += identity.shared.inFlight;
    }
    this.stats.inFlight = inFlight;
    this.auth.tick(now);
  }

  /** A silent link is dead, unless the control connection hears -BUSY: then a script, perhaps of this very link, holds
   *  its replies back (DESIGN rule 8). Redis being well on the control connection says that the silent link is not. */
  #judge({ shared, control }: Identity, now: number): void {
    const { linkDeadMs } = this.options;
    const reason = `no byte received for ${linkDeadMs} ms`;
    if (control.isSilent(now, linkDeadMs)) control.reset(reason);
    if (!shared.isSilent(now, linkDeadMs / 2)) return;
    control.probe();
    if (shared.isSilent(now, linkDeadMs) && now - control.busyAt > linkDeadMs) shared.reset(reason);
  }
}
