import { setTimeout as delay } from 'node:timers/promises';
import type { Clock } from '../base/clock.ts';
import type { Ledger } from './load/ledger.ts';
import type { BreakerState, DrillSample } from './record.ts';
import { readMetrics } from './servers/read-metrics.ts';

/** Reads asked and reads answered from the near-cache in one sample. Units: ms of the monotonic clock. */
export interface ReadsInSample {
  readonly from: number;
  readonly to: number;
  readonly reads: number;
  readonly hits: number;
}

type Metrics = ReadonlyMap<string, number>;

const BREAKER_STATES: readonly BreakerState[] = ['closed', 'half-open', 'open'];

/** Looks at the load and at nearcache's metrics again and again. */
export class Sampler {
  readonly samples: DrillSample[] = [];
  readonly reads: ReadsInSample[] = [];
  readonly #nearcache: { readonly adminPort: number };
  readonly #ledger: Ledger;
  readonly #clock: Clock;
  readonly #periodMs: number;
  readonly #over = new AbortController();
  #running: Promise<void> = Promise.resolve();

  constructor(nearcache: { readonly adminPort: number }, ledger: Ledger, clock: Clock, periodMs: number) {
    this.#nearcache = nearcache;
    this.#ledger = ledger;
    this.#clock = clock;
    this.#periodMs = periodMs;
  }

  start(): void {
    this.#running = this.#run();
  }

  /** Ends with one more sample. */
  async stop(): Promise<void> {
    this.#over.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#over;
    const startedAt = this.#clock.now();
    let before = await this.#metrics();
    this.#ledger.takeStretch();
    let readsBefore = this.#ledger.reads;
    for (let from = startedAt; !signal.aborted; ) {
      await delay(this.#periodMs, undefined, { signal }).catch(() => {});
      const now = await this.#metrics();
      const to = this.#clock.now();
      const grown = (name: string): number => Math.max(0, (now.get(name) ?? 0) - (before.get(name) ?? 0));
      const hits = grown('nearcache_cache_hits_total');
      this.samples.push({
        atMs: Math.round(from - startedAt),
        ...rounded(this.#ledger.takeStretch()),
        hits,
        staleServed: grown('nearcache_stale_served_total'),
        missesServed: grown('nearcache_misses_served_total'),
        breakers: breakersIn(now),
        reconnects: grown('nearcache_shard_connects_total'),
      });
      this.reads.push({ from, to, reads: this.#ledger.reads - readsBefore, hits });
      readsBefore = this.#ledger.reads;
      from = to;
      if (now.size > 0) before = now;
    }
  }

  async #metrics(): Promise<Metrics> {
    return readMetrics(this.#nearcache).catch(() => new Map());
  }
}

function breakersIn(metrics: Metrics): Record<string, BreakerState> {
  const states: Record<string, BreakerState> = {};
  for (const [sample, value] of metrics) {
    const shard = /^nearcache_shard_breaker_state\{shard="([^"]*)"\}$/.exec(sample)?.[1];
    if (shard !== undefined) states[shard] = BREAKER_STATES[value] ?? 'unknown';
  }
  return states;
}

function rounded<T extends Record<keyof T, number>>(numbers: T): T {
  const entries = Object.entries<number>(numbers).map(([name, value]) => [
    name,
    Math.round(value * 100) / 100,
  ]);
  return Object.fromEntries(entries) as T;
}
