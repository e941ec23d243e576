import { type AdminServer, type AdminState, startAdmin } from './admin/server.ts';
import { systemClock } from './base/clock.ts';
import type { Logger } from './base/log.ts';
import { LoopLag } from './base/loop-lag.ts';
import { Watchdog } from './base/watchdog.ts';
import { buildCache, buildLeases } from './build/build-cache.ts';
import { buildInvalidations } from './build/build-invalidations.ts';
import { buildUpstream } from './build/build-upstream.ts';
import { clientLimitOptions, listenerOptions, sessionOptions } from './build/session-options.ts';
import { ShardMaker } from './build/shard-maker.ts';
import { buildWarmStart, type WarmStart } from './build/warm-start.ts';
import type { NearCache } from './cache/near-cache.ts';
import type { Config, RingConfig } from './config/config.ts';
import { configDifference } from './config/difference.ts';
import type { Invalidations } from './invalidation/invalidations.ts';
import { createMetrics } from './metrics/registry.ts';
import type { LifecycleSource } from './metrics/row.ts';
import { rateLimiterOf } from './policy/rate-limiter.ts';
import { RequestDecoder } from './protocol/request-decoder.ts';
import { ClientLimits } from './session/client-limits.ts';
import { Drain } from './session/drain.ts';
import { Listener } from './session/listener.ts';
import type { SessionContext } from './session/session-context.ts';
import { SessionRegistry } from './session/session-registry.ts';
import { SessionStats } from './session/session-stats.ts';
import type { Upstream } from './route/upstream.ts';
import type { Shard } from './shard/shard.ts';

/** How often it is looked whether Redis has answered for the first time. */
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
  readonly #clientLimits: ClientLimits;
  readonly #listener: Listener;
  readonly #drain: Drain;
  readonly #loopLag: LoopLag;
  readonly #warmStart: WarmStart | undefined;
  readonly #context: SessionContext;
  #watchdog: Watchdog | undefined;
  #starting: Promise<void> | undefined;
  #admin: AdminServer | undefined;
  #isStarted = false;

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
    this.#clientLimits = new ClientLimits(clientLimitOptions(config), this.#registry, {
      stats: this.#sessionStats,
      clock: systemClock,
    });
    this.#context = {
      options,
      upstream: this.#upstream,
      cache,
      registry: this.#registry,
      leases: cache === undefined ? undefined : buildLeases(cache, options, config.pinnedMax),
      lookahead: new RequestDecoder(options.requests),
      rateLimiter: rateLimiterOf(config.policies, this.#sessionStats.rateLimited),
      stats: this.#sessionStats,
      clientLimits: this.#clientLimits,
      isLoading: config.startup === 'loading',
      clock: systemClock,
      log,
    };
    this.#listener = new Listener(listenerOptions(config, log), this.#context);
    this.#drain = new Drain(
      { serveMs: config.drainServeMs, closeMs: config.drainMs },
      { clock: systemClock, registry: this.#registry, listener: this.#listener },
    );
    this.#loopLag = new LoopLag(config.loopLagWarnMs, {
      clock: systemClock,
      log,
      beat: () => this.#watchdog?.beat(),
    });
    this.#warmStart = buildWarmStart(config, { cache, upstream, log });
  }

  /** The admin server's port, when there is one. */
  get adminPort(): number | undefined {
    return this.#admin?.port;
  }

  start(): Promise<void> {
    this.#starting = this.#start();
    return this.#starting;
  }

  async #start(): Promise<void> {
    const { admin, watchdogMs, startup } = this.#config;
    if (watchdogMs > 0) this.#watchdog = new Watchdog(watchdogMs, this.#log);
    if (admin !== undefined) this.#admin = await this.#startAdmin(admin);
    this.#upstream.start();
    this.#invalidations?.start();
    if (startup === 'wait') await this.#firstAnswer();
    if (this.#drain.state !== 'none') return;
    this.#clientLimits.start();
    this.listening = await this.#listener.open();
    this.#isStarted = true;
    for (const address of this.listening) this.#log.info({ address }, 'listening');
    if (startup === 'loading') this.#loadUntilAnswered();
    // A start holds it up, and that is no news.
    this.#loopLag.start();
    void this.#warmStart?.begin();
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

  /** Serve the apps that are left for a while, then take no new connections, close the others between replies, and stop; at the
   *  latest after the drain deadline. */
  async stop(): Promise<void> {
    if (this.#drain.state !== 'none') return;
    this.#log.info({ count: this.#registry.size }, 'draining');
    const drained = this.#drain.run(() => this.#warmStart?.end());
    // A start under way sees that, and ends; how, it has told its caller.
    await this.#starting?.catch(() => undefined);
    await drained;
    this.#invalidations?.close();
    this.#clientLimits.close();
    this.#upstream.close();
    await this.#admin?.close();
    this.#loopLag.close();
    await this.#watchdog?.close();
    this.#log.info('stopped');
  }

  /** Apps are not served any longer than it takes to close their sessions between two replies. */
  hurry(): void {
    this.#drain.hurry();
  }

  /** Whether Redis wants a password is known only once it has answered; an unreachable Redis does not hold up the start. */
  async #firstAnswer(): Promise<void> {
    const end = systemClock.now() + this.#config.connectTimeoutMs;
    while (this.#upstream.shards.some(isUnknown) && systemClock.now() < end && this.#drain.state === 'none') {
      await new Promise<void>((resolve) => {
        setTimeout(resolve, FIRST_CONNECT_POLL_MS);
      });
    }
  }

  /** What Redis refuses it has answered too, and apps are to see the error. */
  #loadUntilAnswered(): void {
    const cancel = systemClock.every(FIRST_CONNECT_POLL_MS, () => {
      if (!this.#upstream.shards.some(hasAnswered)) return;
      this.#context.isLoading = false;
      cancel();
    });
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
          breakers: shard.breakers,
          ramp: shard.ramp,
          retries: shard.retries,
          hedging: shard.hedging,
          inFlightMax: () => shard.own.shared.inFlightMax,
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
      lifecycle: this.#lifecycle(),
    });
    return startAdmin({ ...address, metrics, logger: this.#log, state: this.#adminState() });
  }

  #lifecycle(): LifecycleSource {
    const drain = this.#drain;
    return {
      get drain() {
        return drain.state;
      },
      loop: this.#loopLag.stats,
      watchdogMs: this.#config.watchdogMs,
      preload: this.#warmStart?.stats,
    };
  }

  #adminState(): AdminState {
    const isStarted = (): boolean => this.#isStarted;
    const isDraining = (): boolean => this.#drain.state !== 'none';
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

function hasAnswered({ own }: Shard): boolean {
  return own.shared.server !== undefined || own.shared.problem.kind === 'refused';
}

function stateOf(shard: Shard): { name: string; address: string; state: string; error?: string } {
  const { shared } = shard.own;
  const { host, port } = shard.address;
  const state = { name: shard.name, address: `${host}:${port}`, state: shared.state };
  return shared.isReady ? state : { ...state, error: shared.problem.reason };
}
