import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';

import type { AppStep } from './storm-rows.ts';

const TICK_MS = 20;
const STEP_MS = 200;
/** An app waits with further requests once so many are open. */
const OPEN_MAX = 64;

export function stormKey(i: number): string {
  return `storm:${i}`;
}

export function stormValue(i: number): string {
  return `value of ${i} `.repeat(6);
}

/** An app behind each nearcache that reads keys at random, at a fixed rate. */
export class StormLoad {
  /** Units: of `from` and `to`, ms of the monotonic clock. */
  readonly steps: AppStep[] = [];
  /** Replies that were not the key's value. */
  wrong = 0;
  readonly #apps: readonly Redis[];
  readonly #open: number[];
  readonly #keys: number;
  readonly #perTick: number;
  readonly #random: () => number;
  readonly #over = new AbortController();
  #running: Promise<void> = Promise.resolve();
  #latencies: number[] = [];
  #errors = 0;
  #stepFrom = 0;

  constructor(ports: readonly number[], rate: number, keys: number, random: () => number) {
    this.#apps = ports.map((port) => {
      const app = new Redis({
        host: '127.0.0.1',
        port,
        disableClientInfo: true,
        enableReadyCheck: false,
        maxRetriesPerRequest: 0,
        retryStrategy: () => 50,
      });
      // What fails, fails the request.
      app.on('error', () => {});
      return app;
    });
    this.#open = ports.map(() => 0);
    this.#keys = keys;
    this.#perTick = (rate * TICK_MS) / 1000;
    this.#random = random;
  }

  /** Reads every key once through each nearcache. */
  async warm(): Promise<void> {
    const all = Array.from({ length: this.#keys }, (_, i) => stormKey(i));
    for (const app of this.#apps) await Promise.all(all.map((key) => app.get(key)));
  }

  start(): void {
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#over.abort();
    await this.#running;
    for (const app of this.#apps) app.disconnect();
  }

  async #run(): Promise<void> {
    const { signal } = this.#over;
    let due = performance.now();
    let owed = 0;
    this.#stepFrom = due;
    while (!signal.aborted) {
      owed += this.#perTick;
      const now = Math.floor(owed);
      owed -= now;
      for (const app of this.#apps.keys()) for (let i = 0; i < now; i++) void this.#ask(app);
      if (performance.now() - this.#stepFrom >= STEP_MS) this.#endStep();
      due += TICK_MS;
      await delay(Math.max(0, due - performance.now()), undefined, { signal }).catch(() => {});
    }
  }

  async #ask(app: number): Promise<void> {
    if ((this.#open[app] as number) >= OPEN_MAX) return;
    const i = Math.floor(this.#random() * this.#keys);
    const sentAt = performance.now();
    this.#open[app] = (this.#open[app] as number) + 1;
    try {
      const value = await (this.#apps[app] as Redis).get(stormKey(i));
      if (value !== stormValue(i)) this.wrong++;
    } catch {
      this.#errors++;
    }
    this.#open[app] -= 1;
    this.#latencies.push(performance.now() - sentAt);
  }

  #endStep(): void {
    const to = performance.now();
    const sorted = this.#latencies.toSorted((a, b) => a - b);
    this.steps.push({
      from: this.#stepFrom,
      to,
      answered: sorted.length - this.#errors,
      errors: this.#errors,
      p99Ms: sorted[Math.floor(sorted.length * 0.99)] ?? 0,
    });
    this.#stepFrom = to;
    this.#latencies = [];
    this.#errors = 0;
  }
}
