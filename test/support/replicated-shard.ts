import { eventually } from '../../src/drill/servers/eventually.ts';
import { readMetrics } from '../../src/drill/servers/read-metrics.ts';
import { callRedis } from '../../src/drill/servers/redis-call.ts';
import { startRedis, type RedisServer } from './redis-server.ts';
import { startRelay, type Relay } from '../../src/drill/servers/relay.ts';

/** A primary and one replica that follows it through `feed`: paused, the replica falls behind and does not know. */
export class ReplicatedShard {
  readonly primary: RedisServer;
  readonly replica: RedisServer;
  readonly feed: Relay;

  private constructor(primary: RedisServer, replica: RedisServer, feed: Relay) {
    this.primary = primary;
    this.replica = replica;
    this.feed = feed;
  }

  static async start(): Promise<ReplicatedShard> {
    const primary = await startRedis({ args: ['--repl-diskless-sync-delay', '0'] });
    const feed = await startRelay(primary.port);
    const replica = await startRedis({ args: ['--replicaof', `127.0.0.1 ${feed.port}`] });
    const shard = new ReplicatedShard(primary, replica, feed);
    await shard.caughtUp();
    return shard;
  }

  /** The replica has all that the primary has. */
  async caughtUp(): Promise<void> {
    await eventually('the replica has its data', async () => {
      const info = String(await callRedis(this.replica, ['INFO', 'replication']));
      if (!info.includes('master_link_status:up')) return undefined;
      const offset = /slave_repl_offset:(\d+)/.exec(info)?.[1];
      const primary = String(await callRedis(this.primary, ['INFO', 'replication']));
      return primary.includes(`master_repl_offset:${offset}\r\n`) ? true : undefined;
    });
  }

  /** As `--upstream` takes it, the replica at `replicaPort`. */
  url(primaryPort: number = this.primary.port, replicaPort: number = this.replica.port): string {
    return `redis://127.0.0.1:${primaryPort}?replica=127.0.0.1:${replicaPort}`;
  }

  async stop(): Promise<void> {
    await this.replica.stop();
    await this.feed.stop();
    await this.primary.stop();
  }
}

/** How often a server has run a command for its clients, or as a replica. */
export async function runsAt(server: { host: string; port: number }, command: string): Promise<number> {
  const info = String(await callRedis(server, ['INFO', 'commandstats']));
  return Number(new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(info)?.[1] ?? 0);
}

/** Waits until nearcache would send reads to so many replicas. */
export async function replicasUp(nearcache: { adminPort: number }, count: number): Promise<void> {
  await eventually(`${count} replicas are up`, async () => {
    const up = (await readMetrics(nearcache)).get('nearcache_replica_up') ?? 0;
    return up === count ? true : undefined;
  });
}
