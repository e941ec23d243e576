import type { RingHost, RingSetup } from '../../src/route/ring-upstream.ts';
import type { Shard } from '../../src/shard/shard.ts';

/** One Redis, as a ring of one. */
export function plainRing(shard: Shard): RingSetup {
  const shards = [{ name: shard.name, weight: 1 }];
  return {
    old: { distribution: 'ketama', hash: 'fnv1a_64', hashTag: '{}', shards },
    next: undefined,
    shards: [shard],
    watchers: [],
  };
}

/** For a ring that does not change. */
export const NO_RING_HOST: RingHost = {
  drain: (_shard, done) => done(),
  moved: () => undefined,
  retire: () => undefined,
};
