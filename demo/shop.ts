import type { Histogram } from 'hdr-histogram-js';
import type { Redis } from 'ioredis';

import { newHistogram, recordMs } from '../bench/report/percentiles.ts';
import { placeOver } from './shards.ts';

/** What the app has seen of one shard. */
export interface ShopCounts {
  requests: number;
  errors: number;
  lastError: string;
  /** Of requests that succeeded, since the screen last looked. */
  latencies: Histogram;
  /** How long the slowest failed request took to fail. Units: ms. */
  slowestErrorMs: number;
}

const PRODUCTS = 600;
const USERS = 300;
/** Visitors come at this pace whatever becomes of the earlier ones, as they do in life. */
const VISITS = 6;
const EVERY_MS = 2;

/** The app: a shop that keeps products and users in Redis, asks its database (here: nobody) for what is not there, and
 *  counts visits. One ioredis client, connected to nearcache as if it were one Redis; which shard a key is on it knows only to
 *  count by it. */
export class Shop {
  readonly counts: readonly ShopCounts[];
  /** Values that belong to another key. */
  wrong = 0;
  readonly #client: Redis;
  readonly #shardOf: (key: string) => number;
  readonly #visits = new Set<Promise<void>>();
  #timer: NodeJS.Timeout | undefined;

  constructor(client: Redis, shards: number) {
    this.#client = client;
    this.#shardOf = placeOver(shards);
    this.counts = Array.from({ length: shards }, () => ({
      requests: 0,
      errors: 0,
      lastError: '',
      latencies: newHistogram(),
      slowestErrorMs: 0,
    }));
  }

  open(): void {
    this.#timer = setInterval(() => {
      for (let i = 0; i < VISITS; i++) {
        const visit = this.#visit().finally(() => this.#visits.delete(visit));
        this.#visits.add(visit);
      }
    }, EVERY_MS);
  }

  /** Takes no more visitors and serves those who are here. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all(this.#visits);
  }

  async #visit(): Promise<void> {
    const dice = Math.random();
    if (dice < 0.7) await this.#visitProduct(`product:${popular(PRODUCTS)}`);
    else if (dice < 0.97) await this.#visitUser(`user:${popular(USERS)}`);
    else await this.#ask(`user:${popular(USERS)}`, (redis, key) => redis.hincrby(key, 'visits', 1));
  }

  async #visitProduct(key: string): Promise<void> {
    const value = await this.#ask(key, (redis) => redis.get(key));
    if (value === null) {
      await this.#ask(key, (redis) => redis.set(key, `${key} costs ${popular(100)}`, 'EX', 300));
    } else if (value?.startsWith(`${key} `) === false) {
      this.wrong++;
    }
  }

  async #visitUser(key: string): Promise<void> {
    const user = await this.#ask(key, (redis) => redis.hgetall(key));
    if (user?.['name'] === undefined) {
      if (user !== undefined) await this.#ask(key, (redis) => redis.hset(key, 'name', `the name of ${key}`));
    } else if (user['name'] !== `the name of ${key}`) {
      this.wrong++;
    }
  }

  /** undefined: it failed. */
  async #ask<T>(key: string, run: (redis: Redis, key: string) => Promise<T>): Promise<T | undefined> {
    const counts = this.counts[this.#shardOf(key)] as ShopCounts;
    const sentAt = performance.now();
    counts.requests++;
    try {
      const reply = await run(this.#client, key);
      recordMs(counts.latencies, performance.now() - sentAt);
      return reply;
    } catch (error) {
      counts.errors++;
      counts.lastError = (error as Error).message;
      counts.slowestErrorMs = Math.max(counts.slowestErrorMs, performance.now() - sentAt);
      return undefined;
    }
  }
}

/** Few are asked for often. */
function popular(count: number): number {
  return Math.floor(count * Math.random() ** 3);
}
