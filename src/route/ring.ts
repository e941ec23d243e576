import { createHash } from 'node:crypto';

import { HashTag } from './hash-tag.ts';
import { ketamaPoints, type Points } from './ketama.ts';
import { type KeyHashFunction, type KeyHashName, keyHashOf } from './key-hashes.ts';

export const distributions = ['ketama', 'modula'] as const;

/** How the hash of a key becomes a shard. `ketama` = consistent hashing: a change of the ring moves few keys. `modula` = the
 *  remainder of a division: even, but a change moves nearly all. */
export type Distribution = (typeof distributions)[number];

/** What decides, beside the shards, where a key is. Shape: `hashTag` is '' or two characters (see HashTag). */
export interface RingOptions {
  readonly distribution: Distribution;
  readonly hash: KeyHashName;
  readonly hashTag: string;
}

/** One shard of a ring. Its name, not its address, decides which keys are its own. Bounds: weight 1 to 1000. */
export interface RingShard {
  readonly name: string;
  readonly weight: number;
}

const shardsMax = 1024;
/** Points are looked for in a section of the ring; with 16 KiB of these a hundred shards have four points in each. */
const SECTION_BITS = 12;
const SECTIONS: number = 1 << SECTION_BITS;
const weightMax = 1000;

/** Says for each key which shard has it, the same as nutcracker 0.5 on x86 with the same names, weights and options. The order
 *  in which the shards are listed does not matter.
 *  Bounds: 1 to 1024 shards of different names. Cost: 6 bytes a point, 160 points a shard. */
export class Ring {
  readonly #hash: KeyHashFunction;
  readonly #tag: HashTag;
  readonly #points: Points;
  readonly #starts: Uint32Array;
  /** What a hash is divided by; 0 = by nothing, this is a ketama ring. */
  readonly #divisor: number;

  /** Errors: throws when a bound is not kept, or the distribution, the hash or the hash tag is not known. */
  constructor({ distribution, hash, hashTag }: RingOptions, shards: readonly RingShard[]) {
    checkDistribution(distribution);
    checkShards(shards);
    this.#hash = keyHashOf(hash);
    this.#tag = new HashTag(hashTag);
    const sorted = inOrder(shards);
    const { places, owners } = distribution === 'ketama' ? ketamaPoints(sorted) : modulaPoints(sorted);
    const indices = sorted.map((shard) => shards.indexOf(shard));
    this.#starts = beginnings(places);
    this.#points = { places, owners: owners.map((owner) => indices[owner] as number) };
    this.#divisor = distribution === 'ketama' ? 0 : shards.reduce((sum, { weight }) => sum + weight, 0);
  }

  /** The shard of the key from `start` to before `end`, as its index in the list that the ring was made of.
   *  Cost: the hash of the key, O(log points) comparisons, no allocation. */
  place(bytes: Buffer, start: number, end: number): number {
    const tag = this.#tag;
    tag.locate(bytes, start, end);
    // nutcracker does not ask the hash about an empty key.
    const hash = start === end ? 0 : this.#hash(bytes, tag.start, tag.end);
    const divisor = this.#divisor;
    return ownerOf(this.#points, this.#starts, divisor === 0 ? hash : (hash >>> 0) % divisor);
  }
}

/** The epoch of a ring: 16 hex digits that differ when anything differs that decides where a key is. The order of the shards
 *  and their addresses do not count. */
export function ringFingerprint(
  { distribution, hash, hashTag }: RingOptions,
  shards: readonly RingShard[],
): string {
  const facts = [distribution, hash, hashTag, inOrder(shards).map(({ name, weight }) => [name, weight])];
  return createHash('sha256').update(JSON.stringify(facts)).digest('hex').slice(0, 16);
}

/** What nutcracker calls a server that has been given no name, and so what a shard must be called to keep its keys.
 *  Source: nutcracker 0.5, nc_conf.c: memcached's port is left out, and the colon behind a path is its oversight. */
export function defaultShardName(
  address: { readonly host: string; readonly port: number } | { readonly path: string },
): string {
  if ('path' in address) return `${address.path}:`;
  return address.port === 11211 ? address.host : `${address.host}:${address.port}`;
}

/** nutcracker sorts its servers by name, short ones first. The order decides all of `modula` and equal points of `ketama`. */
function inOrder(shards: readonly RingShard[]): RingShard[] {
  return shards
    .map((shard) => ({ shard, bytes: Buffer.from(shard.name) }))
    .toSorted((a, b) => a.bytes.length - b.bytes.length || a.bytes.compare(b.bytes))
    .map(({ shard }) => shard);
}

/** Where among the sorted places those begin that share their first bits; one more at the end. */
function beginnings(places: Int32Array): Uint32Array {
  const starts = new Uint32Array(SECTIONS + 1);
  for (const place of places) (starts[sectionOf(place) + 1] as number)++;
  for (let i = 0; i < SECTIONS; i++) (starts[i + 1] as number) += starts[i] as number;
  return starts;
}

/** Of a signed number, so that sections rise with the places. */
function sectionOf(place: number): number {
  return (place >>> (32 - SECTION_BITS)) ^ (SECTIONS >>> 1);
}

/** The owner of the first point that is not before `place`; beyond the last one the ring begins again. */
function ownerOf({ places, owners }: Points, starts: Uint32Array, place: number): number {
  const section = sectionOf(place);
  let low = starts[section] as number;
  let high = starts[section + 1] as number;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((places[middle] as number) < place) low = middle + 1;
    else high = middle;
  }
  return owners[low === places.length ? 0 : low] as number;
}

/** A shard has as many remainders in a row as its weight, and a point at the last of them. */
function modulaPoints(shards: readonly RingShard[]): Points {
  let total = 0;
  return {
    places: Int32Array.from(shards, ({ weight }) => (total += weight) - 1),
    owners: Uint16Array.from(shards, (_, owner) => owner),
  };
}

function checkDistribution(name: string): void {
  if (name === 'random') {
    throw new Error(
      'The distribution "random" would send each request of a key to another shard, so what was written could not be read' +
        ` again. Choose one of: ${distributions.join(', ')}.`,
    );
  }
  if (distributions.every((each) => each !== name)) {
    throw new Error(`There is no distribution called "${name}". There are: ${distributions.join(', ')}.`);
  }
}

function checkShards(shards: readonly RingShard[]): void {
  if (shards.length < 1 || shards.length > shardsMax) {
    throw new Error(`A ring has 1 to ${shardsMax} shards, not ${shards.length}.`);
  }
  const names = new Set<string>();
  for (const { name, weight } of shards) {
    if (name === '') throw new Error('A shard needs a name: it decides which keys are its own.');
    if (names.has(name))
      throw new Error(`Two shards are called "${name}": names decide which keys are whose.`);
    names.add(name);
    if (!Number.isInteger(weight) || weight < 1 || weight > weightMax) {
      throw new Error(
        `The weight of shard "${name}" is a whole number from 1 to ${weightMax}, not ${weight}.`,
      );
    }
  }
}
