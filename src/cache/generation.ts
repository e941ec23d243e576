import type { Confirmation } from './confirmation.ts';

/** One life of a shared connection, as the near-cache sees it: entries and flights remember the generation that read
 *  them and are worthless to any other (coherence spec R8; the word is DESIGN's).
 *  Units: `freshAt` is monotonic milliseconds. */
export class Generation {
  static #lastFence = 0;
  /** Its number, which no other has: part of every entry, so that it also tells shard and identity apart. */
  readonly fence: number = ++Generation.#lastFence;
  /** The link is up. False for ever once it was lost. */
  isAlive = true;
  /** CLIENT TRACKING was confirmed on it and its server may be trusted as a source (a primary, RESP3, push order). */
  isTracking = false;
  /** When the newest answered heartbeat was sent: everything Redis invalidated before then has been processed (R9). */
  freshAt = 0;
  /** How long that heartbeat took to be answered. Units: ms; 0 before the first. */
  roundTripMs = 0;

  /** That its server still is the one to ask; undefined = nobody could take its place. */
  confirmation: Confirmation | undefined;

  /** May entries of this generation be served at `now`? */
  covers(now: number, maxStalenessMs: number): boolean {
    if (!this.isAlive || !this.isTracking || now - this.freshAt > maxStalenessMs) return false;
    return this.confirmation === undefined || this.confirmation.isFresh(now);
  }
}
