import type { LogFormat, LogLevel } from '../base/log.ts';

/** Everything that can be set, after flags, environment and file were merged and checked. Frozen.
 *  Units: `…Ms` milliseconds, `…Bytes` bytes, `…Max` and `…InFlight` counts. `options.ts` has the meaning,
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
  readonly maxStalenessMs: number;
  /** 0 = never. */
  readonly staleIfErrorMs: number;
  readonly cacheMaxTtlMs: number;
  readonly cacheNegativeTtlMs: number;
  readonly maxItemBytes: number;
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
  readonly drainMs: number;
  /** Files of the `tls://` listeners; `tlsCa` given = client certificates are required. */
  readonly tlsCert?: string | undefined;
  readonly tlsKey?: string | undefined;
  readonly tlsCa?: string | undefined;
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
