import { type AdminServer, type AdminState, startAdmin } from './admin/server.ts';
import { systemClock } from './base/clock.ts';
import type { Logger } from './base/log.ts';
import { buildCache, buildLeases } from './build/build-cache.ts';
import { buildInvalidations } from './build/build-invalidations.ts';
import { buildUpstream } from './build/build-upstream.ts';
import { sessionOptions } from './build/session-options.ts';
import { ShardMaker } from './build/shard-maker.ts';
import type { NearCache } from './cache/near-cache.ts';
import type { Config, RingConfig } from './config/config.ts';
import { configDifference } from './config/difference.ts';
import type { Invalidations } from './invalidation/invalidations.ts';
import { createMetrics } from './metrics/registry.ts';
import { RequestDecoder } from './protocol/request-decoder.ts';
import { Listener } from './session/listener.ts';
import type { SessionContext } from './session/session-context.ts';
import { SessionRegistry } from './session/session-registry.ts';
import { SessionStats } from './session/session-stats.ts';
import type { Upstream } from './route/upstream.ts';
import type { Shard } from './shard/shard.ts';

/** How long start waits for the first answer of Redis before it opens the listeners all the same. */
const FIRST_CONNECT_POLL_MS = 5;

/** One nearcache: everything is built here, once, in the order of a request's way back: cache, shard, sessions, listeners,
 *  then what looks at them. Read this first.
 *  Errors: `start` rejects when an address cannot be listened on. */
export class App {
  /** The addresses that are open, ports filled in. */
  listening: readonly string[] = [];
  #config: Config;
  readonly #log: Logger;
  readonly #version: string;
  readonly #upstream: Upstream;
  readonly #reloadRing: (ring: RingConfig) => void;
  readonly #registry = new SessionRegistry();
  readonly #sessionStats = new SessionStats();
  readonly #cache: NearCache | undefined;
  readonly #invalidations: Invalidations | undefined;
  readonly #listener: Listener;
  #admin: AdminServer | undefined;
  #isStarted = false;
  #isDraining = false;

  constructor(config: Config, log: Logger, version: string) {
    this.#config = config;
    this.#log = log;
    this.#version = version;
    const cache = buildCache(config);
    this.#cache = cache;
    const maker = new ShardMaker(config, { log, cache }, (identity) => this.#registry.closeAllOf(identity));
    const { upstream, reload } = buildUpstream(config, { maker, log, cache, registry: this.#registry });
    this.#upstream = upstream;
    this.#reloadRing = reload;
    this.#invalidations = buildInvalidations(config, { cache, log, shards: () => this.#upstream.shards });
    const options = sessionOptions(config);
    const context: SessionContext = {
      options,
      upstream: this.#upstream,
      cache,
      registry: this.#registry,
      leases: cache === undefined ? undefined : buildLeases(cache, options, config.pinnedMax),
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
    this.#upstream.start();
    this.#invalidations?.start();
    await this.#firstAnswer();
    this.listening = await this.#listener.open();
    this.#isStarted = true;
    for (const address of this.listening) this.#log.info({ address }, 'listening');
  }

  /** The configuration was read again: a changed ring is taken in at once; all else waits for a restart, and is named in the log. */
  reload(config: Config): void {
    const { ringChanged, restartKeys } = configDifference(this.#config, config);
    if (restartKeys.length > 0)
      this.#log.warn({ reason: restartKeys.join(', ') }, 'changed, but needs a restart');
    if (!ringChanged || config.upstream.kind !== 'ring') return;
    this.#config = { ...this.#config, upstream: config.upstream };
    this.#reloadRing(config.upstream);
    this.#log.info({ count: config.upstream.shards.length }, 'the ring was read again');
  }

  /** Take no new connections, close the others between replies, and stop; at the latest after the drain deadline. */
  async stop(): Promise<void> {
    if (this.#isDraining) return;
    this.#isDraining = true;
    this.#log.info({ count: this.#registry.size }, 'draining');
    this.#listener.close();
    await this.#sessionsGone();
    this.#invalidations?.close();
    this.#upstream.close();
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
    const end = systemClock.now() + this.#config.connectTimeoutMs;
    while (this.#upstream.shards.some(isUnknown) && systemClock.now() < end) {
      await new Promise<void>((resolve) => {
        setTimeout(resolve, FIRST_CONNECT_POLL_MS);
      });
    }
  }

  #startAdmin(address: { host: string; port: number }): Promise<AdminServer> {
    const upstream = this.#upstream;
    const metrics = createMetrics({
      sessions: this.#sessionStats,
      ring: () => upstream.epoch,
      get shards() {
        return upstream.shards.map((shard) => ({
          name: shard.name,
          stats: shard.stats,
          margin: () => shard.margin,
          replicas: shard.replicas?.all,
        }));
      },
      cache:
        this.#cache === undefined
          ? undefined
          : { stats: this.#cache.stats, store: this.#cache.store.stats, policies: this.#cache.policies },
      invalidations: this.#invalidations,
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
      shards: () => this.#upstream.shards.map(stateOf),
    };
  }
}

/** Its first try is under way, or Sentinels have not said yet where it is. */
function isUnknown({ own, address }: Shard): boolean {
  return own.shared.state === 'connecting' || address.port === 0;
}

function stateOf(shard: Shard): { name: string; address: string; state: string; error?: string } {
  const { shared } = shard.own;
  const { host, port } = shard.address;
  const state = { name: shard.name, address: `${host}:${port}`, state: shared.state };
  return shared.isReady ? state : { ...state, error: shared.problem.reason };
}
