const stepShare = 0.0625;
const stepDecay = 0.98;
const restartChange = 0.05;

/** Finds the best size of a window by trial: goes on in a direction as long as hits do not fall, in ever smaller steps, and
 *  starts anew when they change a lot.
 *  Source: Einziger, Eytan, Friedman, Manes, "Adaptive software cache management", Middleware 2018; Caffeine's
 *  BoundedLocalCache. */
export class HillClimber {
  readonly #capacity: number;
  readonly #sample: number;
  #step: number;
  #previousRatio = 0;
  #hits = 0;
  #requests = 0;

  /** Units: `capacity` in weight, `sample` in requests. */
  constructor(capacity: number, sample: number) {
    this.#capacity = capacity;
    this.#sample = sample;
    this.#step = -stepShare * capacity;
  }

  /** Tells the outcome of a request; returns by how much the window should grow (mostly 0). */
  observe(hit: boolean): number {
    if (hit) this.#hits++;
    if (++this.#requests < this.#sample) return 0;
    const ratio = this.#hits / this.#requests;
    const change = ratio - this.#previousRatio;
    const amount = change >= 0 ? this.#step : -this.#step;
    this.#step =
      Math.abs(change) >= restartChange ? stepShare * this.#capacity * Math.sign(amount) : stepDecay * amount;
    this.#previousRatio = ratio;
    this.#hits = 0;
    this.#requests = 0;
    return Math.trunc(amount);
  }
}
