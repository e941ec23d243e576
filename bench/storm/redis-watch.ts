import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';

import type { RedisPoint } from './storm-rows.ts';

const EVERY_MS = 100;

/** Asks a Redis again and again what it has counted, over a connection of its own, and goes on counting when it was restarted. */
export class RedisWatch {
  /** Units: of `at`, ms of the monotonic clock. */
  readonly points: RedisPoint[] = [];
  connectedClients = 0;
  readonly #redis: Redis;
  readonly #over = new AbortController();
  readonly #running: Promise<void>;
  #life = '';
  #base = { reads: 0, connections: 0 };

  constructor(port: number) {
    this.#redis = new Redis({
      host: '127.0.0.1',
      port,
      disableClientInfo: true,
      enableReadyCheck: false,
      maxRetriesPerRequest: 0,
      commandTimeout: 1000,
      retryStrategy: () => 20,
    });
    // While Redis is away there is nothing to tell.
    this.#redis.on('error', () => {});
    this.#running = this.#run();
  }

  /** From this moment on it counts again; it counted nothing while it was away. */
  cameBack(at: number): void {
    const last = this.points.at(-1);
    if (last !== undefined) this.points.push({ ...last, at });
  }

  async stop(): Promise<void> {
    this.#over.abort();
    await this.#running;
    this.#redis.disconnect();
  }

  async #run(): Promise<void> {
    const { signal } = this.#over;
    while (!signal.aborted) {
      await this.#look().catch(() => {});
      await delay(EVERY_MS, undefined, { signal }).catch(() => {});
    }
  }

  async #look(): Promise<void> {
    const text = String(await this.#redis.call('INFO', 'server', 'clients', 'stats', 'commandstats'));
    const at = performance.now();
    const number = (pattern: RegExp): number => Number(pattern.exec(text)?.[1] ?? 0);
    const life = /^run_id:(\w+)/m.exec(text)?.[1] ?? '';
    if (life !== this.#life) {
      this.#life = life;
      this.#base = {
        reads: this.points.at(-1)?.reads ?? 0,
        connections: this.points.at(-1)?.connections ?? 0,
      };
    }
    this.connectedClients = number(/^connected_clients:(\d+)/m);
    this.points.push({
      at,
      reads: this.#base.reads + number(/^cmdstat_get:calls=(\d+)/m),
      connections: this.#base.connections + number(/^total_connections_received:(\d+)/m),
    });
  }
}
