/** Remembers which entries left lately, and from where, by hash alone: a set of fingerprints in buckets of four, in which a
 *  new one takes the place of the one that means least. A stranger passes for a ghost once in 4,000 times.
 *
 *  Age counts entries that left the same queue since. Shape: a ghost is 16 bits of time stamp, 14 of fingerprint, 2 of origin.
 *  Cost: 4 bytes a ghost, and one cache line a look. */
export class Ghosts {
  /** How many have left the same queue since the ghost that was taken last did. */
  age = 0;
  readonly #slots: Int32Array;
  readonly #scale: number;
  /** Stamps count in such steps, so that 16 bits last for four times the table. */
  readonly #step: number;
  /** By origin: the stamp of what leaves now, and how many have got it. */
  readonly #stamps = new Int32Array(ORIGIN + 1);
  readonly #stamped = new Int32Array(ORIGIN + 1);

  /** Bounds: `capacity` ≥ 1. */
  constructor(capacity: number) {
    const buckets = Math.ceil(capacity / WAYS);
    this.#slots = new Int32Array(buckets * WAYS);
    this.#scale = buckets / 2 ** 32;
    this.#step = Math.max(1, Math.ceil(capacity / 0x4000));
  }

  /** Units: bytes. */
  get byteLength(): number {
    return this.#slots.byteLength;
  }

  /** An entry leaves. */
  add(identity: number, origin: Origin): void {
    this.#count(origin);
    const slots = this.#slots;
    const first = this.#bucketOf(identity);
    let chosen = first;
    let most = -1;
    for (let slot = first; slot < first + WAYS; slot++) {
      const ghost = slots[slot] as number;
      const age =
        ghost === 0 || (ghost & ID) === (identity & ID)
          ? WORTHLESS
          : this.#stepsSince(ghost) << (WEIGHT_SHIFT[ghost & ORIGIN] as number);
      if (age <= most) continue;
      most = age;
      chosen = slot;
    }
    slots[chosen] = ((this.#stamps[origin] as number) << 16) | (identity & ID) | origin;
  }

  /** Forget the ghost, and say where it came from; 0 = there is none. `age` has its age then. */
  take(identity: number): Origin | 0 {
    const slots = this.#slots;
    const first = this.#bucketOf(identity);
    for (let slot = first; slot < first + WAYS; slot++) {
      const ghost = slots[slot] as number;
      if (ghost === 0 || (ghost & ID) !== (identity & ID)) continue;
      slots[slot] = 0;
      this.age = this.#stepsSince(ghost) * this.#step;
      return (ghost & ORIGIN) as Origin;
    }
    return 0;
  }

  #bucketOf(identity: number): number {
    return (((identity >>> 0) * this.#scale) | 0) * WAYS;
  }

  #count(origin: Origin): void {
    const stamped = (this.#stamped[origin] as number) + 1;
    this.#stamped[origin] = stamped === this.#step ? 0 : stamped;
    if (stamped === this.#step) this.#stamps[origin] = ((this.#stamps[origin] as number) + 1) & 0xffff;
  }

  #stepsSince(ghost: number): number {
    return ((this.#stamps[ghost & ORIGIN] as number) - (ghost >>> 16)) & 0xffff;
  }
}

/** Where a ghost came from: the trial queue, the main queue. */
export const FROM_SMALL = 1;
export const FROM_MAIN = 2;
export type Origin = typeof FROM_SMALL | typeof FROM_MAIN;

const WAYS = 4;
const ORIGIN = 3;
const ID = 0xfffc;
/** Those of the main queue only matter while they are fresh, so they grow old faster. */
const WEIGHT_SHIFT = [0, 0, 4];
/** More than any age. */
const WORTHLESS = 2 ** 30;
