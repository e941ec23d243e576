import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { seededRandom } from '../../bench/workload/seeded-random.ts';
import { keyHashNames } from '../../src/route/key-hashes.ts';
import {
  defaultShardName,
  distributions,
  Ring,
  type RingOptions,
  type RingShard,
} from '../../src/route/ring.ts';
import { ensureNutcracker, startNutcracker } from '../support/nutcracker.ts';
import { connectRaw, encodeRequest, type RawClient } from '../support/raw-client.ts';
import { parseWithOracle } from '../support/redis-parser-oracle.ts';
import { type RedisServer, startRedis } from '../support/redis-server.ts';

/** A ring, and where its shards are. */
interface Pool {
  readonly options: RingOptions;
  readonly shards: readonly (RingShard & { readonly server: RedisServer; readonly isNamed: boolean })[];
}

const KEYS_IN_TOTAL = 100_000;
const BATCH = 250;
const DATABASES = 128;

/** How the pools differ beside hash and distribution. nutcracker sorts by name, short ones first: not all are in that order. */
const VARIANTS = [
  { weights: [1, 1, 1, 1, 1], names: undefined, hashTag: '' },
  { weights: [1, 2, 3, 5, 7], names: ['shard0', 'shard1', 'shard2', 'shard3', 'shard4'], hashTag: '{}' },
  { weights: [100, 33, 1, 1000, 66], names: ['zoé', 'm', 'cache-1.example:6379', 'Z', 's10'], hashTag: '$$' },
] as const;

const redis: RedisServer[] = [];

beforeAll(async () => {
  ensureNutcracker();
  for (let i = 0; i < 5; i++) {
    redis.push(await startRedis({ args: ['--databases', String(DATABASES)], unixSocket: true }));
  }
}, 300_000);

afterAll(async () => {
  for (const server of redis) await server.stop();
});

describe('a ring', () => {
  it('places 100,000 keys where nutcracker does, over all hashes and distributions, with weights and hash tags', async () => {
    const pools = keyHashNames.flatMap((hash) =>
      distributions.flatMap((distribution) =>
        VARIANTS.map(({ weights, names, hashTag }) => ({
          options: { hash, distribution, hashTag },
          shards: redis.map((server, i) => ({
            name: names?.[i] ?? defaultShardName(server),
            weight: weights[i] as number,
            server,
            isNamed: names !== undefined,
          })),
        })),
      ),
    );
    const { compared, wrong } = await compare(pools, Math.ceil(KEYS_IN_TOTAL / pools.length));
    expect(wrong.slice(0, 10)).toEqual([]);
    expect(compared).toBeGreaterThanOrEqual(KEYS_IN_TOTAL);
  }, 60_000);

  it('has the same points as nutcracker where single precision takes four from every shard', async () => {
    const pools = [24, 25, 47].map((count) => ({
      options: { hash: 'murmur', distribution: 'ketama', hashTag: '' } as const,
      shards: Array.from({ length: count }, (_, i) => ({
        name: `shard${i}`,
        weight: 1,
        server: redis[i % redis.length] as RedisServer,
        isNamed: true,
      })),
    }));
    const { compared, wrong } = await compare(pools, 3_000);
    expect(wrong.slice(0, 10)).toEqual([]);
    expect(compared).toBe(9_000);
  });

  it('gives a shard on a Unix socket the name that nutcracker gives it', async () => {
    const shards = redis.map((server) => ({
      name: defaultShardName({ path: server.socketPath as string }),
      weight: 1,
      server,
      isNamed: false,
    }));
    const pool: Pool = { options: { hash: 'jenkins', distribution: 'ketama', hashTag: '' }, shards };
    const { compared, wrong } = await compare([pool], 1_000);
    expect(wrong.slice(0, 10)).toEqual([]);
    expect(compared).toBe(1_000);
  });
});

/** Writes keys through a nutcracker with these pools, then asks each Redis which ones it got. Every pool has a database of its
 *  own in the same servers. */
