import type { LogFormat, LogLevel } from '../base/log.ts';
import type { PolicyTable } from '../policy/policy-table.ts';

/** Everything that can be set, after flags, environment and file were merged and checked. Frozen.
 *  Units: `…Ms` milliseconds, `…Bytes` bytes, `…Percent` hundredths, `…Max` and `…InFlight` counts. `options.ts` has the meaning,
 *  default and bounds of each. */
export interface Config {
  readonly listen: readonly ListenAddress[];
  /** False while `listen` is the default: only then an address this machine lacks (::1) is skipped silently. */
  readonly listenGiven: boolean;
  /** The URL with `upstreamUser` and `upstreamPassword` already applied. */
  readonly upstream: UpstreamAddress;
  readonly upstreamUser?: string | undefined;
  readonly upstreamPassword?: string | undefined;
  /** Read again at every connect, so that a rotated secret needs no restart. */
  readonly upstreamPasswordFile?: string | undefined;
  readonly upstreamTlsCa?: string | undefined;
  readonly upstreamTlsCert?: string | undefined;
  readonly upstreamTlsKey?: string | undefined;
  readonly upstreamTlsServerName?: string | undefined;
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
  readonly pinnedMax: number;
  readonly pinnedIdleMax: number;
  readonly pinnedIdleMs: number;
  readonly identitiesMax: number;
  readonly followersMax: number;
  readonly drainMs: number;
  /** Files of the `tls://` listeners; `tlsCa` given = client certificates are required. */
  readonly tlsCert?: string | undefined;
  readonly tlsKey?: string | undefined;
  readonly tlsCa?: string | undefined;
}

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
  readonly staleWhileRevalidate: number | undefined;
  readonly leases: boolean;
  readonly leaseWait: number;
  readonly leaseTtl: number;
}

/** Where apps connect. Shape: `host` without brackets, `port` 0 = any free one. */
export type ListenAddress =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'tls'; readonly host: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string };

/** The Redis behind us. Shape: `host` without brackets. */
export interface UpstreamAddress {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
  readonly user?: string;
  readonly password?: string;
}

/** Where the admin server listens. Shape: `host` `::` = every address. */
export interface AdminAddress {
  readonly host: string;
  readonly port: number;
}
