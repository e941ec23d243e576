import { type RingPlan } from '../route/ring-change.ts';
import { Ring, ringFingerprint } from '../route/ring.ts';
import { OWN_KEY_PREFIX } from '../route/ring-record.ts';

const OWN_PREFIX = Buffer.from(OWN_KEY_PREFIX);

/** Which shard has a key in the old ring, and which in the new one. Shape: shards are numbered as in `names`: those of the old ring in its
 *  order, then those that only the new one has. */
export class KeyMap {
  readonly names: readonly string[];
  readonly from: string;
  readonly to: string;
  /** How many of `names` are in the old ring. */
  readonly oldCount: number;
  readonly #old: Ring;
  readonly #next: Ring;
  readonly #nextNumbers: readonly number[];

  constructor(old: RingPlan, next: RingPlan) {
    const nextNames = next.shards.map(({ name }) => name);
    this.names = [...new Set([...old.shards.map(({ name }) => name), ...nextNames])];
    this.from = ringFingerprint(old, old.shards);
    this.to = ringFingerprint(next, next.shards);
    this.oldCount = old.shards.length;
    this.#old = new Ring(old, old.shards);
    this.#next = new Ring(next, next.shards);
    this.#nextNumbers = nextNames.map((name) => this.names.indexOf(name));
  }

  oldOwner(key: Buffer): number {
    return this.#old.place(key, 0, key.length);
  }

  newOwner(key: Buffer): number {
    return this.#nextNumbers[this.#next.place(key, 0, key.length)] as number;
  }

  /** nearcache's own keys belong to a shard, not to the ring. */
  static isOwn(key: Buffer): boolean {
    return key.subarray(0, OWN_PREFIX.length).equals(OWN_PREFIX);
  }
}
