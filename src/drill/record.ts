/** State of a shard's breaker as the metrics of nearcache say it; `unknown` while they cannot be read. */
export type BreakerState = 'closed' | 'open' | 'half-open' | 'unknown';

/** A second, or a part of one, of a drill. Units: ms; `atMs` is where it begins, since the drill began. The latencies are of the
 *  requests answered within it, by a reply or an error; `fastErrors` are the errors that came within 5 ms. `hits`,
 *  `staleServed`, `missesServed` and `reconnects` are what was added in it. */
export interface DrillSample {
  readonly atMs: number;
  readonly requests: number;
  readonly errors: number;
  readonly fastErrors: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  readonly hits: number;
  readonly staleServed: number;
  readonly missesServed: number;
  /** By the name of the shard. */
  readonly breakers: Readonly<Record<string, BreakerState>>;
  readonly reconnects: number;
}

/** Something that was done to the shards, as `shard1 stopped`. */
export interface DrillEvent {
  readonly atMs: number;
  readonly text: string;
}

/** One promise, and what became of it. Shape: `measured` and `allowed` are for people, with their units. */
export interface DrillVerdict {
  readonly promise: string;
  readonly passed: boolean;
  readonly measured: string;
  readonly allowed: string;
}

/** All that is kept of a run of one scenario. Shape: `startedAt` as ISO 8601, `settings` by the flags of nearcache. */
export interface DrillRecord {
  readonly scenario: string;
  readonly title: string;
  readonly backend: 'container' | 'process';
  readonly startedAt: string;
  readonly seconds: number;
  readonly settings: Readonly<Record<string, string>>;
  readonly samples: readonly DrillSample[];
  readonly events: readonly DrillEvent[];
  readonly verdicts: readonly DrillVerdict[];
}
