import type { RedisCluster } from '../../../src/drill/servers/redis-cluster.ts';
import { startCluster } from '../../support/redis-cluster.ts';
import type { Backend } from './backend.ts';
import { ClusterDirectory } from './directory.ts';
import { LinkRelay } from './relay.ts';
import { UpstreamReads } from './upstream-reads.ts';

const PRIMARIES = 3;

/** A Redis Cluster. What its nodes say of one another's addresses is translated on the way to nearcache, so that it stays behind
 *  the relays. */
export class ClusterBackend implements Backend {
  readonly upstream: string;
  readonly relays: readonly LinkRelay[];
  readonly reads: UpstreamReads;
  readonly directory: ClusterDirectory;
  readonly cluster: RedisCluster;

  private constructor(cluster: RedisCluster, relays: readonly LinkRelay[], reads: UpstreamReads) {
    this.cluster = cluster;
    this.relays = relays;
    this.reads = reads;
    const seeds = relays.slice(0, PRIMARIES).map(({ port }) => `127.0.0.1:${port}`);
    this.upstream = `redis+cluster://${seeds.join(',')}`;
    this.directory = new ClusterDirectory(cluster.nodes.map(({ port }) => port));
  }

  static async start(replicas: 0 | 1, random: () => number): Promise<ClusterBackend> {
    const cluster = await startCluster({ primaries: PRIMARIES, replicas });
    const reads = new UpstreamReads();
    const words = new Map<string, string>();
    const relays = await Promise.all(
      cluster.nodes.map(({ port }) => LinkRelay.start(port, random, { reads, words })),
    );
    for (const [i, { host, port }] of cluster.nodes.entries()) {
      words.set(`${host}:${port}`, `${host}:${relays[i]?.port}`);
    }
    return new ClusterBackend(cluster, relays, reads);
  }

  async stop(): Promise<void> {
    await Promise.all(this.relays.map((relay) => relay.stop()));
    await this.cluster.stop();
  }
}
