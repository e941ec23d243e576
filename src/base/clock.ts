/** Monotonic time and timers, passed in so that tests can drive them.
 *
 *  Wall clocks step; every deadline and every freshness comparison uses this one (coherence spec R9, R12).
 *  Units: milliseconds, with fractions. */
export interface Clock {
  now(): number;
  /** Call `run` once after `delayMs`; the returned function cancels it. Timers never keep the process alive. */
  after(delayMs: number, run: () => void): () => void;
  /** Call `run` every `periodMs` until the returned function is called. */
  every(periodMs: number, run: () => void): () => void;
}

export const systemClock: Clock = {
  now: () => performance.now(),
  after(delayMs, run) {
    const timer = setTimeout(run, delayMs).unref();
    return () => clearTimeout(timer);
  },
  every(periodMs, run) {
    const timer = setInterval(run, periodMs).unref();
    return () => clearInterval(timer);
  },
};
