import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

import { residentBytes } from '../../bench/process-usage.ts';
import { readMetrics } from '../../src/drill/servers/read-metrics.ts';
import { callRedis } from '../../src/drill/servers/redis-call.ts';
import type { StageShard } from '../../src/drill/stage.ts';
import { type LiveObjects, liveObjects } from './inspector.ts';
import type { Supervisor } from './supervisor.ts';

/** What nearcache holds. Units: bytes where the name says so. */
export interface Holdings {
  /** Open files of all kinds, but for connections to its admin address. */
  readonly files: number;
  readonly sockets: number;
  readonly timers: number;
  readonly sessions: number;
  /** Connections to shards, as nearcache counts them and as the shards do. */
  readonly shardConnections: number;
  readonly shardClients: number;
  readonly inFlight: number;
  readonly heldBytes: number;
  readonly heapBytes: number;
  readonly bufferBytes: number;
  readonly residentBytes: number;
}

const LOOKS = 5;
const BETWEEN_COLLECTIONS_MS = 300;
const BETWEEN_LOOKS_MS = 110;

/** What it holds while nothing is wrong. The load goes on: of what comes and goes with requests, the least of several looks counts. */
export async function holdings(nearcache: Supervisor, shards: readonly StageShard[]): Promise<Holdings> {
  const looks: Holdings[] = [];
  // Twice, since each stops the world for a moment.
  const living = [await liveObjects(nearcache.inspectorUrl)];
  await delay(BETWEEN_COLLECTIONS_MS);
  living.push(await liveObjects(nearcache.inspectorUrl));
  for (let i = 0; i < LOOKS; i++) {
    await delay(BETWEEN_LOOKS_MS);
    const metrics = await readMetrics(nearcache);
    const metric = (name: string): number => metrics.get(name) ?? Number.NaN;
    looks.push({
      ...openFiles(nearcache),
      ...(living[i % living.length] as LiveObjects),
      sessions: metric('nearcache_sessions'),
      shardConnections: metric('nearcache_shard_connections'),
      shardClients: 0,
      inFlight: metric('nearcache_shard_in_flight_commands'),
      heldBytes: metric('nearcache_sessions_held_bytes'),
      residentBytes: residentBytes(nearcache.pid),
    });
  }
  const least = (name: keyof Holdings): number => Math.min(...looks.map((look) => look[name]));
  const [first] = looks as [Holdings, ...Holdings[]];
  const names = Object.keys(first) as (keyof Holdings)[];
  const found = Object.fromEntries(names.map((name) => [name, least(name)])) as Record<
    keyof Holdings,
    number
  >;
  return { ...found, shardClients: await clientsAt(shards) };
}

/** Connections that the network has forgotten are ended first, which Redis learns in the course of time only. */
async function clientsAt(shards: readonly StageShard[]): Promise<number> {
  for (const { relay } of shards) relay?.forget();
  await delay(BETWEEN_LOOKS_MS);
  const lists = await Promise.all(shards.map(({ server }) => callRedis(server, ['CLIENT', 'LIST'])));
  return lists.reduce<number>((sum, list) => sum + [...String(list).matchAll(/ name=nearcache/g)].length, 0);
}

/** Source: proc(5); in `/proc/<pid>/net/tcp` the second column is the local address and the tenth the inode. */
function openFiles({ pid, adminPort }: Supervisor): { readonly files: number; readonly sockets: number } {
  const admin = new Set<string>();
  const hexPort = `:${adminPort.toString(16).toUpperCase().padStart(4, '0')}`;
  for (const line of readFileSync(`/proc/${pid}/net/tcp`, 'utf8').split('\n').slice(1)) {
    const columns = line.trim().split(/\s+/);
    if (columns[1]?.endsWith(hexPort)) admin.add(`socket:[${columns[9]}]`);
  }
  const targets = readdirSync(`/proc/${pid}/fd`).map((fd) => targetOf(`/proc/${pid}/fd/${fd}`));
  const open = targets.filter((target) => target !== undefined && !admin.has(target));
  return { files: open.length, sockets: open.filter((target) => target?.startsWith('socket:')).length };
}

/** Undefined when it was closed meanwhile. */
function targetOf(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}
