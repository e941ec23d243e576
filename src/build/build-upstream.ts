import { systemClock } from '../base/clock.ts';
import type { Logger } from '../base/log.ts';
import { systemRandom } from '../base/random.ts';
import type { EntryId } from '../cache/store.ts';
import type { NearCache } from '../cache/near-cache.ts';
import type { ClusterConfig, Config, RingConfig } from '../config/config.ts';
import { ClusterUpstream } from '../route/cluster-upstream.ts';
import { type RingHost, RingUpstream } from '../route/ring-upstream.ts';
import type { Upstream } from '../route/upstream.ts';
import { drainShard } from '../session/ring-drain.ts';
import type { SessionRegistry } from '../session/session-registry.ts';
import type { Shard } from '../shard/shard.ts';
import { RingBuilder } from './ring-builder.ts';
import type { ShardMaker } from './shard-maker.ts';

export interface UpstreamParts {
  readonly maker: ShardMaker;
  readonly log: Logger;
  readonly cache: NearCache | undefined;
  readonly registry: SessionRegistry;
}

/** What is behind nearcache. `reload` takes in another configured ring; what is no ring needs a restart. */
export interface BuiltUpstream {
  readonly upstream: Upstream;
  readonly reload: (ring: RingConfig) => void;
}

/** Build what is behind nearcache, as configured. Nothing is connected yet. */
export function buildUpstream(config: Config, parts: UpstreamParts): BuiltUpstream {
  const { upstream } = config;
  if (upstream.kind === 'cluster') {
    return { upstream: buildCluster(config, upstream, parts), reload: () => undefined };
  }
  const builder = new RingBuilder(config, parts.maker, parts.log);
  const sources = { clock: systemClock, random: systemRandom };
  const ring = new RingUpstream(builder.setup(upstream), ringHost(parts), sources);
  return { upstream: ring, reload: (next) => ring.become(builder.setup(next)) };
}

function buildCluster(config: Config, cluster: ClusterConfig, { maker, log }: UpstreamParts): Upstream {
  const source = {
    make: (name: string, host: string, port: number) => maker.make(name, { host, port }, cluster, true),
    retire: (shard: Shard) => maker.retire(shard),
  };
  const options = {
    seeds: cluster.seeds,
    refreshMs: config.topologyRefreshMs,
    timeoutMs: config.commandTimeoutMs,
  };
  return new ClusterUpstream(options, { source, clock: systemClock, log });
}

function ringHost({ maker, cache, registry }: UpstreamParts): RingHost {
  return {
    drain: (shard, done) => drainShard(registry, shard, systemClock, done),
    retire: (shard) => maker.retire(shard),
    moved: (shardOf) => {
      const readers = maker.shardsByFence();
      const isElsewhere = ({ bytes, keyStart, keyEnd, fence }: EntryId): boolean =>
        readers.get(fence) !== shardOf(bytes, keyStart, keyEnd);
      cache?.dropMoved(isElsewhere);
      for (const session of registry.all()) {
        // Messages would be published where it does not hear them.
        if (session.subscription.isMisplaced)
          session.close('upstream', 'its channels have another shard now');
        else session.wake();
      }
    },
  };
}
