import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/log.ts';
import type { Random } from '../base/random.ts';
import { Confirmation } from '../cache/confirmation.ts';
import type { NearCache } from '../cache/near-cache.ts';
import { AuthConnection } from './auth-connection.ts';
import type { AddressSource, ShardAddress } from './connection.ts';
import { encodeRequest } from '../protocol/encoder.ts';
import { OwnCall } from './call.ts';
import type { CredentialSource, Credentials } from './credentials.ts';
import { Ghosts } from './ghosts.ts';
import { Identities } from './identities.ts';
import type { Identity } from './identity.ts';
import { IdentityFactory } from './identity-factory.ts';
import type { Replicas } from './replicas.ts';
import type { ShardStats } from './shard-stats.ts';
import { ANY_DB, type SharedConnection } from './shared-connection.ts';
import type { SharedListener } from './shared-options.ts';
import { Breakers } from './breakers.ts';
import type { BreakerOptions } from './breaker.ts';
import type { Hedging } from './hedging.ts';
import { Ramp, type RampOptions } from './ramp.ts';
import { RetryBudget } from './retry-budget.ts';
import { Toucher } from './toucher.ts';

export interface ShardOptions {
  name: string;
  /** No other shard of this nearcache has had it: part of SCAN's cursors. */
  number: number;
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
  /** 0 = no canary. */
  canaryMs: number;
  /** What the canary's key begins with, as latin1. */
  canaryKey: string;
  /** Keys a second that Redis is told are in use. */
  touchRate: number;
  queueTimeoutMs: number;
  /** `inFlightMax` is lowered while replies get slower. */
  hasAdaptiveLimit: boolean;
  /** Undefined = none. */
  breaker: BreakerOptions | undefined;
  recovery: RampOptions;
  /** 0 = nothing is sent again. */
  retryBudgetPercent: number;
  /** Undefined = the address is its for ever; else how old a confirmation may be that it is still the primary. */
  topologyMaxAgeMs?: number | undefined;
}

/** How often time-outs are looked for. */
const TICK_MS = 100;
/** A tick this late, or half of what a slow call is, means that the process itself stood still: read the sockets before judging them. */
const STALL_MS = 1000;

/** One Redis server: its identities, each with a shared, a control and pinned connections, and its near-cache.
 *  Errors: none thrown; what cannot be sent fails its call. */
export class Shard {
  readonly name: string;
  readonly number: number;
  /** Where it is now. */
  address: ShardAddress;
  readonly addressSource: AddressSource = () => this.address;
  /** A write that changes nothing, to a key that this shard has and no app uses. Redis counts it as one that needs memory. */
  readonly emptyWrite = (): readonly string[] => [
    'SETRANGE',
    `${this.options.canaryKey}:probe${this.keyTag}`,
    '0',
    '',
  ];
  readonly options: ShardOptions;
  /** Somebody confirms it again and again, for entries to be served. */
  readonly confirmation: Confirmation | undefined;
  /** What connections to it are called. */
  clientName = 'nearcache';
  pinnedName = '';
  /** What the end of a key must be for this shard to have it; '' = it may have any. */
  keyTag = '';
  /** Undefined = no policy has reads of them. */
  replicas: Replicas | undefined;
  readonly ghosts: Ghosts = new Ghosts(() => this.own.control);
  /** Undefined = there are none. */
  readonly breakers: Breakers | undefined;
  /** For reads that the near-cache has lost by an outage. */
  readonly ramp: Ramp;
  readonly retries: RetryBudget;
  /** Undefined = replicas are not asked for reads that take long. */
  hedging: Hedging | undefined;
  readonly stats: ShardStats;
  readonly cache: NearCache | undefined;
  readonly auth: AuthConnection;
  readonly identities: Identities;
  /** The sidecar's own identity: every session that has not authenticated. */
  readonly own: Identity;
  /** Redis does not accept an identity's credentials any more: its sessions are to end, as they would at Redis. */
  onRefused: (identity: Identity) => void = () => undefined;
  /** Its own link is up. */
  onUp: () => void = () => undefined;
  readonly #siblings: Iterable<Shard>;
  #clock: Clock;
  #factory: IdentityFactory;
  #toucher: Toucher | undefined;
  #log: Logger;
  #lastTickAt = 0;
  #wasAway = false;
  #stopTicking: () => void = () => undefined;

  constructor(
    options: ShardOptions,
    parts: {
      clock: Clock;
      random: Random;
      log: Logger;
      stats: ShardStats;
      cache: NearCache | undefined;
      /** All shards that feed the same near-cache, this one too. */
      siblings?: Iterable<Shard>;
    },
  ) {
    this.name = options.name;
    this.number = options.number;
    this.address = options.address;
    this.confirmation =
      options.topologyMaxAgeMs === undefined ? undefined : new Confirmation(options.topologyMaxAgeMs);
    this.options = options;
    this.#clock = parts.clock;
    this.#log = parts.log.child({ shard: options.name });
    this.stats = parts.stats;
    this.cache = parts.cache;
    this.#siblings = parts.siblings ?? [this];
    this.ramp = new Ramp(options.recovery, parts.clock);
    this.retries = new RetryBudget(options.retryBudgetPercent);
    this.breakers = options.breaker === undefined ? undefined : this.#makeBreakers(options.breaker);
    const hotKeys = parts.cache?.hotKeys;
    this.#toucher = hotKeys === undefined ? undefined : new Toucher(hotKeys, options.touchRate);
    this.auth = new AuthConnection(this.addressSource, options, this.#clock, this.stats);
    this.#factory = new IdentityFactory(options, {
      shard: this,
      clock: parts.clock,
      random: parts.random,
      stats: parts.stats,
      cache: parts.cache,
      server: () => this.identities.server,
      own: () => this.own.shared,
    });
    this.identities = new Identities(options, parts.stats, (...given) => this.#make(...given));
    this.own = this.identities.own;
  }

