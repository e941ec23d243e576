import type { EvictionPolicy } from './eviction.ts';
import { FROM_MAIN, FROM_SMALL, type Ghosts } from './ghosts.ts';
import { MAIN, type Queue, type Segments, SMALL } from './segments.ts';
import { Share } from './share.ts';
import type { StoreStats } from './store.ts';

/** New entries are on trial in a small queue; those hit twice there, or asked for again soon after, are kept in the main
 *  one. One-time reads so pass through a small part of the cache. The size of that part follows the ghosts' votes.
 *  Source: S3-FIFO with the adaptive split (SOSP 2023). */
export class S3Fifo implements EvictionPolicy {
  readonly hearsRequests: boolean = false;
  readonly #ghosts: Ghosts;
  readonly #stats: StoreStats;
  readonly #share: Share = new Share();

  constructor(ghosts: Ghosts, stats: StoreStats) {
    this.#ghosts = ghosts;
    this.#stats = stats;
  }

  requested(): void {}

  queueFor(identity: number): Queue {
    const origin = this.#ghosts.take(identity);
    if (origin === 0) return SMALL;
    const { age } = this.#ghosts;
    const { entries } = this.#stats;
    if (age <= entries * VOTE_WINDOW) this.#share.vote(origin === FROM_SMALL);
    return origin === FROM_SMALL && age <= entries * GHOST_WINDOW ? MAIN : SMALL;
  }

  victimQueue(segments: Segments): Queue {
    const small = segments.held[SMALL] as number;
    if (segments.held[MAIN] === 0) return SMALL;
    return small > Math.max(SMALL_MIN, Math.round(this.#share.value * segments.count)) ? SMALL : MAIN;
  }

  keeps(queue: Queue, hits: number, identity: number, _unit: number, pressure: number): boolean {
    if (hits > pressure + (queue === SMALL ? 1 : 0)) return true;
    this.#ghosts.add(identity, queue === SMALL ? FROM_SMALL : FROM_MAIN);
    return false;
  }
}

const VOTE_WINDOW = 0.05;
const GHOST_WINDOW = 0.9;
/** Units: segments. */
const SMALL_MIN = 2;
