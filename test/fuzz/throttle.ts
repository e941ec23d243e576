import { setTimeout as delay } from 'node:timers/promises';

import { cpuSeconds } from '../../bench/process-usage.ts';

const LOOK_MS = 1000;
const PAUSE_MAX_MS = 500;

/** Keeps the load of all rounds together near one core: fuzzing finds more by running long than by running hot, and a
 *  machine that is full says nothing about the latency of others. */
export class Throttle {
  #pauseMs = 2;
  #pids: readonly number[];
  #share: number;
  #timer: NodeJS.Timeout;
  #lastSeconds: number;
  #lastAt: number;

  /** Units: `share` in cores, for the CPU time of `pids` together. */
  constructor(pids: readonly number[], share: number) {
    this.#pids = pids;
    this.#share = share;
    this.#lastSeconds = this.#seconds();
    this.#lastAt = performance.now();
    this.#timer = setInterval(() => this.#look(), LOOK_MS);
  }

  get pauseMs(): number {
    return this.#pauseMs;
  }

  /** Wait as long as the load asks for. */
  rest(): Promise<void> {
    return delay(this.#pauseMs);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const now = performance.now();
    const seconds = this.#seconds();
    const used = ((seconds - this.#lastSeconds) * 1000) / (now - this.#lastAt);
    this.#lastSeconds = seconds;
    this.#lastAt = now;
    const factor = Math.min(2, Math.max(0.5, used / this.#share));
    this.#pauseMs = Math.min(PAUSE_MAX_MS, Math.max(1, this.#pauseMs * factor));
  }

  #seconds(): number {
    let sum = 0;
    for (const pid of this.#pids) {
      try {
        sum += cpuSeconds(pid);
      } catch {
        // It has ended, or is not of this machine (a container): whoever watches it says so.
      }
    }
    return sum;
  }
}