  start(): void {
    this.own.shared.start();
    this.replicas?.start();
    this.#lastTickAt = this.#clock.now();
    this.#stopTicking = this.#clock.every(TICK_MS, () => this.#tick());
  }

  close(): void {
    this.#stopTicking();
    this.replicas?.close();
    this.breakers?.close();
    this.identities.close();
    this.auth.close();
  }

  /** Its primary is elsewhere now: every link goes, with all that the near-cache knows by it. */
  moveTo(host: string, port: number): void {
    if (this.address.host === host && this.address.port === port) return;
    const isFirst = this.address.port === 0;
    this.address = { ...this.address, host, port };
    if (isFirst) this.#log.info({ address: `${host}:${port}` }, 'the primary is known');
    else this.#log.warn({ address: `${host}:${port}` }, 'the primary has moved');
    this.identities.reset('the primary has moved');
    this.auth.close();
  }

  /** In a ring connections are known by the nearcache that they belong to (decisions/0008); those that are there already are renamed.
   *  `pinnedName`: what a pinned connection is called that the app has not named. */
  nameAs(clientName: string, pinnedName: string): void {
    this.pinnedName = pinnedName;
    if (this.clientName === clientName) return;
    this.clientName = clientName;
    const bytes = encodeRequest(['CLIENT', 'SETNAME', clientName]);
    for (const { shared, control } of this.identities) {
      for (const link of [shared, control]) {
        if (link.isReady) link.submit(new OwnCall(() => undefined), bytes, 0, bytes.length, ANY_DB);
      }
    }
  }

  /** How long entries may still be served if Redis says nothing more; undefined = none may be served. Units: ms. */
  get margin(): number | undefined {
    const { generation } = this.own.shared;
    if (!generation.isAlive || !generation.isTracking) return undefined;
    return this.options.maxStalenessMs - (this.#clock.now() - generation.freshAt);
  }

  #make(user: string, source: CredentialSource, credentials: Credentials, isPassing: boolean): Identity {
    const log = this.#log.child({ identity: user });
    const listener = this.#listener(log, () => identity);
    const identity: Identity = this.#factory.make(user, source, { credentials, isPassing, listener, log });
    return identity;
  }

  #listener(log: Logger, identityOf: () => Identity): SharedListener {
    const { stats, cache } = this;
    return {
      invalidated: (keys) => {
        identityOf().canary?.invalidated(keys);
        cache?.invalidate(keys, identityOf().shared.generation.fence);
      },
      ready: (shared) => {
        cache?.dropExcept(this.#fencesBeside(shared));
        identityOf().canary?.reset(this.#clock.now());
        stats.sharedConnections++;
        if (identityOf() === this.own) this.#isBack();
        log.info({ state: shared.generation.isTracking ? 'tracking' : 'pass-through' }, 'shard is up');
      },
      lost: (shared, reason) => {
        if (shared.state === 'ready') {
          this.ghosts.add(shared.server?.clientId);
          stats.sharedConnections--;
          if (identityOf() === this.own) stats.up = 0;
          log.warn({ reason }, 'shard was lost');
        } else if (shared.state === 'connecting') {
          log.warn({ reason }, 'shard is unreachable, retrying with back-off');
          // One that only refuses nearcache's own user is there for others.
          const isRefused = shared.problem.kind === 'refused';
          if (identityOf() === this.own && !isRefused) this.#isAway(shared.problem.reason);
        }
        if (shared.problem.kind === 'refused' && identityOf() !== this.own) {
          this.onRefused(identityOf());
        }
      },
    };
  }

  /** A link that is replaced at once is no outage. */
  #isAway(reason: string): void {
    this.#wasAway = true;
    this.breakers?.linkIsDown(reason);
  }

  #isBack(): void {
    if (this.#wasAway) this.ramp.begin(this.#clock.now());
    this.#wasAway = false;
    this.stats.up = 1;
    this.breakers?.linkIsUp();
    this.onUp();
  }

  #makeBreakers(options: BreakerOptions): Breakers {
    return new Breakers(options, {
      clock: this.#clock,
      log: this.#log,
      link: () => this.identities.anyLink,
      emptyWrite: this.emptyWrite,
    });
  }

  /** The fences whose entries stay when a link comes back with a new one. */
  #fencesBeside(own: SharedConnection): Set<number> {
    const fences = new Set<number>();
    for (const shard of this.#siblings) {
      for (const { shared } of shard.identities) if (shared !== own) fences.add(shared.generation.fence);
    }
    return fences;
  }

  #tick(): void {
    const now = this.#clock.now();
    const stalled =
      now - this.#lastTickAt > Math.min(STALL_MS, (this.breakers?.all.options.slowMs ?? Infinity) / 2);
    this.#lastTickAt = now;
    if (stalled) return;
    this.identities.tick(now);
    this.breakers?.tick(now);
    this.replicas?.tick(now);
    if (this.cache !== undefined && this.#toucher !== undefined) {
      this.cache.stats.touched += this.#toucher.tick(this.own, now);
    }
    this.auth.tick(now);
  }
}
