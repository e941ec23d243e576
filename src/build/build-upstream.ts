import { systemClock } from '../base/clock.ts';
import type { Logger } from '../base/log.ts';
import { systemRandom } from '../base/random.ts';
import type { ClusterConfig, Config, RingConfig, ShardConfig } from '../config/config.ts';
import { ClusterUpstream } from '../route/cluster-upstream.ts';
import { Ring } from '../route/ring.ts';
import { RingUpstream } from '../route/ring-upstream.ts';
import type { Upstream } from '../route/upstream.ts';
import { SentinelWatcher } from '../shard/sentinel.ts';
import type { Shard } from '../shard/shard.ts';
import type { ShardMaker } from './shard-maker.ts';

/** Build what is behind nearcache, as configured. Nothing is connected yet. */
export function buildUpstream(config: Config, maker: ShardMaker, log: Logger): Upstream {
  const { upstream } = config;
  return upstream.kind === 'cluster'
    ? buildCluster(config, upstream, maker, log)
    : buildRing(config, upstream, maker, log);
}

function buildCluster(config: Config, cluster: ClusterConfig, maker: ShardMaker, log: Logger): Upstream {
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

function buildRing(config: Config, ring: RingConfig, maker: ShardMaker, log: Logger): Upstream {
  const watchers: SentinelWatcher[] = [];
  const shards = ring.shards.map((shard) => {
    if (shard.source.kind === 'address') return maker.make(shard.name, shard.source, shard);
    const { made, watcher } = watched(config, shard, maker, log);
    watchers.push(watcher);
    return made;
  });
  return new RingUpstream(shards, shards.length === 1 ? undefined : new Ring(ring, ring.shards), watchers);
}

/** A shard whose primary the Sentinels name. Until they have, nothing can be sent to it. */
function watched(
  config: Config,
  shard: ShardConfig,
  maker: ShardMaker,
  log: Logger,
): { made: Shard; watcher: SentinelWatcher } {
  const source = shard.source as Extract<ShardConfig['source'], { kind: 'sentinel' }>;
  const made = maker.make(shard.name, NOWHERE, shard, true);
  const watcher = new SentinelWatcher(
    {
      sentinels: source.sentinels,
      master: source.master,
      user: source.sentinelUser,
      password: source.sentinelPassword,
      tls: shard.tls ? maker.addressOf({ host: '', port: 0 }, shard).tls : undefined,
      pollMs: config.topologyRefreshMs,
      connectTimeoutMs: config.connectTimeoutMs,
    },
    {
      primary: ({ host, port }) => made.moveTo(host, port),
      confirmed: (askedAt) => {
        if (made.confirmation !== undefined) made.confirmation.askedAt = askedAt;
      },
      problem: (text) => log.warn({ shard: shard.name, reason: text }, 'Sentinel'),
    },
    { clock: systemClock, random: systemRandom },
  );
  return { made, watcher };
}

const NOWHERE = { host: '127.0.0.1', port: 0 };
