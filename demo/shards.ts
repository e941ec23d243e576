import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Ring } from '../src/route/ring.ts';
import { freePort } from '../src/drill/servers/free-port.ts';
import { readMetrics } from '../src/drill/servers/read-metrics.ts';
import { type Nearcache, startNearcache } from '../src/drill/servers/nearcache-process.ts';
import type { RedisServer } from '../src/drill/servers/redis-backend.ts';
import { processBackend } from '../src/drill/servers/redis-process.ts';

/** One Redis of the ring, and the nearcache in front of all. Shape: `tag` is a hash tag whose keys are this shard's. */
export interface DemoShard {
  readonly name: string;
  readonly redis: RedisServer;
  readonly nearcache: Nearcache;
  readonly tag: string;
}

/** What a near-cache has done since its start. Shape: `reads` are those that could have been hits. */
export interface CacheCounts {
  hits: number;
  reads: number;
}

/** Spreads numbered keys well. */
const HASH = 'murmur';

/** Starts so many local shards and one nearcache before them; they end with `stopShards` or with this process. */
export async function startShards(count: number): Promise<DemoShard[]> {
  const servers = await Promise.all(Array.from({ length: count }, startServer));
  const urls = servers.map(({ port }, i) => `redis://127.0.0.1:${port}?name=${nameOf(i)}`);
  const flags = ['--ring-hash', HASH, '--log-level', 'warn'];
  const nearcache = await startNearcache({ upstream: urls.join(','), flags });
  const place = placeOver(count);
  return servers.map((redis, i) => {
    const tag = Array.from({ length: 1000 }, (_, n) => `{${n}}`).find((each) => place(each) === i) as string;
    return { name: `shard ${i + 1}`, redis, nearcache, tag };
  });
}

export async function stopShards(shards: readonly DemoShard[]): Promise<void> {
  await shards[0]?.nearcache.stop();
  await Promise.all(shards.map(({ redis }) => redis.stop()));
}

/** Where nearcache's ring has a key; the app itself need not know. */
export function placeOver(count: number): (key: string) => number {
  const shards = Array.from({ length: count }, (_, i) => ({ name: nameOf(i), weight: 1 }));
  const ring = new Ring({ distribution: 'ketama', hash: HASH, hashTag: '{}' }, shards);
  return (key) => {
    const bytes = Buffer.from(key);
    return ring.place(bytes, 0, bytes.length);
  };
}

function nameOf(i: number): string {
  return `shard${i + 1}`;
}

/** From nearcache's own metrics, over all shards. */
export async function cacheCounts({ nearcache }: Pick<DemoShard, 'nearcache'>): Promise<CacheCounts> {
  const metrics = await readMetrics(nearcache);
  const count = (name: string): number => metrics.get(`nearcache_cache_${name}_total`) ?? 0;
  return { hits: count('hits'), reads: count('hits') + count('misses') + count('bypasses') };
}

async function startServer(): Promise<RedisServer> {
  const dir = mkdtempSync(join(tmpdir(), 'nearcache-demo-'));
  return processBackend.start({}, await freePort(), dir);
}
