import { callRedis } from '../servers/redis-call.ts';
import type { StageShard } from '../stage.ts';
import type { AppClient } from './app-client.ts';

/** So many that each of three shards has several. */
const TAGS = 24;

/** Parts of keys in braces, by the shard that has the keys with them: the lives of a key stay on one shard.
 *  Shape: one entry for each shard, in their order; tried with real keys, so that it is right for every topology.
 *  Errors: rejects when a shard has no tag, or when a key is on no shard. */
export async function findTags(
  app: AppClient,
  shards: readonly StageShard[],
): Promise<ReadonlyMap<string, readonly string[]>> {
  const found = new Map<string, string[]>(shards.map(({ name }) => [name, []]));
  for (let i = 0; i < TAGS; i++) {
    // Names that differ in their last letter alone are near one another on a ring.
    const tag = `{${((i + 1) * 2_654_435_761).toString(36)}}`;
    await app.redis.set(`drill:${tag}`, 'here');
    const places = await Promise.all(shards.map((shard) => hasKey(shard, `drill:${tag}`)));
    const at = places.indexOf(true);
    if (at < 0) throw new Error(`no shard has the key drill:${tag}, which was written through nearcache`);
    found.get((shards[at] as StageShard).name)?.push(tag);
  }
  for (const [name, tags] of found) if (tags.length === 0) throw new Error(`no key is on shard ${name}`);
  return found;
}

/** A node of a Cluster answers MOVED for what it does not have. */
async function hasKey(shard: StageShard, key: string): Promise<boolean> {
  const count = await callRedis(shard.server, ['EXISTS', key]).catch((error: unknown) => {
    if (String(error).includes('MOVED')) return 0;
    throw error;
  });
  return count === 1;
}
