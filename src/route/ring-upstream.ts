import type { Shard } from '../shard/shard.ts';
import type { Ring } from './ring.ts';
import type { Upstream } from './upstream.ts';

/** Tells shards where their primaries are. */
export interface Watcher {
  start(): void;
  close(): void;
}

/** A ring of shards that nearcache manages itself; a plain Redis is a ring of one.
 *  A failed shard keeps its keys: given to others, they would come back stale after its recovery (twemproxy#604). */
export class RingUpstream implements Upstream {
  readonly kind = 'ring';
  readonly redirects: undefined;
  version = 0;
  readonly shards: readonly Shard[];
  readonly #ring: Ring | undefined;
  readonly #watchers: readonly Watcher[];

  /** `ring` may be left out for one shard. Its places are indices of `shards`. */
  constructor(shards: readonly Shard[], ring: Ring | undefined, watchers: readonly Watcher[] = []) {
    this.shards = shards;
    this.#watchers = watchers;
    this.#ring = ring;
  }

  get isSingle(): boolean {
    return this.#ring === undefined;
  }

  get home(): Shard {
    return this.shards[0] as Shard;
  }

  placeOf(bytes: Buffer, start: number, end: number): number {
    return this.#ring === undefined ? 0 : this.#ring.place(bytes, start, end);
  }

  shardAt(place: number): Shard | undefined {
    return this.shards[place];
  }

  spaceAt(_place: number, db: number): number {
    return db;
  }

  start(): void {
    for (const watcher of this.#watchers) watcher.start();
    for (const shard of this.shards) shard.start();
  }

  close(): void {
    for (const watcher of this.#watchers) watcher.close();
    for (const shard of this.shards) shard.close();
  }
}
