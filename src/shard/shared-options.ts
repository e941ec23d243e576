import type { Confirmation } from '../cache/confirmation.ts';
import type { AdaptiveLimit } from './adaptive-limit.ts';
import type { Backoff } from './backoff.ts';
import type { Breaker } from './breaker.ts';
import type { AddressSource } from './connection.ts';
import type { CredentialSource } from './credentials.ts';
import type { ServerInfo } from './handshake.ts';
import type { Outcomes } from './outcomes.ts';
import type { SharedConnection } from './shared-connection.ts';
import type { SharedLinkParts } from './shared-link.ts';

/** Something that has a request, and no room or turn for it. */
export interface Waiter {
  wake(): void;
}

export interface SharedOptions {
  address: AddressSource;
  credentials: CredentialSource;
  /** Ask for CLIENT TRACKING: this connection feeds the near-cache. */
  tracks: boolean;
  connectTimeoutMs: number;
  /** What another connection has learnt about the same server. */
  knownServer: () => ServerInfo | undefined;
  heartbeatMs: number;
  /** What it is called at Redis, asked at each connect. */
  clientName?: () => string;
  /** For every generation of it. */
  confirmation?: Confirmation | undefined;
  inFlightMax: number;
  /** How long Redis may take nothing before commands are refused rather than held back. */
  queueTimeoutMs: number;
  /** Open = apps' commands are not sent; undefined = they always are. */
  breaker?: Breaker | undefined;
  /** Who counts what becomes of them. */
  outcomes?: Outcomes | undefined;
  /** Instead of `inFlightMax`, at most that; undefined = it stays. */
  limit?: AdaptiveLimit | undefined;
  /** A server that loads its data set is not usable yet: see at connect whether it does. */
  asksReady?: boolean;
  /** A write that changes nothing there, with which a link is tried that follows one which was silent: a Redis that holds writes back
   *  (CLIENT PAUSE … WRITE) answers a handshake, and the first write on the new link would have all reads behind it wait again. */
  emptyWrite?: () => readonly string[];
}

/** Who wants to know what happens on a shared connection: the near-cache of its shard. */
export interface SharedListener {
  invalidated(keys: readonly string[] | 'all'): void;
  /** Usable again: entries of lost generations must go before the first fill. */
  ready(connection: SharedConnection): void;
  lost(connection: SharedConnection, reason: string): void;
}

/** What one is made with besides. */
export interface SharedParts extends SharedLinkParts {
  backoff: Backoff;
  listener: SharedListener;
}
