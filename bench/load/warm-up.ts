/** Keys put in place before a measurement, and the counts that prove what it measured. */
import { Redis } from 'ioredis';

import type { Target } from '../targets.ts';
import { valueOf } from './request.ts';

/** Counters at one moment. Shape: hits and reads are 0 for a target without a cache. */
export interface Counts {
  /** Commands that redis-server has executed. */
  readonly backendCommands: number;
  readonly hits: number;
  readonly reads: number;
}

/** Writes every key with a value of `size` bytes, past all proxies. */
export async function writeKeys(backend: Redis, keys: readonly string[], size: number): Promise<void> {
  const pipeline = backend.pipeline();
  for (const key of keys) pipeline.set(key, valueOf(size));
  await pipeline.exec();
}

/** Reads every key through the target until its cache answers for all of them, or for 2 seconds: a key that was just
 *  written may be refused once. */
export async function warmCache(target: Target, keys: readonly string[]): Promise<void> {
  const client = new Redis(target.port, '127.0.0.1', { lazyConnect: true, retryStrategy: null });
  // A failing call says so itself.
  client.on('error', () => {});
  try {
    await client.connect();
    const deadline = performance.now() + 2_000;
    for (;;) {
      const before = await readCacheCounts(target);
      for (const key of keys) await client.getBuffer(key);
      const after = await readCacheCounts(target);
      if (after.hits - before.hits === keys.length || performance.now() > deadline) return;
    }
  } finally {
    client.disconnect();
  }
}

/** Reads the counters of redis-server and of the target. */
export async function readCounts(backend: Redis, target: Target): Promise<Counts> {
  const stats = await backend.info('stats');
  const backendCommands = Number(/^total_commands_processed:(\d+)/m.exec(stats)?.[1]);
  return { backendCommands, ...(await readCacheCounts(target)) };
}

async function readCacheCounts({ adminPort }: Target): Promise<Pick<Counts, 'hits' | 'reads'>> {
  if (adminPort === undefined) return { hits: 0, reads: 0 };
  const metrics = await (await fetch(`http://127.0.0.1:${adminPort}/metrics`)).text();
  const hits = sumOf(metrics, 'nearcache_cache_hits_total');
  const others = ['nearcache_cache_misses_total', 'nearcache_cache_bypasses_total'];
  return { hits, reads: others.reduce((sum, name) => sum + sumOf(metrics, name), hits) };
}

/** The sum over all label sets of one metric in the Prometheus text format; 0 when it is not there. */
export function sumOf(metrics: string, name: string): number {
  let sum = 0;
  for (const line of metrics.split('\n')) {
    if (line.startsWith(`${name} `) || line.startsWith(`${name}{`)) sum += Number(line.split(' ').at(-1));
  }
  return sum;
}
