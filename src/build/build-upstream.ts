import type { RingConfig, ShardConfig, UpstreamConfig } from '../config/config.ts';
import { Ring } from '../route/ring.ts';
import { RingUpstream } from '../route/ring-upstream.ts';
import type { Upstream } from '../route/upstream.ts';
import type { Shard } from '../shard/shard.ts';
import type { ShardMaker } from './shard-maker.ts';

/** Build what is behind nearcache, as configured. Nothing is connected yet. */
export function buildUpstream(upstream: UpstreamConfig, maker: ShardMaker): Upstream {
  if (upstream.kind === 'cluster') throw new Error('a Cluster is not supported yet');
  return buildRing(upstream, maker);
}

function buildRing(config: RingConfig, maker: ShardMaker): RingUpstream {
  const shards = config.shards.map((shard) => buildShard(shard, maker));
  return new RingUpstream(shards, shards.length === 1 ? undefined : new Ring(config, config.shards));
}

function buildShard(config: ShardConfig, maker: ShardMaker): Shard {
  const { source } = config;
  if (source.kind === 'sentinel') throw new Error('Sentinels are not supported yet');
  return maker.make(config.name, source, config);
}
