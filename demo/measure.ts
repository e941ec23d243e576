import { setTimeout as delay } from 'node:timers/promises';

import { Redis } from 'ioredis';

import { startHop } from '../bench/load/hop.ts';
import { newHistogram, type Percentiles, percentilesOf, recordMs } from '../bench/report/percentiles.ts';
import type { DemoShard } from './shards.ts';

/** Reads of one key. */
export interface ReadLatencies {
  hit: Percentiles;
  direct: Percentiles;
  /** Redis across the simulated hop. */
  distant: Percentiles;
}

/** How long after Redis had acknowledged a write of another program the app read the new value. */
export interface InvalidationLag {
  lag: Percentiles;
  /** Reads in between that still got the old value. */
  oldReads: number;
}

/** Delay each way of the network that an app without a sidecar has to cross. */
export const HOP_MS = 0.5;

const WRITE_EVERY_MS = 40;

export function connectTo(port: number): Redis {
  const client = new Redis({ host: '127.0.0.1', port });
  // Whoever asks hears of it; ioredis would print it into the screen as well.
  client.on('error', () => {});
  return client;
}

/** The near reads in turn, then the distant ones: their simulated network takes a core. */
export async function measureReads({ redis, nearcache }: DemoShard, forMs: number): Promise<ReadLatencies> {
  const [hit, direct] = (await readInTurn([nearcache.port, redis.port], forMs * 0.35)) as [
    Percentiles,
    Percentiles,
  ];
  const hop = await startHop(redis.port, HOP_MS);
  const [distant] = (await readInTurn([hop.port], forMs * 0.6)) as [Percentiles];
  await hop.stop();
  return { hit, direct, distant };
}

/** Reads one key at each of these ports, one read at a time. */
async function readInTurn(ports: readonly number[], forMs: number): Promise<Percentiles[]> {
  const ways = ports.map((port) => ({ client: connectTo(port), latencies: newHistogram() }));
  // The first ones connect, and fill the near-cache.
  for (const { client } of ways) for (let i = 0; i < 20; i++) await client.get('measured');
  for (const end = performance.now() + forMs; performance.now() < end; ) {
    for (const { client, latencies } of ways) {
      const sentAt = performance.now();
      await client.get('measured');
      recordMs(latencies, performance.now() - sentAt);
    }
  }
  for (const { client } of ways) client.disconnect();
  return ways.map(({ latencies }) => percentilesOf(latencies));
}

/** Writes straight to Redis, as redis-cli or a batch job would, what the app has in its near-cache. `tell` hears of each. */
export async function measureInvalidation(
  { redis, nearcache, tag }: DemoShard,
  forMs: number,
  tell: (text: string) => void,
): Promise<InvalidationLag> {
  const [app, outside] = [connectTo(nearcache.port), connectTo(redis.port)];
  const lags = newHistogram();
  let oldReads = 0;
  let writes = 0;
  for (const end = performance.now() + forMs; performance.now() < end; ) {
    const key = `price:${tag}:${writes % 50}`;
    for (let i = 0; i < 5; i++) await app.get(key);
    const value = String(writes++);
    await outside.set(key, value);
    const writtenAt = performance.now();
    while ((await app.get(key)) !== value) oldReads++;
    const lagMs = performance.now() - writtenAt;
    recordMs(lags, lagMs);
    await delay(WRITE_EVERY_MS);
    tell(`SET ${key} ${value} straight to Redis: the app reads it ${lagMs.toFixed(2)} ms later`);
  }
  for (const client of [app, outside]) client.disconnect();
  return { lag: percentilesOf(lags), oldReads };
}

/** How long it takes from now until a read of this app from that shard succeeds. */
export async function measureReturn(app: Redis, { tag }: DemoShard): Promise<number> {
  const startedAt = performance.now();
  while ((await app.get(`measured:${tag}`).catch(() => 'failed')) === 'failed') await delay(1);
  return performance.now() - startedAt;
}
