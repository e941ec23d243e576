import type { StaleSince } from '../../src/drill/load/read-check.ts';
import type { Wait } from '../../src/drill/load/ledger.ts';

/** When which shard may fail, and when its replies may be stale. Units: ms of the monotonic clock. */
export class Windows {
  readonly #staleIfErrorMs: number;
  readonly #faults: StaleSince[] = [];
  readonly #crashes: StaleSince[] = [];
  readonly #takenSince: (from: number, to: number) => number | undefined;

  /** `takenSince` says since when the machine was at other machines' work, if it was for a part of that time: a fault of every shard, which
   *  then seems away to nearcache, or of nearcache. */
  constructor(staleIfErrorMs: number, takenSince: (from: number, to: number) => number | undefined) {
    this.#staleIfErrorMs = staleIfErrorMs;
    this.#takenSince = takenSince;
  }

  /** A fault of shards: until it is over, requests may fail and replies may be stale as declared. */
  addFault(window: StaleSince): void {
    this.#faults.push(window);
  }

  /** A death of nearcache: until it is over, requests may fail. */
  addCrash(window: StaleSince): void {
    this.#crashes.push(window);
  }

  readonly staleSince: StaleSince = (shard, from, to) => {
    const [since] = this.#chain([...this.#faults, this.#machine], shard, from, to);
    return since === undefined ? undefined : Math.max(since, from - this.#staleIfErrorMs);
  };

  readonly #machine: StaleSince = (_, from, to) => this.#takenSince(from, to);

  /** What was away during the request: nearcache itself, the machine, or the shard; `faults` = it had not recovered from one fault when the
   *  next struck, so that nothing of it need have been cached then. */
  explains({ shard, at, ms }: Wait): 'crash' | 'machine' | 'fault' | 'faults' | undefined {
    if (this.#crashes.some((window) => window(shard, at - ms, at) !== undefined)) return 'crash';
    if (this.#takenSince(at - ms, at) !== undefined) return 'machine';
    const { length } = this.#chain(this.#faults, shard, at - ms, at);
    if (length > 1) return 'faults';
    return length === 1 ? 'fault' : undefined;
  }

  /** Was anything wrong with anything? */
  isCalm(shards: readonly string[], from: number, to: number): boolean {
    const all = [...this.#crashes, ...this.#faults];
    return shards.every((shard) => all.every((window) => window(shard, from, to) === undefined));
  }

  /** When those faults began that were not over then, and those that were not over when these began, the first in front: what is
   *  served may be of before all of them. */
  #chain(windows: readonly StaleSince[], shard: string, from: number, to: number): number[] {
    const found = new Set<number>();
    const find = (start: number, end: number): void => {
      for (const window of windows) {
        const since = window(shard, start, end);
        if (since === undefined || found.has(since)) continue;
        found.add(since);
        find(since, since);
      }
    };
    find(from, to);
    return [...found].sort((a, b) => a - b);
  }
}
