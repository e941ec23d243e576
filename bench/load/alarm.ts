import { Worker } from 'node:worker_threads';

/** Wakes the event loop after a part of a millisecond, which its own timers cannot (they count whole ones): a thread sleeps
 *  meanwhile, so that nobody polls and the core stays free for what is measured.
 *  Bounds: one alarm at a time. Cost: some 50 µs of CPU an alarm, mostly two thread switches. */
export class Alarm {
  readonly #thread: Worker;
  readonly #state: Int32Array;
  readonly #ms: Float64Array;

  /** `ring` is called once for each alarm, some 50 µs late; never early. */
  constructor(ring: () => void) {
    const shared = new SharedArrayBuffer(16);
    [this.#state, this.#ms] = [new Int32Array(shared, 0, 2), new Float64Array(shared, 8, 1)];
    this.#thread = new Worker(new URL('alarm-thread.ts', import.meta.url), { workerData: shared });
    this.#thread.on('message', ring);
    this.#thread.unref();
  }

  /** Rings in `ms`, fractions included. */
  set(ms: number): void {
    this.#ms[0] = ms;
    Atomics.store(this.#state, 0, 1);
    Atomics.notify(this.#state, 0);
  }

  async close(): Promise<void> {
    await this.#thread.terminate();
  }
}