async function compare(
  pools: readonly Pool[],
  keysEach: number,
): Promise<{ compared: number; wrong: string[] }> {
  for (const server of redis) await withClient(connectRaw(server), (client) => client.call('FLUSHALL'));
  const nutcracker = await startNutcracker(pools.map(nutcrackerPool));
  const found: { readonly pool: Pool; readonly server: RedisServer; readonly key: string }[] = [];
  try {
    for (const [database, pool] of pools.entries()) {
      const keys = keysOf(keysEach, pool.options.hashTag, database);
      await withClient(nutcracker.connect(database), (client) => writeAll(client, keys));
      for (const server of redis) {
        const own = await withClient(connectRaw(server), (client) => keysIn(client, database));
        found.push(...own.map((key) => ({ pool, server, key })));
      }
    }
  } finally {
    await nutcracker.stop();
  }
  const rings = new Map(pools.map((pool) => [pool, new Ring(pool.options, pool.shards)]));
  const wrong = found.filter(({ pool, server, key }) => {
    const place = rings.get(pool)?.place(Buffer.from(`>${key}<`, 'latin1'), 1, key.length + 1);
    return pool.shards[place as number]?.server !== server;
  });
  return {
    compared: found.length,
    wrong: wrong.map(({ pool, key }) => JSON.stringify({ ...pool.options, key })),
  };
}

function nutcrackerPool(
  { options, shards }: Pool,
  database: number,
): { settings: string[]; servers: string[] } {
  const { hash, distribution, hashTag } = options;
  return {
    settings: [
      `hash: ${hash}`,
      `distribution: ${distribution}`,
      `redis_db: ${database}`,
      ...(hashTag === '' ? [] : [`hash_tag: "${hashTag}"`]),
    ],
    servers: shards.map(({ name, weight, server: { host, port, socketPath }, isNamed }) => {
      const isOnPath = name.startsWith('/');
      return `${isOnPath ? socketPath : `${host}:${port}`}:${weight}${isNamed ? ` ${name}` : ''}`;
    }),
  };
}

/** Different keys of 0 to 300 bytes: all bytes, text, and tags that are whole, empty, open, nested or several. */
function keysOf(count: number, hashTag: string, seed: number): string[] {
  const random = seededRandom(seed);
  const upTo = (most: number): number => Math.floor(random() * (most + 1));
  const bytes = (most: number): string =>
    String.fromCharCode(...Array.from({ length: upTo(most) }, () => upTo(255)));
  const text = (): string => `user:${upTo(1e6)}`;
  const [open, close] = (hashTag === '' ? '{}' : hashTag) as unknown as [string, string];
  const shapes = [
    text,
    () => bytes(40),
    () => bytes(300),
    () => `${bytes(40)}${open}${bytes(40)}${close}${bytes(40)}`,
    () => `${open}${text()}${close}.name`,
    () => `${text()}${open}${close}${open}${text()}${close}`,
    () => `${text()}${close}${bytes(40)}${open}${text()}`,
    () => `${text()}${open}${open}${text()}${close}${close}`,
  ];
  const keys = new Set(['', open + close, open, close + open, `${open}a${close}`, open + open + close]);
  for (let i = 0; keys.size < count; i++) keys.add((shapes[i % shapes.length] as () => string)());
  return [...keys];
}

async function writeAll(client: RawClient, keys: readonly string[]): Promise<void> {
  for (let at = 0; at < keys.length; at += BATCH) {
    const batch = keys.slice(at, at + BATCH);
    client.send(Buffer.concat(batch.map((key) => encodeRequest(['SET', key, '']))));
    const replies = Buffer.concat(await client.readFrames(batch.length)).toString();
    expect(replies).toBe('+OK\r\n'.repeat(batch.length));
  }
}

/** All keys of one database, as latin1. */
async function keysIn(client: RawClient, database: number): Promise<string[]> {
  await client.call('SELECT', String(database));
  const [keys] = parseWithOracle(await client.call('KEYS', '*'));
  return keys as string[];
}

async function withClient<T>(
  connected: Promise<RawClient>,
  use: (client: RawClient) => Promise<T>,
): Promise<T> {
  const client = await connected;
  try {
    return await use(client);
  } finally {
    client.close();
  }
}
