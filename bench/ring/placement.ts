/** Where keys go, counted. */
import type { Random } from '../../src/base/random.ts';
import { keyHashNames } from '../../src/route/key-hashes.ts';
import { ketamaPoints } from '../../src/route/ketama.ts';
import { type Distribution, Ring, type RingOptions, type RingShard } from '../../src/route/ring.ts';
import { seededRandom } from '../workload/seeded-random.ts';
import {
  fullestMost,
  type KeySetName,
  type NamesRow,
  type NamesSample,
  type PlacementCell,
} from './ring-rows.ts';

const sampleSets = 1_000;

/** Keys one after another, as in a request buffer. */
export class KeyList {
  readonly #bytes: Buffer;
  readonly #ends: Uint32Array;

  constructor(keys: readonly string[]) {
    this.#bytes = Buffer.from(keys.join(''), 'latin1');
    let end = 0;
    this.#ends = Uint32Array.from(keys, (key) => (end += key.length));
  }

  get count(): number {
    return this.#ends.length;
  }

  /** Calls `look` for each key. Returns the sum of what it returns, so that the calls cannot be left out. */
  each(look: (bytes: Buffer, start: number, end: number, index: number) => number): number {
    let sum = 0;
    let start = 0;
    for (let i = 0; i < this.#ends.length; i++) {
      const end = this.#ends[i] as number;
      sum += look(this.#bytes, start, end, i);
      start = end;
    }
    return sum;
  }
}

export function keysOf(set: KeySetName, count: number): KeyList {
  const random = seededRandom(1);
  const key = set === 'numbered' ? (i: number) => `user:${i}` : () => `session:${randomText(random, 16)}`;
  return new KeyList(Array.from({ length: count }, (_, i) => key(i)));
}

/** Letters and digits. */
export function randomText(random: Random, length: number): string {
  return Array.from({ length }, () => Math.floor(random() * 36).toString(36)).join('');
}

/** shard0, shard1 …, of the same weight. */
export function equalShards(count: number): RingShard[] {
  return Array.from({ length: count }, (_, i) => ({ name: `shard${i}`, weight: 1 }));
}

/** A cell for every hash and every number of shards. */
export function placementCells(
  distribution: Distribution,
  keySet: KeySetName,
  keys: KeyList,
  counts: readonly number[],
): PlacementCell[] {
  return keyHashNames.flatMap((hash) =>
    counts.map((shards) => {
      const options = { distribution, hash, hashTag: '' };
      return { distribution, keySet, hash, shards, ...spread(options, keys, shards) };
    }),
  );
}

function spread(options: RingOptions, keys: KeyList, shards: number): { fullest: number; moved: number } {
  const [before, after] = [
    new Ring(options, equalShards(shards - 1)),
    new Ring(options, equalShards(shards)),
  ];
  const loads = new Float64Array(shards);
  const moved = keys.each((bytes, start, end) => {
    const place = after.place(bytes, start, end);
    loads[place] = (loads[place] as number) + 1;
    return place === before.place(bytes, start, end) ? 0 : 1;
  });
  return { fullest: Math.max(...loads) / (keys.count / shards), moved: moved / keys.count };
}

const namings: Readonly<Record<string, (i: number) => string>> = {
  'shard0 …': (i) => `shard${i}`,
  'shard1 …': (i) => `shard${i + 1}`,
  'shard-0 …': (i) => `shard-${i}`,
  'redis-0 …': (i) => `redis-${i}`,
  'cache01 …': (i) => `cache${String(i + 1).padStart(2, '0')}`,
  'a, b …': (i) => String.fromCharCode(97 + i),
  '10.0.0.1:6379 …': (i) => `10.0.0.${i + 1}:6379`,
  'redis-0.redis:6379 …': (i) => `redis-${i}.redis:6379`,
};

/** Names that are usual. Cost: exact, without keys. */
export function namesRows(counts: readonly number[]): NamesRow[] {
  return Object.entries(namings).map(([names, name]) => ({
    names,
    largest: Object.fromEntries(
      counts.map((shards) => [shards, largestShare(Array.from({ length: shards }, (_, i) => name(i)))]),
    ),
  }));
}

/** Names that are made up: how lucky the usual ones are. */
export function namesSample(shards: number): NamesSample {
  const largest = Array.from({ length: sampleSets }, (_, set) =>
    largestShare(Array.from({ length: shards }, (_, i) => `set${set}-${i}`)),
  ).toSorted((a, b) => a - b);
  return {
    shards,
    sets: sampleSets,
    median: largest[sampleSets / 2] as number,
    ninth: largest[sampleSets * 0.9] as number,
    worst: largest.at(-1) as number,
    within: largest.filter((share) => share <= fullestMost).length / sampleSets,
  };
}

/** Of the whole ring, over the mean: what a perfect hash would give. */
function largestShare(names: readonly string[]): number {
  const { places, owners } = ketamaPoints(names.map((name) => ({ name, weight: 1 })));
  const shares = new Float64Array(names.length);
  let before = (places.at(-1) as number) - 2 ** 32;
  for (const [i, place] of places.entries()) {
    const owner = owners[i] as number;
    shares[owner] = (shares[owner] as number) + place - before;
    before = place;
  }
  return Math.max(...shares) / (2 ** 32 / names.length);
}
