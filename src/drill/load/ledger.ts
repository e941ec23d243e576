/** What a request is for. `hot`: a key that is read only and cached before the fault; `own`: a key that one lane of the app writes and reads;
 *  `foreign`: a key that somebody else writes, past nearcache. */
export type RequestKind = 'hot' | 'own' | 'foreign';

export interface RequestFacts {
  readonly kind: RequestKind;
  readonly shard: string;
  readonly isWrite: boolean;
}

/** How long a request took. Units: ms; `at` is when its answer came. */
export interface Wait {
  readonly shard: string;
  readonly at: number;
  readonly ms: number;
}

/** A request that was answered with an error, by nearcache or by the end of its connection. */
export interface FailedRequest extends RequestFacts, Wait {
  readonly text: string;
}

/** Longest wait for an error that is still called fast. Units: ms. */
export const FAST_MS = 5;

/** What was answered in a stretch of time. Units: ms. */
export interface Stretch {
  readonly requests: number;
  readonly errors: number;
  readonly fastErrors: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

/** Every request of the load from its start to its end. Units: ms of the monotonic clock. */
export class Ledger {
  /** Without an answer now. */
  pending = 0;
  answered = 0;
  reads = 0;
  readonly failed: FailedRequest[] = [];
  /** Replies that nobody has ever written, or that belong to another key, in words. */
  readonly wrong: string[] = [];
  /** Replies that are older than was promised, in words. */
  readonly stale: string[] = [];
  /** Connections of the app that were closed by the other side. */
  closed = 0;
  longestMs = 0;
  /** Those that took longer than `longMs`. */
  readonly long: Wait[] = [];
  /** By shard: when a request that needs Redis last succeeded. */
  readonly succeededAt: Map<string, number> = new Map();
  readonly #longMs: number;
  #latencies: number[] = [];
  #errors = 0;
  #fastErrors = 0;

  constructor(longMs: number = Infinity) {
    this.#longMs = longMs;
  }

  began({ isWrite }: RequestFacts): void {
    this.pending++;
    if (!isWrite) this.reads++;
  }

  /** A reply that is no error; what is wrong with it is told apart. */
  succeeded(facts: RequestFacts, startedAt: number, now: number): void {
    if (facts.isWrite) this.succeededAt.set(facts.shard, now);
    this.#ended(facts, startedAt, now);
  }

  failedWith(facts: RequestFacts, text: string, startedAt: number, now: number): void {
    const ms = now - startedAt;
    this.failed.push({ ...facts, at: now, ms, text });
    this.#errors++;
    if (ms <= FAST_MS) this.#fastErrors++;
    this.#ended(facts, startedAt, now);
  }

  /** What was answered since the last call. */
  takeStretch(): Stretch {
    const sorted = Float64Array.from(this.#latencies).sort();
    const at = (share: number): number => sorted[Math.floor((sorted.length - 1) * share)] ?? 0;
    const stretch = {
      requests: sorted.length,
      errors: this.#errors,
      fastErrors: this.#fastErrors,
      p50Ms: at(0.5),
      p99Ms: at(0.99),
      maxMs: at(1),
    };
    this.#latencies = [];
    this.#errors = this.#fastErrors = 0;
    return stretch;
  }

  #ended({ shard }: RequestFacts, startedAt: number, now: number): void {
    const ms = now - startedAt;
    this.pending--;
    this.answered++;
    this.longestMs = Math.max(this.longestMs, ms);
    if (ms > this.#longMs) this.long.push({ shard, at: now, ms });
    this.#latencies.push(ms);
  }
}
