import type { ShardStats } from './shard-stats.ts';

/** How much a new mean counts. */
const WEIGHT = 0.25;

/** How long heartbeats take to be answered, smoothed, from what is counted of them. */
export class RoundTrip {
  /** Infinite until the first was answered. Units: s. */
  seconds: number = Number.POSITIVE_INFINITY;
  readonly #stats: ShardStats;
  #heartbeats = 0;
  #sum = 0;

  constructor(stats: ShardStats) {
    this.#stats = stats;
  }

  /** Take in what was counted since. */
  update(): void {
    const { heartbeats, heartbeatSeconds } = this.#stats;
    if (heartbeats === this.#heartbeats) return;
    const mean = (heartbeatSeconds - this.#sum) / (heartbeats - this.#heartbeats);
    this.#heartbeats = heartbeats;
    this.#sum = heartbeatSeconds;
    this.seconds = Number.isFinite(this.seconds) ? this.seconds + WEIGHT * (mean - this.seconds) : mean;
  }
}

/** Less by this part and this much, or reads would go to and fro between equals. Units: the margin in s. */
const PART = 0.2;
const MARGIN = 0.0002;

/** Is a server with the first round trip worth leaving one with the second? Units: s. */
export function isClearlyLess(seconds: number, than: number): boolean {
  return seconds < than * (1 - PART) && than - seconds > MARGIN;
}
