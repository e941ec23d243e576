import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { checkServerIdentity } from 'node:tls';
import { type AdminServer, type AdminState, startAdmin } from './admin/server.ts';
import { systemClock } from './base/clock.ts';
import type { Logger } from './base/log.ts';
import { systemRandom } from './base/random.ts';
import { CacheStats } from './cache/cache-stats.ts';
import { createStore } from './cache/create-store.ts';
import { HotKeys } from './cache/hot-keys.ts';
import { NearCache } from './cache/near-cache.ts';
import type { Config } from './config/config.ts';
import { createMetrics } from './metrics/registry.ts';
import { RequestDecoder } from './protocol/request-decoder.ts';
import { Leases } from './session/leases.ts';
import { Listener } from './session/listener.ts';
import type { SessionContext, SessionOptions } from './session/session-context.ts';
import { SessionRegistry } from './session/session-registry.ts';
import { SessionStats } from './session/session-stats.ts';
import type { ShardAddress } from './shard/connection.ts';
import type { CredentialSource } from './shard/credentials.ts';
import { Shard } from './shard/shard.ts';
import { ShardStats } from './shard/shard-stats.ts';

/** How long start waits for the first answer of Redis before it opens the listeners all the same. */
const FIRST_CONNECT_POLL_MS = 5;

/** One nearcache: everything is built here, once, in the order of a request's way back: cache, shard, sessions, listeners,
 *  then what looks at them. Read this first.
 *  Errors: `start` rejects when an address cannot be listened on. */
export class App {
  /** The addresses that are open, ports filled in. */
  listening: readonly string[] = [];
  readonly #config: Config;
  readonly #log: Logger;
  readonly #version: string;
  readonly #shard: Shard;
  readonly #registry = new SessionRegistry();
  readonly #sessionStats = new SessionStats();
  readonly #cache: NearCache | undefined;
  readonly #listener: Listener;
  #admin: AdminServer | undefined;
  #isStarted = false;
  #isDraining = false;

