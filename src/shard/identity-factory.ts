import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/log.ts';
import type { Random } from '../base/random.ts';
import type { NearCache } from '../cache/near-cache.ts';
import { AdaptiveLimit } from './adaptive-limit.ts';
import { Backoff } from './backoff.ts';
import { Canary } from './canary.ts';
import type { CredentialSource, Credentials } from './credentials.ts';
import type { ServerInfo } from './handshake.ts';
import type { Identity } from './identity.ts';
import { PinnedPool } from './pinned-pool.ts';
import type { Shard, ShardOptions } from './shard.ts';
import type { ShardStats } from './shard-stats.ts';
import { SharedConnection } from './shared-connection.ts';
import type { SharedListener } from './shared-options.ts';
import { Subscriber } from './subscriber.ts';

/** What an identity's parts need of their shard. */
export interface FactoryParts {
  shard: Shard;
  clock: Clock;
  random: Random;
  stats: ShardStats;
  cache: NearCache | undefined;
  server: () => ServerInfo | undefined;
  /** The sidecar's own link. */
  own: () => SharedConnection;
}

/** Makes the connections of a shard's identities. */
export class IdentityFactory {
  readonly #options: ShardOptions;
  readonly #parts: FactoryParts;
  #nextNumber = 0;

  constructor(options: ShardOptions, parts: FactoryParts) {
    this.#options = options;
    this.#parts = parts;
  }

  /** `source` is asked at each connect; `listener` hears of the shared connection. */
  make(
    user: string,
    source: CredentialSource,
    given: { credentials: Credentials; isPassing: boolean; listener: SharedListener; log: Logger },
  ): Identity {
    const { log } = given;
    const { clock, stats, cache, server } = this.#parts;
    const options = this.#options;
    const number = this.#nextNumber++;
    // The sidecar's own credentials may sit in a file: what was read last tells its user.
    const remembering: CredentialSource = () => {
      identity.credentials = source();
      return identity.credentials;
    };
    const common = {
      address: this.#parts.shard.addressSource,
      credentials: remembering,
      connectTimeoutMs: options.connectTimeoutMs,
      inFlightMax: options.inFlightMax,
      queueTimeoutMs: options.queueTimeoutMs,
      clientName: () => this.#parts.shard.clientName,
      knownServer: server,
      heartbeatMs: options.maxStalenessMs / 4,
    };
    const parts = { clock, stats, log };
    const shared = new SharedConnection(
      {
        ...common,
        tracks: cache !== undefined,
        confirmation: this.#parts.shard.confirmation,
        breaker: this.#parts.shard.breakers?.all,
        outcomes: this.#parts.shard.breakers?.outcomes,
        limit: options.hasAdaptiveLimit
          ? new AdaptiveLimit({ max: options.inFlightMax, plainTimeoutMs: options.commandTimeoutMs })
          : undefined,
        asksReady: number === 0,
        emptyWrite: this.#parts.shard.emptyWrite,
      },
      { ...parts, backoff: this.#backoff(), listener: given.listener },
    );
    const identity: Identity = {
      number,
      shard: this.#parts.shard,
      user,
      credentials: given.credentials,
      shared,
      control: new SharedConnection(
        { ...common, tracks: false, heartbeatMs: Number.POSITIVE_INFINITY },
        { ...parts, backoff: this.#backoff(), listener: this.#controlListener() },
      ),
      pinned: this.#pinned(remembering),
      subscriber: this.#subscriber(remembering, shared),
      canary: cache === undefined ? undefined : this.#canary(shared, cache, number, log),
      databases: new Set([0]),
      isPassing: given.isPassing,
      sessions: 0,
    };
    return identity;
  }

  #pinned(credentials: CredentialSource): PinnedPool {
    const options = this.#options;
    const limits = {
      pinnedMax: options.pinnedMax,
      idleMax: options.pinnedIdleMax,
      idleMs: options.pinnedIdleMs,
      connectTimeoutMs: options.connectTimeoutMs,
      commandTimeoutMs: options.commandTimeoutMs,
    };
    const pool = new PinnedPool(
      this.#parts.shard.addressSource,
      credentials,
      limits,
      this.#parts.clock,
      this.#parts.stats,
    );
    pool.nameOf = () => this.#parts.shard.pinnedName;
    pool.onLost = (clientId) => this.#parts.shard.ghosts.add(clientId);
    return pool;
  }

  #subscriber(credentials: CredentialSource, shared: SharedConnection): Subscriber {
    const { name, connectTimeoutMs, commandTimeoutMs, linkDeadMs, inFlightMax } = this.#options;
    const { shard } = this.#parts;
    const { clock, stats } = this.#parts;
    const times = { connectTimeoutMs, commandTimeoutMs, linkDeadMs, idleMs: this.#options.pinnedIdleMs };
    return new Subscriber(
      {
        shardName: name,
        address: shard.addressSource,
        clientName: () => shard.clientName,
        credentials,
        inFlightMax,
        ...times,
      },
      // Known to be away: nobody waits for one more connection to fail.
      { clock, stats, obstacle: () => (shared.state === 'down' ? shared.problem : undefined) },
    );
  }

  #canary(link: SharedConnection, cache: NearCache, number: number, log: Logger): Canary {
    const { canaryKey, canaryMs } = this.#options;
    const { random, clock, own } = this.#parts;
    // No other nearcache may have the same: its canary would be taken for ours.
    const key = `${canaryKey}:${Math.floor(random() * 2 ** 48).toString(36)}:${number}`;
    const { shard } = this.#parts;
    return new Canary(link, () => key + shard.keyTag, canaryMs, { cache, writer: own, clock, log });
  }

  #backoff(): Backoff {
    return new Backoff(this.#options.reconnectBaseMs, this.#options.reconnectMaxMs, this.#parts.random);
  }

  #controlListener(): SharedListener {
    const { stats } = this.#parts;
    return {
      invalidated: () => undefined,
      ready: () => {
        stats.controlConnections++;
      },
      lost: (control) => {
        if (control.state === 'ready') stats.controlConnections--;
      },
    };
  }
}
