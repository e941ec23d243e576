import type { Read } from './history.ts';
import type { State } from './states.ts';

/** The states that a token may stand for, by version. Cost: O(log n) a question, but for states that have expired. */
export class Candidates {
  readonly #states: readonly State[];
  /** By index, when the first of the states from there on was begun: unlike the beginnings themselves it only grows. */
  readonly #earliest: readonly number[];

  constructor(states: readonly State[]) {
    this.#states = states;
    const earliest: number[] = [];
    for (let i = states.length - 1, least = Infinity; i >= 0; i--) {
      least = Math.min(least, (states[i] as State).start);
      earliest[i] = least;
    }
    this.#earliest = earliest;
  }

  /** The newest one that this read may show. */
  newest(read: Read): State | undefined {
    for (let i = this.#countBegun(read) - 1; i >= 0; i--) {
      if (mayShow(read, this.#states[i] as State)) return this.#states[i];
    }
    return undefined;
  }

  /** The newest one that had been begun, though it may have expired. */
  newestBegun(read: Read): State | undefined {
    return this.#states[this.#countBegun(read) - 1];
  }

  /** The oldest one of at least this version that this read may show. */
  oldest(read: Read, version: number): State | undefined {
    const begun = this.#countBegun(read);
    for (let i = firstIndex(this.#states.length, (at) => this.#version(at) >= version); i < begun; i++) {
      if (mayShow(read, this.#states[i] as State)) return this.#states[i];
    }
    return undefined;
  }

  /** One more than the index of the last one that had been begun. */
  #countBegun({ end }: Read): number {
    return firstIndex(this.#states.length, (at) => (this.#earliest[at] as number) > end);
  }

  #version(at: number): number {
    return (this.#states[at] as State).version;
  }
}

function mayShow(read: Read, { start, expiresAt = Infinity }: State): boolean {
  return start <= read.end && read.start <= expiresAt;
}

/** The first index for which it holds, `length` when there is none; from there on it holds for all. */
export function firstIndex(length: number, holds: (index: number) => boolean): number {
  let [low, high] = [0, length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (holds(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}
