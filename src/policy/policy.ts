/** How reads of keys under one prefix are cached. The policy of everything else has an empty prefix and number 0.
 *  Units: ms; percent of a life that ends by `maxTtlMs` or `negativeTtlMs`, never of a key's own expiry in Redis. */
export interface Policy {
  /** 0–255; its place in `PolicyTable.all` and in the near-cache's statistics. */
  readonly number: number;
  /** Raw bytes that a key begins with. */
  readonly prefix: Buffer;
  /** The prefix as it is printed and labelled; `default` for number 0. */
  readonly name: string;
  /** False = always read from Redis. */
  readonly isCached: boolean;
  readonly maxTtlMs: number;
  /** 0 = "no such key" is not remembered. */
  readonly negativeTtlMs: number;
  /** A life is shortened by a random part of up to so much, so that entries filled together do not end together. */
  readonly jitterPercent: number;
  /** After so much of its life a hit has the entry read again in the background; 100 = never. */
  readonly softTtlPercent: number;
  /** An entry in use that a write through nearcache ends is read again right behind it. */
  readonly isReread: boolean;
  /** An entry that ended by a cap of ours is served so much longer while it is read again. */
  readonly staleWhileRevalidateMs: number;
  /** Which server answers a read that is not cached; absent = the primary. */
  readonly readPreference?: ReadPreference;
  /** Protect the app's database: of several that find nothing, one loads and the others wait. */
  readonly lease: Lease | undefined;
  /** How long an entry is served while its shard is away; 0 = never. */
  readonly staleIfErrorMs: number;
  /** What a read gets then, of which no entry may be served. */
  readonly whenAway: WhenAway;
  /** Commands on its keys a second; 0 = no limit. */
  readonly rateLimit: number;
}

/** Who is to answer reads: what a replica answers is never cached. `nearest`: whoever answers soonest. */
export type ReadPreference = 'primary' | 'replica' | 'nearest';

/** error = fail closed; miss = fail open: the reply for a key that does not exist, so that the app asks its database. */
export type WhenAway = 'error' | 'miss';

/** How a miss lease is kept. Units: ms. */
export interface Lease {
  /** How long a read waits for another's load before it gets its nil. */
  readonly waitMs: number;
  /** How long the loader has, over all pods, before another may load. */
  readonly ttlMs: number;
}
