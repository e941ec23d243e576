import type { EvictionPolicy } from './eviction.ts';
import { MAIN, type Queue, type Segments, SMALL } from './segments.ts';
import type { Trials } from './trials.ts';

/** Entries hit twice on trial, or asked for again not long after it, are kept in the main queue, and there as long as they
 *  are hit. One-time reads so pass through a small part of the cache.
 *  Source: S3-FIFO with the adaptive split (SOSP 2023). */
export class S3Fifo implements EvictionPolicy {
  readonly hearsRequests: boolean = false;
  readonly #trials: Trials;

  constructor(trials: Trials) {
    this.#trials = trials;
  }

  requested(_identity: number): void {}

  queueFor(identity: number, _units: number): Queue {
    return this.#trials.isBack(identity) ? MAIN : SMALL;
  }

  victimQueue(segments: Segments): Queue {
    return this.#trials.victimQueue(segments);
  }

  keeps(queue: Queue, hits: number, identity: number, _unit: number, pressure: number): boolean {
    const enough = queue === MAIN || this.#trials.areLong ? 1 : 2;
    if (hits >= enough + pressure) return true;
    this.#trials.left(queue, identity);
    return false;
  }
}
