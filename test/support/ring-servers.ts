import { freePorts } from '../../src/drill/servers/free-port.ts';
import { startAll, stopAll } from '../../src/drill/servers/redis-server.ts';
import { startRedis } from './redis-server.ts';
import type { RedisOptions, RedisServer } from './redis-server.ts';

/** One shard of a ring: its name stays whatever becomes of its server. */
export interface RingShard {
  readonly name: string;
  readonly url: string;
  readonly server: RedisServer;
}

/** Redis servers that know nothing of one another. */
export interface Ring {
  readonly shards: readonly RingShard[];
  /** The URLs in order, as `--upstream` takes them. */
  readonly upstream: string;
  stop(): Promise<void>;
}

/** Starts `count` servers and names them shard0, shard1 and so on.
 *  Shape: `options` are those of each server; a port is chosen for each.
 *  Errors: rejects when one does not start; the others are ended. */
export async function startRing(count: number, options: Omit<RedisOptions, 'port'> = {}): Promise<Ring> {
  const ports = await freePorts(count);
  const servers = await startAll(ports.map((port) => () => startRedis({ ...options, port })));
  const shards = servers.map((server, i) => ({ name: `shard${i}`, url: server.url, server }));
  return {
    shards,
    upstream: shards.map((shard) => shard.url).join(','),
    stop: () => stopAll(servers),
  };
}
