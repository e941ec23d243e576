import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { freePort } from '../test/support/free-port.ts';
import { readMetrics } from '../test/support/metrics.ts';
import { type Nearcache, startNearcache } from '../test/support/nearcache.ts';
import type { RedisServer } from '../test/support/redis-backend.ts';
import { processBackend } from '../test/support/redis-process.ts';

/** One Redis and the nearcache in front of it. */
export interface DemoShard {
  readonly name: string;
  readonly redis: RedisServer;
  readonly nearcache: Nearcache;
}

/** What a near-cache has done since its start. Shape: `reads` are those that could have been hits. */
export interface CacheCounts {
  hits: number;
  reads: number;
}

/** Starts so many local shards; they end with `stopShards` or with this process. */
export function startShards(count: number): Promise<DemoShard[]> {
  return Promise.all(Array.from({ length: count }, (_, i) => startShard(`shard ${i + 1}`)));
}

export async function stopShards(shards: readonly DemoShard[]): Promise<void> {
  await Promise.all(shards.map(({ nearcache }) => nearcache.stop()));
  await Promise.all(shards.map(({ redis }) => redis.stop()));
}

/** Picks the shard of a key (FNV-1a), as the app does here and nearcache's ring will. */
export function shardOf(key: string, count: number): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < key.length; i++) hash = Math.imul(hash ^ key.charCodeAt(i), 0x01000193);
  return (hash >>> 0) % count;
}

/** From nearcache's own metrics. */
export async function cacheCounts({ nearcache }: DemoShard): Promise<CacheCounts> {
  const metrics = await readMetrics(nearcache);
  const count = (name: string): number => metrics.get(`nearcache_cache_${name}_total`) ?? 0;
  return { hits: count('hits'), reads: count('hits') + count('misses') + count('bypasses') };
}

async function startShard(name: string): Promise<DemoShard> {
  const dir = mkdtempSync(join(tmpdir(), 'nearcache-demo-'));
  const redis = await processBackend.start({}, await freePort(), dir);
  const nearcache = await startNearcache({ upstream: redis.port, flags: ['--log-level', 'warn'] });
  return { name, redis, nearcache };
}
