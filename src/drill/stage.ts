import type { ClusterNode } from './servers/cluster-node.ts';
import { eventually } from './servers/eventually.ts';
import { PrivateNames } from './servers/private-names.ts';
import type { RedisServer } from './servers/redis-backend.ts';
import type { Relay } from './servers/relay.ts';
import { startRelay } from './servers/relay.ts';
import { startClusterOn } from './servers/redis-cluster.ts';
import { startSentinelsOn } from './servers/redis-sentinel.ts';
import { startAll, type StartRedis, stopAll } from './servers/redis-server.ts';

/** One shard behind nearcache, named as in nearcache's metrics. */
export interface StageShard {
  readonly name: string;
  /** Who has its data now; another one after a failover. */
  readonly server: RedisServer;
  /** On the way from nearcache; not where servers tell their own addresses. */
  readonly relay?: Relay;
  /** Where a replica can take over: resolves once it has, and everyone who decides it agrees. */
  readonly failover?: () => Promise<void>;
}

/** The Redis of a drill. */
export interface Stage {
  /** As `--upstream` takes it. */
  readonly upstream: string;
  readonly shards: readonly StageShard[];
  /** Of a `named` stage: the file of names that nearcache sees. */
  readonly names?: PrivateNames;
  stop(): Promise<void>;
}

/** What is behind nearcache. `named`: a ring whose shards are at a name instead of an address. */
export type StageKind = 'ring' | 'named' | 'sentinel' | 'cluster';

const SHARD_HOST = 'redis.nearcache-drill';

/** Appended at once, so that whatever was acknowledged is there after a kill; waiting for the disk would add nothing to that. */
const KEEPING = ['--appendonly', 'yes', '--appendfsync', 'no', '--auto-aof-rewrite-percentage', '0'];

/** Shape: `shards` is of no meaning to a `sentinel` stage, which has one; nor `keepsData` to one with replicas. */
export interface StageOptions {
  readonly kind: StageKind;
  readonly shards: number;
  readonly keepsData: boolean;
}

/** Starts the servers of a drill, empty.
 *  Errors: rejects with `NotPossible` when this machine has no way to do it, or with the last words of a server that does not start. */
export async function buildStage(
  { kind, shards, keepsData }: StageOptions,
  startRedis: StartRedis,
): Promise<Stage> {
  if (kind === 'sentinel') return sentinelStage(startRedis);
  if (kind === 'cluster') return clusterStage(startRedis, shards);
  const startShard: StartRedis = () => startRedis({ args: keepsData ? KEEPING : [] });
  if (kind === 'ring') return ringStage(startShard, shards, '127.0.0.1');
  const names = new PrivateNames(SHARD_HOST, '127.0.0.1');
  const stage = await ringStage(startShard, shards, SHARD_HOST);
  return {
    ...stage,
    names,
    async stop() {
      names.stop();
      await stage.stop();
    },
  };
}

async function ringStage(startRedis: StartRedis, count: number, host: string): Promise<Stage> {
  const names = Array.from({ length: count }, (_, i) => `shard${i + 1}`);
  const servers = await startAll(names.map(() => () => startRedis({})));
  const shards = await Promise.all(
    names.map(async (name, i) => {
      const server = servers[i] as RedisServer;
      return { name, server, relay: await startRelay(server.port) };
    }),
  );
  return {
    upstream: shards.map(({ name, relay }) => `redis://${host}:${relay.port}?name=${name}`).join(','),
    shards,
    async stop() {
      await Promise.all(shards.map(({ relay }) => relay.stop()));
      await stopAll(servers);
    },
  };
}

async function sentinelStage(startRedis: StartRedis): Promise<Stage> {
  const set = await startSentinelsOn(startRedis, {});
  const name = 'shard1';
  let server = await set.primary();
  return {
    upstream: `${set.url}?name=${name}`,
    shards: [
      {
        name,
        get server() {
          return server;
        },
        async failover() {
          server = await set.switchedFrom(server);
        },
      },
    ],
    stop: () => set.stop(),
  };
}

async function clusterStage(startRedis: StartRedis, count: number): Promise<Stage> {
  const cluster = await startClusterOn(startRedis, {
    primaries: count,
    replicas: 1,
    requiresFullCoverage: false,
  });
  const shards = cluster.nodes.slice(0, count).map((primary, i): StageShard => {
    const replica = cluster.nodes[count + i] as ClusterNode;
    let node = primary;
    return {
      // A node of a Cluster is a shard of its own; after a failover the load still calls it by this name.
      name: `${primary.host}:${primary.port}`,
      get server() {
        return node.server;
      },
      async failover() {
        node = replica;
        primary.isRunning = false;
        await eventually('the replica is a primary', async () =>
          (await replica.line()).role === 'primary' ? true : undefined,
        );
        await cluster.settled();
      },
    };
  });
  return { upstream: cluster.url, shards, stop: () => cluster.stop() };
}
