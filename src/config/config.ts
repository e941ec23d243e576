import type { LogFormat, LogLevel } from '../base/log.ts';
import type { ReadPreference, WhenAway } from '../policy/policy.ts';
import type { PolicyTable } from '../policy/policy-table.ts';
import type { KeyHashName } from '../route/key-hashes.ts';
import type { Distribution } from '../route/ring.ts';

/** Everything that can be set, after flags, environment and file were merged and checked. Frozen.
 *  Units: `…Ms` milliseconds, `…Bytes` bytes, `…Percent` hundredths, `…Max` and `…InFlight` counts. `options.ts` has the meaning,
 *  default and bounds of each. */
export interface Config {
  readonly listen: readonly ListenAddress[];
  /** False while `listen` is the default: only then an address this machine lacks (::1) is skipped silently. */
  readonly listenGiven: boolean;
  /** `upstreamUser` and `upstreamPassword` are already applied where a URL has none. */
  readonly upstream: UpstreamConfig;
  readonly upstreamUser?: string | undefined;
  readonly upstreamPassword?: string | undefined;
  /** For those whose `password` is absent. Read again at every connect, so that a rotated secret needs no restart. */
  readonly upstreamPasswordFile?: string | undefined;
  readonly upstreamTlsCa?: string | undefined;
  readonly upstreamTlsCert?: string | undefined;
  readonly upstreamTlsKey?: string | undefined;
  readonly upstreamTlsServerName?: string | undefined;
  /** How often Sentinels and the nodes of a Cluster are asked, and how old their last answer may be for hits to be served. */
  readonly topologyRefreshMs: number;
  readonly topologyMaxAgeMs: number;
  /** MOVED and ASK that are followed for one command. */
  readonly redirectsMax: number;
  /** Which server answers reads that are not cached; a policy may say otherwise. */
  readonly readPreference: ReadPreference;
  /** Answer CLUSTER … as one node that owns all slots. */
  readonly clusterEmulation: boolean;
  /** The address of that node; undefined = the one that the session connected to. */
  readonly clusterAnnounce: HostPort | undefined;
  /** What servers without tracking are to tell instead of it. */
  readonly invalidationSource: InvalidationSource;
  /** Undefined = nearcache subscribes to none. */
  readonly invalidationChannel: string | undefined;
  /** After a message of that channel its keys are not filled for so long. */
  readonly invalidationHoldOffMs: number;
  /** Undefined = no admin server (`off`). */
  readonly admin: AdminAddress | undefined;
  /** 0 = no cache. */
  readonly cacheBytes: number;
  readonly eviction: Eviction;
  readonly expectedEntryBytes: number;
  readonly maxItemBytes: number;
  /** Of a key and the command's arguments together. */
  readonly maxItemKeyBytes: number;
  /** Cacheable commands of class C and D; see `CommandSpec.cacheClass`. */
  readonly cachesMultiKey: boolean;
  readonly cachesSort: boolean;
  readonly maxStalenessMs: number;
  /** 0 = never. */
  readonly staleIfErrorMs: number;
  /** 0 = no canary. */
  readonly canaryMs: number;
  /** What the canary's key begins with. */
  readonly canaryKey: string;
  /** Keys per second; 0 = none. */
  readonly touchRate: number;
  /** Of `policies`, what the default one says; policies that leave it out say the same. */
  readonly cacheMaxTtlMs: number;
  readonly cacheNegativeTtlMs: number;
  readonly cacheTtlJitterPercent: number;
  readonly cacheSoftTtlPercent: number;
  readonly cacheReread: 'on' | 'off';
  readonly staleWhileRevalidateMs: number;
  readonly policies: PolicyTable;
  readonly requireAuth: boolean;
  readonly logLevel: LogLevel;
  readonly logFormat: LogFormat;
  readonly connectTimeoutMs: number;
  readonly commandTimeoutMs: number;
  readonly slowCommandTimeoutMs: number;
  readonly blockingGraceMs: number;
  readonly linkDeadMs: number;
  readonly reconnectBaseMs: number;
  readonly reconnectMaxMs: number;
  readonly bigValueBytes: number;
  readonly bulkBytes: number;
  readonly argsMax: number;
  readonly inlineBytes: number;
  readonly outputBytes: number;
  readonly sessionInFlight: number;
  readonly shardInFlight: number;
  readonly clientsMax: number;
  /** 0 = as the kernel likes. */
  readonly clientSendBufferBytes: number;
  readonly pinnedMax: number;
  readonly pinnedIdleMax: number;
  readonly pinnedIdleMs: number;
  readonly identitiesMax: number;
  readonly followersMax: number;
  /** Errors and slow calls of all commands in a window open it. */
  readonly breaker: 'on' | 'off';
  readonly breakerErrorPercent: number;
  readonly breakerSlowMs: number;
  readonly breakerSlowPercent: number;
  readonly breakerWindowMs: number;
  readonly breakerVolume: number;
  readonly breakerOpenMs: number;
  readonly breakerProbes: number;
  /** As a policy may say it for its keys. */
  readonly whenAway: WhenAway;
  readonly retryReads: 'on' | 'off';
  readonly retryBudgetPercent: number;
  readonly hedgeReads: 'on' | 'off';
  readonly queueTimeoutMs: number;
  /** 0 = no ramp. */
  readonly recoveryRampMs: number;
  /** Reads a second. */
  readonly recoveryRate: number;
  readonly adaptiveLimit: 'on' | 'off';
  /** Commands a second, as a policy may say it for its keys; 0 = no limit. */
  readonly rateLimit: number;
  /** 0 = no limit. */
  readonly clientsMemoryBytes: number;
  /** 0 = never. */
  readonly clientIdleTimeoutMs: number;
  readonly requestTimeoutMs: number;
  readonly slowClientTimeoutMs: number;
  /** Bytes a second. */
  readonly slowClientRateBytes: number;
  readonly startup: Startup;
  readonly drainMs: number;
  readonly drainServeMs: number;
  readonly hotKeysFile?: string | undefined;
  readonly hotKeysMax: number;
  /** Keys a second. */
  readonly preloadRate: number;
  readonly loopLagWarnMs: number;
  /** 0 = none. */
  readonly watchdogMs: number;
  /** Files of the `tls://` listeners; `tlsCa` given = client certificates are required. */
  readonly tlsCert?: string | undefined;
  readonly tlsKey?: string | undefined;
  readonly tlsCa?: string | undefined;
}

