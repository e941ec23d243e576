import { EventEmitter } from 'node:events';
import CircuitBreaker from 'opossum';
import type { Clock } from '../base/clock.ts';
import { OutcomeWindow } from './outcome-window.ts';

/** Units: ms, percent of the commands of the window, counts of commands. */
export interface BreakerOptions {
  readonly errorPercent: number;
  readonly slowMs: number;
  readonly slowPercent: number;
  readonly windowMs: number;
  readonly volume: number;
  readonly openMs: number;
  readonly probes: number;
}

export type BreakerState = 'closed' | 'half-open' | 'open';

/** opossum's own counts are not used, so that it needs no timer for them. */
const neverRotates = new EventEmitter().setMaxListeners(0);

/** Asks whether it goes again. Called once at a time. */
export type Probe = (done: (problem: string | undefined) => void) => void;

/** A shard's circuit breaker. closed = commands pass, and what comes of them is counted; open = they are answered at once, without
 *  Redis; half-open = probes are sent, one at a time, and if all succeed it closes.
 *
 *  The states and their timer are opossum's, which is fired once for a whole round of probes. What opens it is counted here, in
 *  commands, since a promise for each command, or even for each batch, would cost more than the commands do.
 *  Bounds: one probe out at a time. Errors: none; a probe that fails opens it again. */
export class Breaker {
  /** What the way of a command looks at. */
  isClosed = true;
  /** Why it opened last, in words. */
  reason = '';
  /** How often it has opened. */
  trips = 0;
  readonly window: OutcomeWindow;
  readonly options: BreakerOptions;
  onChange: (state: BreakerState) => void = () => undefined;
  readonly #clock: Clock;
  readonly #circuit: CircuitBreaker<[], void>;
  /** Sends the next probe of the round under way. */
  #next: (() => void) | undefined;
  #isProbeOut = false;

  constructor(options: BreakerOptions, clock: Clock, probe: Probe) {
    this.options = options;
    this.#clock = clock;
    this.window = new OutcomeWindow(options.windowMs, clock.now());
    this.#circuit = new CircuitBreaker(() => this.#runProbes(probe), {
      // Each probe has a time-out of its own, and counting is ours.
      timeout: false,
      resetTimeout: options.openMs,
      rollingPercentilesEnabled: false,
      enableSnapshots: false,
      rotateBucketController: neverRotates,
    });
    this.#circuit.on('open', () => this.#changed('open'));
    this.#circuit.on('close', () => this.#changed('closed'));
    this.#circuit.on('halfOpen', () => {
      this.#changed('half-open');
      // What it says is heard by `close` or `open`; nobody waits for it.
      this.#circuit.fire().catch(() => undefined);
    });
  }

  get state(): BreakerState {
    if (this.isClosed) return 'closed';
    return this.#circuit.halfOpen ? 'half-open' : 'open';
  }

  /** So many of the commands counted failed for a reason that is the shard's, not the app's. */
  failed(reason: string, count: number): void {
    this.window.failed += count;
    this.#judge(reason);
  }

  /** Open now, whatever was counted. */
  trip(reason: string): void {
    if (!this.isClosed) return;
    this.reason = reason;
    this.#circuit.open();
  }

  /** It goes again, by other proof than the probes'. */
  reset(): void {
    this.#next = undefined;
    this.#circuit.close();
  }

  /** Periodic work. */
  tick(now: number): void {
    // Before the bucket that has them is put away.
    if (this.window.slow > 0) this.#judge('');
    this.window.turn(now);
  }

  /** It is not used any more. */
  close(): void {
    this.#circuit.shutdown();
  }

  #judge(reason: string): void {
    if (!this.isClosed) return;
    const { errorPercent, slowPercent, slowMs, volume } = this.options;
    const { commands, failed, slow } = this.window.sums;
    if (commands < volume) return;
    if (failed * 100 >= commands * errorPercent) this.trip(reason);
    else if (slow * 100 >= commands * slowPercent) this.trip(`its replies take over ${slowMs} ms`);
  }

  #changed(state: BreakerState): void {
    // A probe that fails opens it again, which is no news.
    const isAgain = state === 'open' && !this.isClosed;
    this.isClosed = state === 'closed';
    if (isAgain) return;
    if (state === 'open') this.trips++;
    if (state === 'closed') this.window.clear(this.#clock.now());
    this.onChange(state);
  }

  #runProbes(probe: Probe): Promise<void> {
    return new Promise((resolve, reject) => {
      let left = this.options.probes;
      const next = (): void => {
        if (left-- === 0) return resolve();
        this.#isProbeOut = true;
        probe((problem) => {
          this.#isProbeOut = false;
          // Of a round that a reset has ended: what it says does not count, but the next round has waited for it.
          if (this.#next !== next) return this.#next?.();
          if (problem === undefined) return next();
          this.reason = problem;
          reject(new Error(problem));
        });
      };
      this.#next = next;
      if (!this.#isProbeOut) next();
    });
  }
}
