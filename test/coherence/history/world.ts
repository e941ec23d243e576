import { setTimeout as delay } from 'node:timers/promises';

import { readMetrics } from '../../../src/drill/servers/read-metrics.ts';
import { type Nearcache, startNearcache } from '../../../src/drill/servers/nearcache-process.ts';
import type { Argument } from '../../support/raw-client.ts';
import type { Backend } from './backend.ts';
import { Client, Failure, type Login, type Reply } from './client.ts';
import { OutsideClient } from './outside-client.ts';
import type { Link, LinkWeather } from './relay.ts';
import type { UpstreamReads } from './upstream-reads.ts';

/** What a world is made of. Shape: `root` is the folder of the nearcache under test, this one's when absent. */
export interface WorldOptions {
  readonly root?: string | undefined;
  readonly flags: readonly string[];
}

/** Redis, a nearcache process, and between the two relays. */
export class World {
  readonly backend: Backend;
  readonly #options: WorldOptions;
  #nearcache: Nearcache;
  /** Counted by nearcache processes that are gone. */
  #earlierHits = 0;
  #lastHits = 0;
  readonly #apps: Client[] = [];
  #opening: Promise<void> = Promise.resolve();

  private constructor(backend: Backend, nearcache: Nearcache, options: WorldOptions) {
    this.backend = backend;
    this.#nearcache = nearcache;
    this.#options = options;
  }

  /** Starts a nearcache in front of `backend`, which ends with this world, also when that fails. */
  static async start(backend: Backend, options: WorldOptions): Promise<World> {
    const { root, flags } = options;
    try {
      const nearcache = await startNearcache({ upstream: backend.upstream, root, flags });
      return new World(backend, nearcache, options);
    } catch (error) {
      await backend.stop();
      throw error;
    }
  }

  get reads(): UpstreamReads {
    return this.backend.reads;
  }

  /** Every connection of nearcache to a server that has data. */
  get links(): readonly Link[] {
    return this.backend.relays.flatMap(({ links }) => links);
  }

  set weather(weather: LinkWeather) {
    for (const relay of this.backend.relays) relay.weather = weather;
  }

  /** Each link has other luck with the same weather. */
  drawAgain(): void {
    for (const relay of this.backend.relays) relay.drawAgain();
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
    await this.backend.stop();
  }

  /** An app's connection. */
  async app(login: Login): Promise<Client> {
    const client = await Client.connect(this.#nearcache.port, login);
    this.#apps.push(client);
    return client;
  }

  /** What apps still wait for. */
  get unanswered(): readonly string[] {
    return this.#apps.flatMap(({ waitsFor }) => waitsFor ?? []);
  }

  /** Another program's connection, past nearcache; waits while a Redis has none of its data. */
  outside(login: Login): OutsideClient {
    return new OutsideClient(this.backend.directory, async (port) => {
      await this.#opening;
      return Client.connect(port, login);
    });
  }

  /** One command directly to the Redis that has the key `args[1]`, whoever else has to wait.
   *  Errors: rejects on an error reply. */
  async command(...args: readonly Argument[]): Promise<Reply> {
    const login = { proto: 3, db: 0 } as const;
    const client = new OutsideClient(this.backend.directory, (port) => Client.connect(port, login));
    try {
      const { reply } = await client.call(...args);
      if (reply instanceof Failure) throw new Error(`${String(args[0])}: ${reply.message}`);
      return reply;
    } finally {
      client.close();
    }
  }

  /** Lets no other program in until `work` is done. */
  async behindClosedDoors(work: () => Promise<void>): Promise<void> {
    const doing = work();
    this.#opening = doing.catch(() => {});
    await doing;
  }

  async restartProxy(downMs: number): Promise<void> {
    await this.hits();
    this.#earlierHits += this.#lastHits;
    this.#lastHits = 0;
    await this.#nearcache.kill();
    await delay(downMs);
    const { root, flags } = this.#options;
    this.#nearcache = await startNearcache({ upstream: this.backend.upstream, root, flags });
  }

  /** What nearcache itself counts as hits, in all its lives; those since the last look before a kill are missing. */
  async hits(): Promise<number> {
    const metrics = await readMetrics(this.#nearcache).catch(() => undefined);
    this.#lastHits = metrics?.get('nearcache_cache_hits_total') ?? this.#lastHits;
    return this.#earlierHits + this.#lastHits;
  }
}
