import type { StaleSince } from '../../src/drill/load/read-check.ts';
import type { FailedRequest } from '../../src/drill/load/ledger.ts';

/** When which shard may fail, and when its replies may be stale. Units: ms of the monotonic clock. */
export class Windows {
  readonly #staleIfErrorMs: number;
  readonly #faults: StaleSince[] = [];
  readonly #crashes: StaleSince[] = [];

  constructor(staleIfErrorMs: number) {
    this.#staleIfErrorMs = staleIfErrorMs;
  }

  /** A fault of shards: until it is over, requests may fail and replies may be stale as declared. */
  addFault(window: StaleSince): void {
    this.#faults.push(window);
  }

  /** A death of nearcache: until it is over, requests may fail. */
  addCrash(window: StaleSince): void {
    this.#crashes.push(window);
  }

  /** One fault may strike before the shard has recovered from another: then what is served may be of before both. */
  readonly staleSince: StaleSince = (shard, from, to) => {
    const [first] = this.#earliest(shard, from, to);
    let since = first;
    for (let before = since; before !== undefined; ) {
      const [earlier] = this.#earliest(shard, before, before);
      if (earlier === undefined || earlier >= before) break;
      since = before = earlier;
    }
    return since === undefined ? undefined : Math.max(since, from - this.#staleIfErrorMs);
  };

  /** Was the shard, or nearcache itself, away during the request? */
  explains({ shard, at, ms }: FailedRequest): 'fault' | 'crash' | undefined {
    const covers = (window: StaleSince): boolean => window(shard, at - ms, at) !== undefined;
    if (this.#crashes.some(covers)) return 'crash';
    return this.#faults.some(covers) ? 'fault' : undefined;
  }

  /** Was anything wrong with anything? */
  isCalm(shards: readonly string[], from: number, to: number): boolean {
    const all = [...this.#crashes, ...this.#faults];
    return shards.every((shard) => all.every((window) => window(shard, from, to) === undefined));
  }

  #earliest(shard: string, from: number, to: number): number[] {
    return this.#faults
      .map((window) => window(shard, from, to))
      .filter((since) => since !== undefined)
      .sort((a, b) => a - b);
  }
}
