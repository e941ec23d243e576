import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { checkServerIdentity } from 'node:tls';
import { systemClock } from '../base/clock.ts';
import type { Logger } from '../base/log.ts';
import { systemRandom } from '../base/random.ts';
import type { NearCache } from '../cache/near-cache.ts';
import type { Config, HostPort } from '../config/config.ts';
import type { BreakerOptions } from '../shard/breaker.ts';
import type { ShardAddress } from '../shard/connection.ts';
import type { CredentialSource } from '../shard/credentials.ts';
import { Hedging } from '../shard/hedging.ts';
import type { Identity } from '../shard/identity.ts';
import { Replicas } from '../shard/replicas.ts';
import { Shard } from '../shard/shard.ts';
import { ShardStats } from '../shard/shard-stats.ts';

/** What a shard's connections say of themselves and how they are protected. */
export interface ShardAccess {
  readonly tls: boolean;
  readonly user?: string | undefined;
  readonly password?: string | undefined;
  /** Those that are known from the beginning. */
  readonly replicas?: readonly HostPort[];
}

/** Makes shards with the options that all have in common. */
export class ShardMaker {
  readonly #config: Config;
  readonly #parts: { log: Logger; cache: NearCache | undefined };
  readonly #onRefused: (identity: Identity) => void;
  #nextNumber = 0;
  /** All that were made and are not closed: each must know the links beside its own. */
  readonly #made = new Set<Shard>();

  /** `onRefused`: Redis does not accept an identity's credentials any more. */
  constructor(
    config: Config,
    parts: { log: Logger; cache: NearCache | undefined },
    onRefused: (identity: Identity) => void,
  ) {
    this.#config = config;
    this.#parts = parts;
    this.#onRefused = onRefused;
  }

  /** `isWatched`: somebody confirms again and again that it is still the primary. */
  make(name: string, at: HostPort, access: ShardAccess, isWatched = false): Shard {
    const config = this.#config;
    const shard = new Shard(
      {
        name,
        number: this.#nextNumber++,
        address: this.addressOf(at, access),
        credentials: credentialSource(config, access),
        maxStalenessMs: config.maxStalenessMs,
        connectTimeoutMs: config.connectTimeoutMs,
        commandTimeoutMs: config.commandTimeoutMs,
        linkDeadMs: config.linkDeadMs,
        reconnectBaseMs: config.reconnectBaseMs,
        reconnectMaxMs: config.reconnectMaxMs,
        inFlightMax: config.shardInFlight,
        pinnedMax: config.pinnedMax,
        pinnedIdleMax: config.pinnedIdleMax,
        pinnedIdleMs: config.pinnedIdleMs,
        identitiesMax: config.identitiesMax,
        canaryMs: config.canaryMs,
        canaryKey: config.canaryKey,
        touchRate: config.touchRate,
        queueTimeoutMs: config.queueTimeoutMs,
        hasAdaptiveLimit: config.adaptiveLimit === 'on',
        breaker: config.breaker === 'on' ? breakerOptions(config) : undefined,
        recovery: {
          forMs: config.recoveryRampMs,
          rate: config.recoveryRate,
          queueTimeoutMs: config.queueTimeoutMs,
        },
        retryBudgetPercent: config.retryReads === 'on' ? config.retryBudgetPercent : 0,
        topologyMaxAgeMs: isWatched ? config.topologyMaxAgeMs : undefined,
      },
      {
        clock: systemClock,
        random: systemRandom,
        log: this.#parts.log,
        stats: new ShardStats(),
        cache: this.#parts.cache,
        siblings: this.#made,
      },
    );
    shard.onRefused = this.#onRefused;
    shard.replicas = this.#replicasOf(shard, access);
    shard.hedging = config.hedgeReads === 'on' ? new Hedging() : undefined;
    this.#made.add(shard);
    return shard;
  }

  #replicasOf(shard: Shard, access: ShardAccess): Replicas | undefined {
    const { policies, hedgeReads } = this.#config;
    if (
      hedgeReads === 'off' &&
      policies.all.every(({ readPreference = 'primary' }) => readPreference === 'primary')
    )
      return undefined;
    const replicas = new Replicas(
      shard,
      { policies, addressOf: (at) => this.addressOf(at, access) },
      { clock: systemClock, random: systemRandom, log: this.#parts.log },
    );
    replicas.follow(access.replicas ?? []);
    return replicas;
  }

  /** Which shard's link filled the entries of a fence. */
  shardsByFence(): Map<number, Shard> {
    const shards = new Map<number, Shard>();
    for (const shard of this.#made) {
      for (const { shared } of shard.identities) shards.set(shared.generation.fence, shard);
    }
    return shards;
  }

  /** It is not used any more. */
  retire(shard: Shard): void {
    this.#made.delete(shard);
    shard.close();
  }

  addressOf({ host, port }: HostPort, { tls }: ShardAccess): ShardAddress {
    if (!tls) return { host, port, tls: undefined };
    const config = this.#config;
    const name = config.upstreamTlsServerName ?? host;
    const read = (path: string | undefined): Buffer | undefined =>
      path === undefined ? undefined : readFileSync(path);
    return {
      host,
      port,
      tls: {
        ca: read(config.upstreamTlsCa),
        cert: read(config.upstreamTlsCert),
        key: read(config.upstreamTlsKey),
        // An address is no name to ask for in the handshake, but the certificate must carry it all the same.
        ...(isIP(name) === 0 ? { servername: name } : {}),
        checkServerIdentity: (_host, certificate) => checkServerIdentity(name, certificate),
      },
    };
  }
}

function breakerOptions(config: Config): BreakerOptions {
  return {
    errorPercent: config.breakerErrorPercent,
    // A command that is given up is slow, whatever else is said.
    slowMs: Math.min(config.breakerSlowMs, config.commandTimeoutMs),
    slowPercent: config.breakerSlowPercent,
    windowMs: config.breakerWindowMs,
    volume: config.breakerVolume,
    openMs: config.breakerOpenMs,
    probes: config.breakerProbes,
  };
}

/** A password file is read at each connect, so that a rotated secret needs no restart. */
function credentialSource(config: Config, { user, password }: ShardAccess): CredentialSource {
  const { upstreamPasswordFile } = config;
  if (upstreamPasswordFile === undefined || password !== undefined) return () => ({ user, password });
  return () => ({ user, password: readFileSync(upstreamPasswordFile, 'utf8').replace(/\r?\n$/, '') });
}