/** What apps meet before Redis has first answered. */
export type Startup = 'wait' | 'listen' | 'loading';

/** Which entries go when the memory is full. */
export type Eviction = 's3fifo' | 'tinylfu' | 'fifo' | 'clock' | 'lru';

/** One `--policy` as it was given. Shape: undefined = as the general option. Units: ms, percent. */
export interface PolicySettings {
  readonly prefix: Buffer;
  readonly cache: boolean;
  readonly maxTtl: number | undefined;
  readonly negativeTtl: number | undefined;
  readonly ttlJitter: number | undefined;
  readonly softTtl: number | undefined;
  readonly reread: 'on' | 'off' | undefined;
  readonly staleWhileRevalidate: number | undefined;
  readonly readPreference: ReadPreference | undefined;
  readonly staleIfError: number | undefined;
  readonly whenAway: WhenAway | undefined;
  readonly rateLimit: number | undefined;
  readonly leases: boolean;
  readonly leaseWait: number;
  readonly leaseTtl: number;
}

/** Where apps connect. Shape: `host` without brackets, `port` 0 = any free one. */
export type ListenAddress =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'tls'; readonly host: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string };

/** What is behind us. */
export type UpstreamConfig = RingConfig | ClusterConfig;

/** Shards that nearcache itself divides the keys over; one shard = a plain Redis.
 *  Bounds: 1 to 1024 shards with distinct names. Shape: `hashTag` is two ASCII characters, or '' for none. */
export interface RingConfig {
  readonly kind: 'ring';
  readonly distribution: Distribution;
  readonly hash: KeyHashName;
  readonly hashTag: string;
  readonly shards: readonly ShardConfig[];
  /** The ring that it is to become (`nearcache reshard`); shards that are in both have one name. */
  readonly next?: Omit<RingConfig, 'next'> | undefined;
}

/** One shard of a ring. Bounds: weight 1 to 1000; up to 64 replicas. Shape: the name, not the address, places keys. */
export interface ShardConfig {
  readonly name: string;
  readonly weight: number;
  readonly source: ShardSource;
  /** Of Sentinels also the connections to them. */
  readonly tls: boolean;
  readonly user?: string;
  readonly password?: string;
  readonly replicas: readonly HostPort[];
}

/** Where a shard's primary is, or who knows. Bounds: 1 to 64 Sentinels. */
export type ShardSource =
  | { readonly kind: 'address'; readonly host: string; readonly port: number }
  | {
      readonly kind: 'sentinel';
      readonly sentinels: readonly HostPort[];
      readonly master: string;
      readonly sentinelUser?: string;
      readonly sentinelPassword?: string;
    };

/** A Redis Cluster. Bounds: 1 to 64 seeds, the nodes that are asked first. */
export interface ClusterConfig {
  readonly kind: 'cluster';
  readonly seeds: readonly HostPort[];
  readonly tls: boolean;
  readonly user?: string;
  readonly password?: string;
}

/** Shape: `host` without brackets. */
export interface HostPort {
  readonly host: string;
  readonly port: number;
}

/** `tracking`: none, the near-cache is off for a server without it. `keyspace`: keyspace notifications. `ttl`: nothing. */
export type InvalidationSource = 'tracking' | 'keyspace' | 'ttl';

/** Where the admin server listens. Shape: `host` `::` = every address. */
export type AdminAddress = HostPort;
