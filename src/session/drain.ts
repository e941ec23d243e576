import type { Clock } from '../base/clock.ts';
import type { Listener } from './listener.ts';
import type { SessionRegistry } from './session-registry.ts';

/** serving = told to stop, but apps are served as before; closing = no new sessions, the others end between two replies. */
export type DrainState = 'none' | 'serving' | 'closing';

/** Units: ms after the order to stop. */
export interface DrainTimes {
  /** Apps are served for so long at most. */
  readonly serveMs: number;
  /** The last session is closed then, whatever it does. */
  readonly closeMs: number;
}

/** The end of serving. The app in the same pod is often told to stop at the same time, and needs Redis for its last work: it is
 *  served, new connections too, for as long as it has any. */
export class Drain {
  state: DrainState = 'none';
  readonly #times: DrainTimes;
  readonly #clock: Clock;
  readonly #registry: SessionRegistry;
  readonly #listener: Pick<Listener, 'close'>;
  #isHurried = false;
  #endServing: () => void = () => undefined;

  constructor(
    times: DrainTimes,
    parts: { clock: Clock; registry: SessionRegistry; listener: Pick<Listener, 'close'> },
  ) {
    this.#times = times;
    this.#clock = parts.clock;
    this.#registry = parts.registry;
    this.#listener = parts.listener;
  }

  /** Resolves when no session is left. `served` is called when the serving is over, before any session is closed. */
  async run(served: () => void): Promise<void> {
    const { serveMs, closeMs } = this.#times;
    const end = this.#clock.now() + closeMs;
    this.state = 'serving';
    await this.#empty(Math.min(serveMs, closeMs));
    this.state = 'closing';
    this.#listener.close();
    served();
    for (const session of this.#registry.all()) session.drain();
    this.#isHurried = false;
    await this.#empty(end - this.#clock.now());
    for (const session of this.#registry.all()) session.close('drain', 'the drain deadline has passed');
  }

  /** Serve no longer. */
  hurry(): void {
    if (this.state === 'closing') return;
    this.#isHurried = true;
    this.#endServing();
  }

  /** Resolves when the last session is gone, or after `ms`. */
  async #empty(ms: number): Promise<void> {
    if (this.#registry.size === 0 || this.#isHurried || ms <= 0) return;
    await new Promise<void>((resolve) => {
      const cancel = this.#clock.after(ms, resolve);
      this.#endServing = () => {
        cancel();
        resolve();
      };
      this.#registry.onEmpty = this.#endServing;
    });
  }
}