  constructor(config: Config, log: Logger, version: string) {
    this.#config = config;
    this.#log = log;
    this.#version = version;
    const cache = config.cacheBytes === 0 ? undefined : nearCacheOf(config);
    this.#cache = cache;
    this.#shard = new Shard(shardOptions(config), {
      clock: systemClock,
      random: systemRandom,
      log,
      stats: new ShardStats(),
      cache,
    });
    this.#shard.onRefused = (identity) => this.#registry.closeAllOf(identity);
    const options = sessionOptions(config);
    const context: SessionContext = {
      options,
      shard: this.#shard,
      registry: this.#registry,
      leases: cache === undefined ? undefined : leasesOf(cache, options, config.pinnedMax),
      lookahead: new RequestDecoder(options.requests),
      stats: this.#sessionStats,
      clock: systemClock,
      log,
    };
    this.#listener = new Listener(
      {
        addresses: config.listen,
        skipsMissing: !config.listenGiven,
        tls:
          config.tlsCert === undefined || config.tlsKey === undefined
            ? undefined
            : { cert: config.tlsCert, key: config.tlsKey, ca: config.tlsCa },
        clientsMax: config.clientsMax,
      },
      context,
    );
  }

  /** The admin server's port, when there is one. */
  get adminPort(): number | undefined {
    return this.#admin?.port;
  }

  async start(): Promise<void> {
    if (this.#config.admin !== undefined) this.#admin = await this.#startAdmin(this.#config.admin);
    this.#shard.start();
    await this.#firstAnswer();
    this.listening = await this.#listener.open();
    this.#isStarted = true;
    for (const address of this.listening) this.#log.info({ address }, 'listening');
  }

  /** Take no new connections, close the others between replies, and stop; at the latest after the drain deadline. */
  async stop(): Promise<void> {
    if (this.#isDraining) return;
    this.#isDraining = true;
    this.#log.info({ count: this.#registry.size }, 'draining');
    this.#listener.close();
    await this.#sessionsGone();
    this.#shard.close();
    await this.#admin?.close();
    this.#log.info('stopped');
  }

  async #sessionsGone(): Promise<void> {
    if (this.#registry.size === 0) return;
    await new Promise<void>((resolve) => {
      const cancel = systemClock.after(this.#config.drainMs, () => {
        for (const session of this.#registry.all()) session.close('drain', 'the drain deadline has passed');
        resolve();
      });
      this.#registry.onEmpty = () => {
        cancel();
        resolve();
      };
      for (const session of this.#registry.all()) session.drain();
    });
  }

  /** Whether Redis wants a password is known only once it has answered; an unreachable Redis does not hold up the start. */
  async #firstAnswer(): Promise<void> {
    const { shared } = this.#shard.own;
    const end = systemClock.now() + this.#config.connectTimeoutMs;
    while (shared.state === 'connecting' && systemClock.now() < end) {
      await new Promise<void>((resolve) => {
        setTimeout(resolve, FIRST_CONNECT_POLL_MS);
      });
    }
  }

  #startAdmin(address: { host: string; port: number }): Promise<AdminServer> {
    const shard = this.#shard;
    const metrics = createMetrics({
      sessions: this.#sessionStats,
      shards: [{ name: shard.name, stats: shard.stats, margin: () => this.#margin() }],
      cache:
        this.#cache === undefined
          ? undefined
          : { stats: this.#cache.stats, store: this.#cache.store.stats, policies: this.#cache.policies },
      version: this.#version,
    });
    return startAdmin({ ...address, metrics, logger: this.#log, state: this.#adminState() });
  }

  #adminState(): AdminState {
    const isStarted = (): boolean => this.#isStarted;
    const isDraining = (): boolean => this.#isDraining;
    return {
      get started() {
        return isStarted();
      },
      get draining() {
        return isDraining();
      },
      shards: () => [this.#shardState()],
    };
  }

  /** How long entries may still be served if Redis says nothing more. */
  #margin(): number | undefined {
    const { generation } = this.#shard.own.shared;
    if (!generation.isAlive || !generation.isTracking) return undefined;
    return this.#config.maxStalenessMs - (systemClock.now() - generation.freshAt);
  }

  #shardState(): { name: string; address: string; state: string; error?: string } {
    const { shared } = this.#shard.own;
    const { host, port } = this.#config.upstream;
    const state = { name: this.#shard.name, address: `${host}:${port}`, state: shared.state };
    return shared.isReady ? state : { ...state, error: shared.problem.reason };
  }
}

function nearCacheOf(config: Config): NearCache {
  const store = createStore(config.eviction, {
    maxBytes: config.cacheBytes,
    expectedEntryBytes: config.expectedEntryBytes,
    maxItemBytes: config.maxItemBytes,
    maxKeyBytes: config.maxItemKeyBytes,
    seed: Math.floor(systemRandom() * 2 ** 32),
  });
  return new NearCache(
    { maxStalenessMs: config.maxStalenessMs, maxKeyBytes: config.maxItemKeyBytes },
    {
      store,
      policies: config.policies,
      stats: new CacheStats(),
      random: systemRandom,
      hotKeys: config.touchRate === 0 ? undefined : new HotKeys(),
    },
  );
}

/** Undefined = no policy has any. */
function leasesOf(cache: NearCache, options: SessionOptions, pinnedMax: number): Leases | undefined {
  if (cache.policies.all.every(({ lease }) => lease === undefined)) return undefined;
  const tokensMax = Math.ceil(pinnedMax / 2);
  const leases = new Leases(cache, { clock: systemClock, random: systemRandom, options, tokensMax });
  cache.watcher = leases;
  return leases;
}

function shardOptions(config: Config): ConstructorParameters<typeof Shard>[0] {
  return {
    name: config.upstream.name,
    address: shardAddress(config),
    credentials: credentialSource(config),
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
  };
}

function sessionOptions(config: Config): SessionOptions {
  return {
    requests: {
      bulkBytes: config.bulkBytes,
      argsMax: config.argsMax,
      inlineBytes: config.inlineBytes,
      bigBytes: config.bigValueBytes,
    },
    outputBytes: config.outputBytes,
    inFlightMax: config.sessionInFlight,
    commandTimeoutMs: config.commandTimeoutMs,
    slowCommandTimeoutMs: config.slowCommandTimeoutMs,
    blockingGraceMs: config.blockingGraceMs,
    requireAuth: config.requireAuth,
    followersMax: config.followersMax,
    cachesMultiKey: config.cachesMultiKey,
    cachesSort: config.cachesSort,
  };
}

function shardAddress(config: Config): ShardAddress {
  const { host, port, tls } = config.upstream;
  if (!tls) return { host, port, tls: undefined };
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

/** A password file is read at each connect, so that a rotated secret needs no restart. */
function credentialSource(config: Config): CredentialSource {
  const { user, password } = config.upstream;
  const { upstreamPasswordFile } = config;
  if (upstreamPasswordFile === undefined) return () => ({ user, password });
  return () => ({ user, password: readFileSync(upstreamPasswordFile, 'utf8').replace(/\r?\n$/, '') });
}
