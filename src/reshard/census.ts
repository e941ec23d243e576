import { KeyMap } from './key-map.ts';
import { scanShard } from './scan.ts';
import type { ShardClient } from './shard-client.ts';

/** Keys that go from one shard to another. Units: bytes of memory, estimated from samples. */
export interface Flow {
  readonly from: string;
  readonly to: string;
  readonly keys: number;
  readonly bytes: number;
}

/** What is on the shards. `strays` are keys on a shard that owns them in neither ring, or only in the new one while nothing was moved yet: left
 *  behind by something else, and dangerous, since they would come back. */
export interface Census {
  readonly shards: readonly { readonly name: string; readonly keys: number; readonly strays: number }[];
  readonly flows: readonly Flow[];
}

export interface CensusOptions {
  readonly batch: number;
  /** Keys on their new owner are where they belong. */
  readonly hasBegun: boolean;
  /** Is called with the strays of one step of a scan. */
  readonly onStrays?: (client: ShardClient, db: number, keys: readonly Buffer[]) => Promise<void>;
  readonly onKeys?: (count: number) => void;
}

/** One key in so many is measured. */
const SAMPLE = 50;

interface Tally {
  keys: number;
  samples: number;
  sampled: number;
}

/** Count what every shard has and what of it moves. Cost: a SCAN of all shards. */
export async function takeCensus(
  clients: readonly ShardClient[],
  map: KeyMap,
  options: CensusOptions,
): Promise<Census> {
  const flows: Flow[] = [];
  const shards = await Promise.all(
    clients.map(async (client, shard) => {
      const { keys, strays, tallies } = await countShard(client, shard, map, options);
      for (const [to, { keys, samples, sampled }] of tallies) {
        const bytes = samples === 0 ? 0 : Math.round((sampled / samples) * keys);
        flows.push({ from: client.name, to: map.names[to] as string, keys, bytes });
      }
      return { name: client.name, keys, strays };
    }),
  );
  return { shards, flows: flows.toSorted((a, b) => (a.from + a.to < b.from + b.to ? -1 : 1)) };
}

async function countShard(
  client: ShardClient,
  shard: number,
  map: KeyMap,
  { batch, hasBegun, onStrays, onKeys }: CensusOptions,
): Promise<{ keys: number; strays: number; tallies: Map<number, Tally> }> {
  const tallies = new Map<number, Tally>();
  let total = 0;
  let strayCount = 0;
  for await (const { keys, db } of scanShard(client, batch)) {
    const samples: [Tally, Buffer][] = [];
    const strays: Buffer[] = [];
    for (const key of keys) {
      if (KeyMap.isOwn(key)) continue;
      total++;
      const next = map.newOwner(key);
      if (map.oldOwner(key) !== shard) {
        if (!hasBegun || next !== shard) strays.push(key);
      } else if (next !== shard) {
        const tally = tallyOf(tallies, next);
        if (tally.keys++ % SAMPLE === 0) samples.push([tally, key]);
      }
    }
    strayCount += strays.length;
    if (strays.length > 0) await onStrays?.(client, db, strays);
    await Promise.all(samples.map(([tally, key]) => measure(client, db, key, tally)));
    onKeys?.(keys.length);
  }
  return { keys: total, strays: strayCount, tallies };
}

function tallyOf(tallies: Map<number, Tally>, to: number): Tally {
  const tally = tallies.get(to) ?? { keys: 0, samples: 0, sampled: 0 };
  tallies.set(to, tally);
  return tally;
}

async function measure(client: ShardClient, db: number, key: Buffer, tally: Tally): Promise<void> {
  // Where MEMORY is forbidden there is no estimate.
  const bytes = await client.call(db, ['MEMORY', 'USAGE', key]).catch(() => null);
  if (typeof bytes !== 'number') return;
  tally.samples++;
  tally.sampled += bytes;
}
