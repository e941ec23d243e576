import type { Clock } from './clock.ts';
import type { Logger } from './log.ts';

const PERIOD_MS = 50;
const LOG_EVERY_MS = 10_000;

/** How often, and for how long in all, the event loop was held up for longer than is usual. */
export class LoopStats {
  stalls = 0;
  stalledMs = 0;
}

/** Sees that the event loop was held up: whatever holds it up holds up every session. A timer comes late then.
 *  Shape: `beat` is called at the start and at each look; it stays away while the loop is held up.
 *  Units: ms of the monotonic clock. Bounds: one log line in 10 s, which tells of all since the last.
 *  Cost: a timer, 20 times a second unless `warnMs` is below 100. */
export class LoopLag {
  readonly stats: LoopStats = new LoopStats();
  readonly #warnMs: number;
  readonly #parts: { clock: Clock; log: Logger; beat: () => void };
  #expectedAt = 0;
  #loggedAt = Number.NEGATIVE_INFINITY;
  #untold = { count: 0, longestMs: 0 };
  #stop: () => void = () => undefined;

  constructor(warnMs: number, parts: { clock: Clock; log: Logger; beat: () => void }) {
    this.#warnMs = warnMs;
    this.#parts = parts;
  }

  start(): void {
    const periodMs = Math.min(PERIOD_MS, this.#warnMs / 2);
    const { clock, beat } = this.#parts;
    this.#expectedAt = clock.now() + periodMs;
    beat();
    this.#stop = clock.every(periodMs, () => {
      const now = clock.now();
      beat();
      this.#looked(now, now - this.#expectedAt);
      this.#expectedAt = now + periodMs;
    });
  }

  close(): void {
    this.#stop();
  }

  #looked(now: number, lateMs: number): void {
    const untold = this.#untold;
    if (lateMs > this.#warnMs) {
      this.stats.stalls++;
      this.stats.stalledMs += lateMs;
      untold.count++;
      untold.longestMs = Math.max(untold.longestMs, lateMs);
    }
    if (untold.count === 0 || now - this.#loggedAt < LOG_EVERY_MS) return;
    const { count, longestMs } = untold;
    this.#parts.log.warn({ count, durationMs: Math.round(longestMs) }, 'the event loop was held up');
    this.#loggedAt = now;
    this.#untold = { count: 0, longestMs: 0 };
  }
}
