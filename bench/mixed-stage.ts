/** What the mixed load is sent to: each stage has a redis-server of its own, since a write that one target makes would
 *  invalidate what another one has cached. */
import { Redis } from 'ioredis';

import { seededRandom } from './workload/seeded-random.ts';
import { type Hop, startHop } from './load/hop.ts';
import { keyedValue } from './load/mixed-request.ts';
import { keyNames } from './load/request.ts';
import type { MixedOptions } from './options.ts';
import { startBackend, startTarget, type Target } from './targets.ts';

/** direct: app → hop → Redis; nearcache: app → nearcache → hop → Redis; nearcache-no-hop: app → nearcache → Redis. */
export const mixedTargets = ['direct', 'nearcache', 'nearcache-no-hop'] as const;
export type MixedTarget = (typeof mixedTargets)[number];

/** One running stage. Shape: `redis` is connected to the server itself, past hop and target. */
export interface Stage {
  readonly id: MixedTarget;
  readonly backend: Target;
  readonly hop: Hop | undefined;
  readonly target: Target;
  readonly redis: Redis;
  stop(): Promise<void>;
}

/** Starts a stage and writes its keys.
 *  Errors: rejects where a program of it does not start. */
export async function startStage(id: MixedTarget, options: MixedOptions): Promise<Stage> {
  const backend = await startBackend();
  const hop = id === 'nearcache-no-hop' ? undefined : await startHop(backend.port, options.hopMs);
  const port = hop?.port ?? backend.port;
  const target = id === 'direct' ? { ...backend, port } : await startTarget('nearcache-hit', port);
  if ('reason' in target) throw new Error(`${id} did not start: ${target.reason}`);
  const redis = new Redis(backend.port, '127.0.0.1');
  const stage: Stage = {
    id,
    backend,
    hop,
    target,
    redis,
    async stop() {
      redis.disconnect();
      if (target.pid !== backend.pid) await target.stop();
      await hop?.stop();
      await backend.stop();
    },
  };
  await settle(stage, options);
  return stage;
}

/** Writes every key and brings the cache to where the load will keep it: of the keys that were asked for, those whose last
 *  request was a read are there. Without this a short run would measure how a cold, or a too warm, cache fills. */
async function settle(
  { redis, target }: Stage,
  { keys, size, readShare, seed }: MixedOptions,
): Promise<void> {
  const names = keyNames(keys);
  const writes = redis.pipeline();
  for (const name of names) writes.set(name, keyedValue(name, size));
  await writes.exec();
  const client = new Redis(target.port, '127.0.0.1');
  const random = seededRandom(seed);
  const requests = client.pipeline();
  for (const name of names) {
    if (random() < readShare) requests.get(name);
    else requests.set(name, keyedValue(name, size));
  }
  await requests.exec();
  client.disconnect();
}
