import { Ring } from '../../../src/route/ring.ts';
import type { RedisServer } from '../../support/redis-server.ts';
import { stopAll } from '../../../src/drill/servers/redis-server.ts';
import { startRing } from '../../support/ring-servers.ts';
import type { Backend } from './backend.ts';
import { FixedDirectory } from './directory.ts';
import { LinkRelay } from './relay.ts';
import { UpstreamReads } from './upstream-reads.ts';

/** Redis servers that nearcache divides the keys over, or one that has them all. */
export class RingBackend implements Backend {
  readonly upstream: string;
  readonly relays: readonly LinkRelay[];
  readonly reads: UpstreamReads;
  readonly directory: FixedDirectory;
  readonly servers: readonly RedisServer[];

  private constructor(servers: readonly RedisServer[], relays: readonly LinkRelay[], reads: UpstreamReads) {
    this.servers = servers;
    this.relays = relays;
    this.reads = reads;
    this.upstream = relays.map(({ port }, i) => `redis://127.0.0.1:${port}?name=shard${i}`).join(',');
    const options = { distribution: 'ketama', hash: 'fnv1a_64', hashTag: '{}' } as const;
    const shards = servers.map((_, i) => ({ name: `shard${i}`, weight: 1 }));
    const ring = servers.length === 1 ? undefined : new Ring(options, shards);
    this.directory = new FixedDirectory(
      servers.map(({ port }) => port),
      ring,
    );
  }

  static async start(count: number, random: () => number): Promise<RingBackend> {
    const { shards } = await startRing(count);
    const servers = shards.map(({ server }) => server);
    const reads = new UpstreamReads();
    const relays = await Promise.all(servers.map(({ port }) => LinkRelay.start(port, random, { reads })));
    return new RingBackend(servers, relays, reads);
  }

  async stop(): Promise<void> {
    await Promise.all(this.relays.map((relay) => relay.stop()));
    await stopAll(this.servers);
  }
}
