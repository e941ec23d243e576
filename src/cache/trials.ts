import { FROM_MAIN, FROM_SMALL, type Ghosts } from './ghosts.ts';
import { MAIN, type Queue, type Segments, SMALL } from './segments.ts';
import type { StoreStats } from './store.ts';

/** New entries are on trial in a small queue until they have proved themselves. How much of the cache trials get follows the
 *  ghosts' votes: an entry asked for soon after it was dropped on trial says that trials are too short, one dropped from the
 *  main queue that they are too long.
 *
 *  Steps are ten times those of the original and the share may grow to nearly all: where recency is all that counts, it so
 *  comes near to LRU within a few turnovers of the cache, instead of missing 20 to 40 % more for millions of requests.
 *  Source: S3-FIFO's adaptive variant (Yang et al., "FIFO queues are all you need for cache eviction", SOSP 2023, §6.2.2). */
export class Trials {
  readonly #ghosts: Ghosts;
  readonly #stats: StoreStats;
  /** Units: part of the whole. */
  #share: number = SHARE_START;
  #forSmall = 0;
  #forMain = 0;

  constructor(ghosts: Ghosts, stats: StoreStats) {
    this.#ghosts = ghosts;
    this.#stats = stats;
  }

  /** The part of the cache that trials get. */
  get share(): number {
    return this.#share;
  }

  /** Do trials take up so much that recency is what counts? Then one hit is proof enough. */
  get areLong(): boolean {
    return this.#share >= SHARE_LONG;
  }

  /** An entry comes that was not here. Has it left a trial not long ago? */
  isBack(identity: number): boolean {
    const origin = this.#ghosts.take(identity);
    if (origin === 0) return false;
    const { age } = this.#ghosts;
    const { entries } = this.#stats;
    if (age <= entries * VOTE_WINDOW) this.#vote(origin === FROM_SMALL);
    return origin === FROM_SMALL && age <= entries * GHOST_WINDOW;
  }

  /** An entry of `queue` was dropped for room. */
  left(queue: Queue, identity: number): void {
    this.#ghosts.add(identity, queue === SMALL ? FROM_SMALL : FROM_MAIN);
  }

  /** The queue that has more than its share. */
  victimQueue(segments: Segments): Queue {
    const small = segments.held[SMALL] as number;
    if (segments.held[MAIN] === 0) return SMALL;
    return small > Math.max(SMALL_MIN, Math.round(this.#share * segments.count)) ? SMALL : MAIN;
  }

  /** Is the main queue still far from filling what trials leave to it? */
  mainHasRoom(segments: Segments): boolean {
    return (segments.held[MAIN] as number) < (1 - this.#share) * segments.count * MAIN_FILLED;
  }

  #vote(forSmall: boolean): void {
    if (forSmall) this.#forSmall++;
    else this.#forMain++;
    if (this.#forSmall + this.#forMain < VOTES) return;
    if (this.#forSmall >= MAJORITY * this.#forMain) this.#share = Math.min(this.#share + STEP, SHARE_MAX);
    else if (this.#forMain >= MAJORITY * this.#forSmall)
      this.#share = Math.max(this.#share - STEP, SHARE_MIN);
    this.#forSmall = 0;
    this.#forMain = 0;
  }
}

const SHARE_START = 0.1;
const SHARE_MIN = 0.02;
const SHARE_LONG = 0.5;
const SHARE_MAX = 0.95;
const STEP = 0.01;
const VOTES = 100;
const MAJORITY = 1.5;
/** Ghosts vote while fewer than so many entries, as a part of those held, have left after them … */
const VOTE_WINDOW = 0.05;
/** … and count as returning so long. */
const GHOST_WINDOW = 0.9;
const MAIN_FILLED = 0.8;
/** Units: segments. */
const SMALL_MIN = 2;
