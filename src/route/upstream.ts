import type { Shard } from '../shard/shard.ts';
import type { Waiter } from '../shard/shared-options.ts';
import type { RingGate } from './ring-gate.ts';

/** Takes in what nodes of a Cluster say of each other, and returns whom to ask instead of `from`, which said so. Shape: an empty
 *  host is that of `from`. */
export interface Redirects {
  moved(slot: number, host: string, port: number, from: Shard): Shard;
  asked(slot: number, host: string, port: number, from: Shard): Shard;
}

/** Everything behind nearcache: which shard has which key.
 *
 *  A key is at a *place*: a number that two keys must share for one command to name them both. In a ring that is the
 *  shard's number, in a Cluster the slot. */
export interface Upstream {
  readonly kind: 'ring' | 'cluster';
  /** Raised whenever some key may have another shard than before. */
  readonly version: number;
  /** One shard and never another: no request has to be asked for its keys. */
  readonly isSingle: boolean;
  /** In a stable order; the first one is `home`. */
  readonly shards: readonly Shard[];
  /** Answers what concerns no key in particular. */
  readonly home: Shard;
  /** Where the key bytes[start, end) is. Cost: O(log n), no allocation. */
  placeOf(bytes: Buffer, start: number, end: number): number;
  /** The same for a channel, by which it is published and subscribed to. Never HELD: while keys move, channels stay. */
  placeOfChannel(bytes: Buffer, start: number, end: number): number;
  /** Who serves that place now; undefined = nobody does (a slot without an owner). */
  shardAt(place: number): Shard | undefined;
  /** Is it not yet known where any key is, but may be soon? `waiter` is woken then. Undefined = it is known from the beginning. */
  isLearning?(waiter: Waiter): boolean;
  /** What entries of that place carry as their database (`EntryId.db`); below 0 = none may be kept or found now. */
  spaceAt(place: number, db: number): number;
  /** Fingerprints of the ring and of the next one; undefined = it is none of several shards. */
  readonly epoch?: { readonly from: string; readonly to: string } | undefined;
  /** Another ring is configured that this one is to become. */
  readonly isChanging?: boolean;
  /** Lets commands pass only when their keys are where `placeOf` says; undefined = they always are. */
  readonly gate?: RingGate | undefined;
  /** Undefined = no shard redirects to another. */
  readonly redirects: Redirects | undefined;
  start(): void;
  close(): void;
}
