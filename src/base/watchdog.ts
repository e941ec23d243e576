import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Logger } from './log.ts';

/** So many looks in a row must see no beat: a process that was stopped and goes on, or a machine that slept, misses one. */
export const LOOKS = 5;

/** What the watching thread is given. Shape: `beats` is one counter that the watched thread raises. */
export interface WatchdogData {
  readonly beats: SharedArrayBuffer;
  readonly limitMs: number;
}

/** Ends the process when its event loop is held up for `limitMs`: a process that hangs but lives keeps its port and its clients,
 *  and its supervisor sees nothing to do. The watching is done by a thread of its own, since the held-up one cannot.
 *  Bounds: notices between 1 and 1.4 times `limitMs`. Cost: a thread (some MB), 5 looks in `limitMs`. */
export class Watchdog {
  readonly #beats = new Int32Array(new SharedArrayBuffer(4));
  readonly #thread: Worker;

  constructor(limitMs: number, log: Logger) {
    const data: WatchdogData = { beats: this.#beats.buffer, limitMs };
    // The same file is .ts from the sources and .js when built.
    const path = new URL(`./watchdog-thread${extname(import.meta.url)}`, import.meta.url);
    this.#thread = new Worker(path, { workerData: data, name: 'watchdog' });
    this.#thread.unref();
    this.#thread.on('error', (error) => log.error({ error }, 'the watchdog has failed'));
  }

  /** The event loop turns. */
  beat(): void {
    Atomics.add(this.#beats, 0, 1);
  }

  async close(): Promise<void> {
    await this.#thread.terminate();
  }
}

/** Sums up for how long nothing was heard, look by look.
 *  Units: ms. */
export class Silence {
  readonly #lookMs: number;
  #beats = 0;
  #looks = 0;
  #silentMs = 0;

  constructor(lookMs: number) {
    this.#lookMs = lookMs;
  }

  /** One more look, `elapsedMs` after the last; returns the silence so far. A look that is late stood still itself, so that nothing can
   *  be said of that time: it counts for two at most. */
  look(beats: number, elapsedMs: number): number {
    if (beats !== this.#beats) {
      this.#beats = beats;
      this.#looks = 0;
      this.#silentMs = 0;
      return 0;
    }
    this.#looks++;
    this.#silentMs += Math.min(elapsedMs, 2 * this.#lookMs);
    return this.#looks < LOOKS ? 0 : this.#silentMs;
  }
}
