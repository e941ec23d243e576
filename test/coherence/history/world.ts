import { setTimeout as delay } from 'node:timers/promises';

import { readMetrics } from '../../support/metrics.ts';
import { type Nearcache, startNearcache } from '../../support/nearcache.ts';
import type { Argument } from '../../support/raw-client.ts';
import { type RedisServer, startRedis } from '../../support/redis-server.ts';
import { Client, Failure, type Login, type Reply } from './client.ts';
import { LinkRelay } from './relay.ts';

/** What a world is made of. Shape: `root` is the folder of the nearcache under test, this one's when absent. */
export interface WorldOptions {
  readonly root?: string | undefined;
  readonly flags: readonly string[];
  readonly random: () => number;
}

/** A Redis, a nearcache process, and between the two a relay. */
export class World {
  readonly redis: RedisServer;
  readonly relay: LinkRelay;
  readonly #options: WorldOptions;
  #nearcache: Nearcache;
  /** Counted by nearcache processes that are gone. */
  #earlierHits = 0;
  #lastHits = 0;
  #opening: Promise<void> = Promise.resolve();
  #open: () => void = () => {};

  private constructor(redis: RedisServer, relay: LinkRelay, nearcache: Nearcache, options: WorldOptions) {
    this.redis = redis;
    this.relay = relay;
    this.#nearcache = nearcache;
    this.#options = options;
  }

  static async start(options: WorldOptions): Promise<World> {
    const redis = await startRedis();
    const relay = await LinkRelay.start(redis.port, options.random);
    const { root, flags } = options;
    try {
      const nearcache = await startNearcache({ upstream: relay.port, root, flags });
      return new World(redis, relay, nearcache, options);
    } catch (error) {
      await relay.stop();
      await redis.stop();
      throw error;
    }
  }

  get proxyPid(): number {
    return this.#nearcache.pid;
  }

  get logs(): string {
    return this.#nearcache.logs;
  }

  get hasEnded(): boolean {
    return this.#nearcache.hasEnded;
  }

  async stop(): Promise<void> {
    await this.#nearcache.kill();
    await this.relay.stop();
    await this.redis.stop();
  }

  /** An app's connection. */
  app(login: Login): Promise<Client> {
    return Client.connect(this.#nearcache.port, login);
  }

  /** Another program's connection; waits while Redis has none of its data. */
  async outside(login: Login): Promise<Client> {
    await this.#opening;
    return Client.connect(this.redis.port, login);
  }

  /** One command directly to Redis. Errors: rejects on an error reply. */
  async command(...args: readonly Argument[]): Promise<Reply> {
    const client = await Client.connect(this.redis.port, { proto: 3, db: 0 });
    try {
      const { reply } = await client.call(...args);
      if (reply instanceof Failure) throw new Error(`${String(args[0])}: ${reply.message}`);
      return reply;
    } finally {
      client.close();
    }
  }

  /** Kills Redis, which loses everything, and starts it again after `downMs`; until `seed` is done nobody is let in. */
  async loseRedis(downMs: number, seed: () => Promise<void>): Promise<void> {
    this.#opening = new Promise((resolve) => {
      this.#open = resolve;
    });
    this.relay.isClosed = true;
    await this.redis.kill('SIGKILL');
    await delay(downMs);
    await this.redis.restart();
    await seed();
    this.relay.isClosed = false;
    this.#open();
  }

  async restartProxy(downMs: number): Promise<void> {
    await this.hits();
    this.#earlierHits += this.#lastHits;
    this.#lastHits = 0;
    await this.#nearcache.kill();
    await delay(downMs);
    const { root, flags } = this.#options;
    this.#nearcache = await startNearcache({ upstream: this.relay.port, root, flags });
  }

  /** What nearcache itself counts as hits, in all its lives; those since the last look before a kill are missing. */
  async hits(): Promise<number> {
    const metrics = await readMetrics(this.#nearcache).catch(() => undefined);
    this.#lastHits = metrics?.get('nearcache_cache_hits_total') ?? this.#lastHits;
    return this.#earlierHits + this.#lastHits;
  }
}
