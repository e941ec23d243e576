import { connectRaw } from './raw-client.ts';
import { startCluster } from './redis-cluster.ts';
import { startSentinels } from './redis-sentinel.ts';
import { startRing } from './ring-servers.ts';

export type TopologyKind = 'ring' | 'cluster' | 'sentinel';

/** What is behind nearcache where it is not one plain Redis. */
export interface Behind {
  /** As `--upstream` takes it. */
  readonly upstream: string;
  /** Of the servers that hold data; the first one is the home shard. */
  readonly ports: readonly number[];
  stop(): Promise<void>;
}

export interface Topology {
  readonly name: string;
  readonly kind: TopologyKind;
  start(): Promise<Behind>;
}

// A high hz, as it is what the end of a blocking command waits for.
const args = ['--hz', '100'];

export const topologies: readonly Topology[] = [
  {
    name: 'a ring of 3 shards',
    kind: 'ring',
    async start() {
      const ring = await startRing(3, { args });
      return {
        upstream: ring.upstream,
        ports: ring.shards.map(({ server }) => server.port),
        stop: () => ring.stop(),
      };
    },
  },
  {
    name: 'a Cluster of 3 primaries',
    kind: 'cluster',
    async start() {
      const cluster = await startCluster();
      const ports = cluster.nodes.map(({ port }) => port);
      await Promise.all(ports.map((port) => quicken(port)));
      return { upstream: cluster.url, ports, stop: () => cluster.stop() };
    },
  },
  {
    name: 'a primary that Sentinels name',
    kind: 'sentinel',
    async start() {
      // None of the tests wants another primary, and on a busy machine a command may keep this one busy for seconds.
      const set = await startSentinels({ downAfterMs: 60_000 });
      const { port } = await set.primary();
      await quicken(port);
      return { upstream: set.url, ports: [port], stop: () => set.stop() };
    },
  },
];

async function quicken(port: number): Promise<void> {
  const client = await connectRaw({ port });
  await client.call('CONFIG', 'SET', 'hz', '100');
  client.close();
}
