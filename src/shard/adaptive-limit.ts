/** Units: ms. */
export interface AdaptiveLimitOptions {
  /** The limit never exceeds it. */
  readonly max: number;
  /** Only calls of this time-out say how the server does; undefined = all. */
  readonly plainTimeoutMs?: number;
}

/** So many commands may always be in flight. */
const LEAST = 20;
/** Where it begins: were it to begin in an overload, the latency of so many is what it would take for normal at first. */
const START = 1000;
/** A latency is high above so many times the one without load, and so much more: short queues are what pipelines are made of,
 *  and no reason to refuse anything. The latter is the target of CoDel. */
const TOLERANCE = 2;
const SLACK_MS = 5;
/** One window lowers the limit at most to this part of what was in flight. */
const GRADIENT_MIN = 0.5;
/** A window is long enough for its mean to mean something, and for the commands that a new limit let in to be answered. */
const WINDOW_MS = 100;
const SAMPLES_MIN = 10;
const LATENCIES_A_WINDOW = 2;
/** How fast the latency without load follows when it has risen. */
const RISE = 0.5;

/** How many commands may be in flight to a shard, learnt from how long answers take: what is above it would only wait.
 *
 *  After each window the limit becomes gradient × limit + √limit, where gradient (0.5 to 1) is the latency that is still
 *  good by that which was measured; √limit is the queue that is allowed, by which the limit grows back. A window that was
 *  slow is taken from what was really in flight, so that a limit far above that loses no time. The latency without
 *  load is the lowest of all windows; it is learnt anew, upwards too, whenever no more than 20 commands are in flight,
 *  where a limit that is too low must end: so no drift, and no probing apart.
 *  Bounds: between 20 and `max` (`max` alone where that is less). Begins at 1,000. Cost: three numbers an answer.
 *  Source: the gradient limit of Netflix's concurrency-limits (GradientLimit) and Envoy's adaptive concurrency filter;
 *  Nichols and Jacobson, "Controlling Queue Delay", for the slack. */
export class AdaptiveLimit {
  /** Commands. */
  limit: number;
  readonly #least: number;
  readonly #max: number;
  readonly #plainTimeoutMs: number | undefined;
  /** The latency without load; 0 = not known yet. */
  #baseMs = 0;
  #sumMs = 0;
  #samples = 0;
  #mostInFlight = 0;
  #beganAt = 0;

  constructor({ max, plainTimeoutMs }: AdaptiveLimitOptions) {
    this.#max = max;
    this.#plainTimeoutMs = plainTimeoutMs;
    this.#least = Math.min(LEAST, max);
    this.limit = Math.min(START, max);
  }

  /** The latency without load, as far as it is known. Units: ms. */
  get baseMs(): number {
    return this.#baseMs;
  }

  /** Does a call of this time-out count? */
  isPlain(timeoutMs: number): boolean {
    return this.#plainTimeoutMs === undefined || timeoutMs === this.#plainTimeoutMs;
  }

  /** A command was answered after `latencyMs`, when `inFlight` were, itself among them. */
  onAnswer(latencyMs: number, inFlight: number): void {
    this.#sumMs += latencyMs;
    this.#samples++;
    if (inFlight > this.#mostInFlight) this.#mostInFlight = inFlight;
  }

  /** To be called a few times a second. */
  tick(now: number): void {
    const meanMs = this.#samples === 0 ? 0 : this.#sumMs / this.#samples;
    const windowMs = Math.max(WINDOW_MS, LATENCIES_A_WINDOW * meanMs);
    if (this.#samples < SAMPLES_MIN || now - this.#beganAt < windowMs) return;
    this.#learnBase(meanMs);
    this.#adapt(meanMs);
    this.#begin(now);
  }

  #begin(now: number): void {
    this.#sumMs = 0;
    this.#samples = 0;
    this.#mostInFlight = 0;
    this.#beganAt = now;
  }

  #learnBase(meanMs: number): void {
    if (this.#baseMs === 0 || meanMs < this.#baseMs) this.#baseMs = meanMs;
    else if (this.#mostInFlight <= this.#least) this.#baseMs += RISE * (meanMs - this.#baseMs);
  }

  #adapt(meanMs: number): void {
    const goodMs = TOLERANCE * this.#baseMs + SLACK_MS;
    const gradient = Math.max(GRADIENT_MIN, Math.min(1, goodMs / meanMs));
    const from = gradient < 1 ? Math.min(this.limit, this.#mostInFlight) : this.limit;
    const next = Math.floor(gradient * from + Math.sqrt(from));
    this.limit = Math.max(this.#least, Math.min(this.#max, next));
  }
}
