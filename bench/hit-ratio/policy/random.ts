import type { Random } from '../../../src/base/random.ts';
import { type Policy, type Workload, weightOf } from './policy.ts';

/** Anyone goes. */
export class RandomEviction implements Policy {
  readonly #weights: Uint32Array | undefined;
  readonly #capacity: number;
  readonly #random: Random;
  readonly #held: number[] = [];
  readonly #isHeld: Uint8Array;
  #weight = 0;

  constructor({ keys, weights }: Workload, capacity: number, random: Random) {
    this.#weights = weights;
    this.#capacity = capacity;
    this.#random = random;
    this.#isHeld = new Uint8Array(keys);
  }

  request(key: number): boolean {
    if (this.#isHeld[key] === 1) return true;
    const weight = weightOf(this.#weights, key);
    if (weight > this.#capacity) return false;
    while (this.#weight + weight > this.#capacity) this.#evict();
    this.#held.push(key);
    this.#isHeld[key] = 1;
    this.#weight += weight;
    return false;
  }

  #evict(): void {
    const place = Math.floor(this.#random() * this.#held.length);
    const victim = this.#held[place] as number;
    this.#held[place] = this.#held[this.#held.length - 1] as number;
    this.#held.pop();
    this.#isHeld[victim] = 0;
    this.#weight -= weightOf(this.#weights, victim);
  }
}
