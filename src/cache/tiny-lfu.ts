import type { EntryTable } from './entry-table.ts';
import type { EvictionPolicy } from './eviction.ts';
import type { FrequencySketch } from './frequency-sketch.ts';
import { MAIN, NONE, type Queue, type Segments, SMALL } from './segments.ts';
import type { Trials } from './trials.ts';

/** New entries wait in a small queue; from there one gets into the main queue only if it is asked for more often than the
 *  entry that would have to go. The main queue is a clock, the split follows the ghosts' votes.
 *  Source: W-TinyLFU (Einziger, Friedman, Manes, 2017), with S3-FIFO's way to adapt the window. */
export class TinyLfu implements EvictionPolicy {
  readonly hearsRequests: boolean = true;
  readonly #table: EntryTable;
  readonly #trials: Trials;
  readonly #sketch: FrequencySketch;
  /** The next entry to leave the main queue: those before it were hit, or have lost to a new one already. */
  #victim = NONE;
  #victimOpening = 0;

  constructor(table: EntryTable, trials: Trials, sketch: FrequencySketch) {
    this.#table = table;
    this.#trials = trials;
    this.#sketch = sketch;
  }

  requested(identity: number): void {
    this.#sketch.increment(identity);
  }

  /** What is back soon need not be on trial again, but it has to win all the same. */
  queueFor(identity: number, units: number): Queue {
    return this.#trials.isBack(identity) && this.#beats(this.#sketch.estimate(identity), units, 0)
      ? MAIN
      : SMALL;
  }

  victimQueue(segments: Segments): Queue {
    return this.#trials.victimQueue(segments);
  }

  keeps(queue: Queue, hits: number, identity: number, unit: number, pressure: number): boolean {
    const isKept = queue === MAIN ? hits > pressure : this.#getsIn(hits, identity, unit, pressure);
    if (!isKept) this.#trials.left(queue, identity);
    return isKept;
  }

  #getsIn(hits: number, identity: number, unit: number, pressure: number): boolean {
    if (hits > pressure && (this.#trials.areLong || this.#trials.mainHasRoom(this.#table.segments)))
      return true;
    const worth = this.#sketch.estimate(identity) + (hits > 0 ? TIE_BREAK : 0);
    return this.#beats(worth, this.#table.pool.unitsAt(unit), pressure);
  }

  /** Is the entry worth more, for its size, than the next one to leave the main queue? That one loses then. */
  #beats(worth: number, units: number, pressure: number): boolean {
    const table = this.#table;
    this.#findVictim();
    const victim = this.#victim;
    if (victim === NONE) return worth >= 2 + pressure * ESTIMATE_STEP;
    const other = this.#sketch.estimate(table.identityAt(victim)) + pressure * ESTIMATE_STEP;
    const victimUnits = table.pool.unitsAt(victim);
    if (worth * victimUnits <= other * units) return false;
    this.#victim += victimUnits;
    return true;
  }

  /** Go on to the next entry of the main queue that was not hit. */
  #findVictim(): void {
    const table = this.#table;
    const { pool, segments } = table;
    let segment = this.#victim === NONE ? NONE : segments.segmentOf(this.#victim);
    if (segment === NONE || segments.openingOf(segment) !== this.#victimOpening) {
      segment = this.#enter(segments.oldest(MAIN, this.#victimOpening));
    }
    while (segment !== NONE) {
      const end = segments.endOf(segment);
      for (; this.#victim < end; this.#victim += pool.unitsAt(this.#victim)) {
        if (table.isLive(this.#victim) && table.hitsAt(this.#victim) === 0) return;
      }
      segment = this.#enter(segments.oldest(MAIN, this.#victimOpening + 1));
    }
  }

  #enter(segment: number): number {
    const { segments } = this.#table;
    this.#victim = segment === NONE ? NONE : segments.startOf(segment);
    if (segment !== NONE) this.#victimOpening = segments.openingOf(segment);
    return segment;
  }
}

/** For one that was hit while on trial, against one that was not hit since its last round. */
const TIE_BREAK = 0.5;
/** The highest pressure but one is above every estimate. */
const ESTIMATE_STEP = 5;
