/** The pool cut into segments of equal size. Each is free or belongs to a queue; a queue appends to its newest segment and
 *  gives up its oldest one. Which segment is oldest is found by looking at all of them: that is once a segment, beside the
 *  work of emptying one.
 *  Units: of 8 bytes, except where segments are counted. */
export class Segments {
  readonly count: number;
  readonly segmentUnits: number;
  /** Segments of each queue, and free ones under `FREE`. */
  readonly held: Int32Array = new Int32Array(QUEUES);
  /** The queue of each segment. */
  readonly #queue: Uint8Array;
  readonly #openedAt: Float64Array;
  readonly #used: Int32Array;
  /** Units of entries that were not dropped. */
  readonly #live: Int32Array;
  /** The segment that each queue appends to, or NONE. */
  readonly #newest: Int32Array = new Int32Array(QUEUES).fill(NONE);
  #openings = 0;

  constructor(count: number, segmentUnits: number) {
    this.count = count;
    this.segmentUnits = segmentUnits;
    this.#queue = new Uint8Array(count);
    this.#openedAt = new Float64Array(count);
    this.#used = new Int32Array(count);
    this.#live = new Int32Array(count);
    this.held[FREE] = count;
  }

  /** Room at the end of the queue's newest segment, or -1: `open` one first. */
  append(queue: Queue, units: number): number {
    const segment = this.#newest[queue] as number;
    if (segment === NONE) return -1;
    const used = this.#used[segment] as number;
    if (used + units > this.segmentUnits) return -1;
    this.#used[segment] = used + units;
    this.#live[segment] = (this.#live[segment] as number) + units;
    return segment * this.segmentUnits + used;
  }

  /** Give the queue a free segment to append to. Bounds: there is a free one. */
  open(queue: Queue): void {
    const segment = this.#queue.indexOf(FREE);
    this.#give(segment, queue);
    this.#openedAt[segment] = ++this.#openings;
    this.#newest[queue] = segment;
  }

  /** The segment is empty now, or worth nothing. */
  free(segment: number): void {
    this.seal(segment);
    this.#give(segment, FREE);
    this.#used[segment] = 0;
    this.#live[segment] = 0;
  }

  freeAll(): void {
    for (let segment = 0; segment < this.count; segment++) this.free(segment);
  }

  /** The queue's oldest segment of those opened at `from` or later, or NONE. */
  oldest(queue: Queue, from: number): number {
    let oldest = NONE;
    let least = Infinity;
    for (let segment = 0; segment < this.count; segment++) {
      const opening = this.#openedAt[segment] as number;
      if (this.#queue[segment] !== queue || opening < from || opening >= least) continue;
      oldest = segment;
      least = opening;
    }
    return oldest;
  }

  /** Number of the segment's last opening: larger for younger ones. */
  openingOf(segment: number): number {
    return this.#openedAt[segment] as number;
  }

  /** The segment that holds most of what was dropped, if that is half of a segment; or NONE. Those that are still being
   *  filled do not count. */
  emptiest(): number {
    let emptiest = NONE;
    let most = this.segmentUnits / 2;
    for (let segment = 0; segment < this.count; segment++) {
      const dead = (this.#used[segment] as number) - (this.#live[segment] as number);
      if (dead < most || this.#newest[this.#queue[segment] as Queue] === segment) continue;
      emptiest = segment;
      most = dead;
    }
    return emptiest;
  }

  /** The segment takes no more. */
  seal(segment: number): void {
    const queue = this.#queue[segment] as Queue;
    if (this.#newest[queue] === segment) this.#newest[queue] = NONE;
  }

  /** An entry in use no longer. */
  lose(unit: number, units: number): void {
    const segment = this.segmentOf(unit);
    this.#live[segment] = (this.#live[segment] as number) - units;
  }

  segmentOf(unit: number): number {
    return Math.floor(unit / this.segmentUnits);
  }

  queueOf(segment: number): Queue {
    return this.#queue[segment] as Queue;
  }

  /** Where the segment's entries begin and end. */
  startOf(segment: number): number {
    return segment * this.segmentUnits;
  }

  endOf(segment: number): number {
    return segment * this.segmentUnits + (this.#used[segment] as number);
  }

  #give(segment: number, queue: Queue): void {
    const from = this.#queue[segment] as Queue;
    this.held[from] = (this.held[from] as number) - 1;
    this.held[queue] = (this.held[queue] as number) + 1;
    this.#queue[segment] = queue;
  }
}

/** What a segment belongs to: nothing, the queue of entries on trial, or the main queue. */
export const FREE = 0;
export const SMALL = 1;
export const MAIN = 2;
export type Queue = typeof FREE | typeof SMALL | typeof MAIN;

export const NONE = -1;
/** Memory of a segment's account. */
export const SEGMENT_ACCOUNT_BYTES = 17;
const QUEUES = 3;
