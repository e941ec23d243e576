import { availableParallelism } from 'node:os';

import { machineStolenSeconds } from './process-usage.ts';

/** A second of which other machines had more than this share says nothing about the two programs that are compared. */
const QUIET_SHARE = 0.01;
const LOOK_MS = 1000;

/** One look, and how much of the CPU other machines had since the last. Units: `from` and `until` of performance.now(). */
export interface StolenLook {
  readonly from: number;
  readonly until: number;
  readonly share: number;
}

/** What the hypervisor gave to other machines, second by second. Bounds: as long as it is watched. */
export class StolenTime {
  readonly looks: StolenLook[] = [];
  readonly #timer: NodeJS.Timeout;
  readonly #stolenSeconds: () => number;
  readonly #startedAt = performance.now();
  #last: { at: number; seconds: number };

  constructor(stolenSeconds: () => number = machineStolenSeconds) {
    this.#stolenSeconds = stolenSeconds;
    this.#last = { at: this.#startedAt, seconds: stolenSeconds() };
    this.#timer = setInterval(() => this.look(), LOOK_MS);
  }

  private look(): void {
    const now = { at: performance.now(), seconds: this.#stolenSeconds() };
    const elapsed = ((now.at - this.#last.at) / 1000) * availableParallelism();
    this.looks.push({
      from: this.#last.at,
      until: now.at,
      share: (now.seconds - this.#last.seconds) / elapsed,
    });
    this.#last = now;
  }

  stop(): void {
    clearInterval(this.#timer);
    if (performance.now() > this.#last.at) this.look();
  }

  /** When the first look began that saw some of that time, and more than `most` stolen. Units: `most` 0 to 1. */
  firstOver(most: number, from: number, to: number): number | undefined {
    return this.looks.find((look) => look.share > most && look.until >= from && look.from <= to)?.from;
  }

  /** Was the machine ours at this time? Not known before the look after it: then no. */
  isQuietAt(at: number): boolean {
    const look = this.looks.find(({ until }) => at < until);
    return look !== undefined && look.share <= QUIET_SHARE;
  }

  /** How much of the time the looks that saw no more than `most` stand for. Units: seconds; `most` 0 to 1. */
  secondsUnder(most: number): number {
    const under = this.looks.filter(({ share }) => share <= most);
    return under.reduce((seconds, { from, until }) => seconds + (until - from) / 1000, 0);
  }

  /** How many of the looks up to then were quiet. Units: 0 to 1; ms from the start. */
  quietShare(ms: number = Number.POSITIVE_INFINITY): number {
    const looks = this.looks.filter(({ until }) => until < this.#startedAt + ms + LOOK_MS);
    return looks.filter(({ share }) => share <= QUIET_SHARE).length / looks.length;
  }
}
