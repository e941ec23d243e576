/** What `ring` measures, and what is demanded of it. */
import { type KeyHashName, keyHashNames } from '../../src/route/key-hashes.ts';
import type { Distribution } from '../../src/route/ring.ts';
import type { Verdict } from '../gate.ts';
import { atMost } from '../report/verdict-table.ts';
import { median } from '../report/table.ts';

/** `random` = without a pattern; `numbered` = user:0, user:1 …, in which a weak hash shows. */
export const keySetNames = ['random', 'numbered'] as const;
export type KeySetName = (typeof keySetNames)[number];

/** Keys over `shards` equal shards, shard0, shard1 ….
 *  Units: `fullest` is the load of the fullest shard over the mean; `moved` is the share of all keys that another shard had
 *  before the last one was added. */
export interface PlacementCell {
  readonly distribution: Distribution;
  readonly keySet: KeySetName;
  readonly hash: KeyHashName;
  readonly shards: number;
  readonly fullest: number;
  readonly moved: number;
}

/** How a ketama ring is divided between shards of such names. Units: the largest share over the mean. */
export interface NamesRow {
  readonly names: string;
  readonly largest: Readonly<Record<number, number>>;
}

/** The same over many made-up sets of names. Shape: `within` of them keep the bound of 1.15. */
export interface NamesSample {
  readonly shards: number;
  readonly sets: number;
  readonly median: number;
  readonly ninth: number;
  readonly worst: number;
  readonly within: number;
}

/** What is timed: the hash alone, and lookups in rings of ten shards, of keys of so many bytes. */
export const figures = ['hash, 24 B', 'ketama, 24 B', 'modula, 24 B', 'ketama, 100 B'] as const;
export type Figure = (typeof figures)[number];

export interface LookupInput {
  readonly hash: KeyHashName;
  readonly operations: number;
}

/** Units: CPU nanoseconds a lookup, one number a round. */
export interface LookupRow {
  readonly hash: KeyHashName;
  readonly nanos: Readonly<Record<Figure, readonly number[]>>;
}

export const fullestMost = 1.15;
const movedBeyondMost = 0.02;
/** So many shards the bound of balance is for. */
const balancedShards = 10;
/** Its 15 bits are no more than a point of the ring: one shard has all keys. */
const placesNothing: KeyHashName = 'crc32';

export function nanosOf(row: LookupRow, figure: Figure): number {
  return median(row.nanos[figure]);
}

/** The two bounds of a ketama ring, for every hash that can keep them, over keys without a pattern. */
export function judgeRing(cells: readonly PlacementCell[]): Verdict[] {
  return keyHashNames
    .filter((hash) => hash !== placesNothing)
    .flatMap((hash) => {
      const own = cells.filter(
        (cell) => cell.distribution === 'ketama' && cell.keySet === 'random' && cell.hash === hash,
      );
      const balanced = own.find(({ shards }) => shards === balancedShards);
      const beyond = own.map(({ shards, moved }) => moved - 1 / shards);
      const most = beyond.length === 0 ? undefined : Math.max(...beyond);
      return [
        atMost(`${hash}: fullest shard / mean at ${balancedShards} shards`, balanced?.fullest, fullestMost),
        atMost(`${hash}: share of keys that the n-th shard moves, beyond 1/n`, most, movedBeyondMost),
      ];
    });
}
