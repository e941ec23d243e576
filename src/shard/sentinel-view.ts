import { isSame } from './sentinel-answer.ts';
import type { HostPort, SentinelAnswer } from './sentinel-answer.ts';

/** How long sentinels take to tell one another of a change before they act on a difference.
 *  Units: ms. Source: sentinel.c, `SENTINEL_PUBLISH_PERIOD * 4` (Redis 7.0). */
const SETTLE_MS = 8000;

/** What sentinels say together of one primary. It asks nobody and knows no time but what it is told.
 *
 *  An epoch is given by a majority of the sentinels, once: so one answer with a newer epoch is enough to follow, and any number
 *  of answers with an older one is a past that some have not left yet. Only when a majority stays in such a past, sees its primary up, and
 *  nobody sees a newer one up, was Sentinel itself set back by hand (SENTINEL MONITOR anew), and is followed too.
 *  Units: ms of the monotonic clock. */
export class SentinelView {
  primary: HostPort | undefined;
  replicas: readonly HostPort[] = [];
  /** A majority has agreed on `primary` in answers that were all asked for at this time or later. */
  confirmedAt: number = -Infinity;
  readonly #configured: number;
  #epoch = -1;
  #otherwise: { primary: HostPort; since: number } | undefined;

  /** `configured`: how many sentinels were named; they may know of more. */
  constructor(configured: number) {
    this.#configured = configured;
  }

  /** Take the newest answer of each sentinel that has one. `mayGuess`: without a primary yet, take one that no majority has
   *  named. Returns whether `primary` or `replicas` have changed. */
  update(answers: readonly SentinelAnswer[], now: number, mayGuess: boolean): boolean {
    const votes = [...new Map(answers.map((answer) => [answer.id, answer])).values()];
    const majority = this.#majority(votes);
    const { primary, replicas } = this;
    this.#follow(votes, majority, now, mayGuess);
    const agreeing = votes.filter((vote) => this.#isCurrent(vote));
    if (agreeing.length > 0) this.replicas = listedByMost(agreeing);
    // A primary that a sentinel cannot reach may be replaced at any moment without a word to it.
    const times = agreeing.filter((vote) => !vote.isDoubted).map((vote) => vote.askedAt);
    const time = times.toSorted((a, b) => b - a)[majority - 1];
    if (time !== undefined) this.confirmedAt = Math.max(this.confirmedAt, time);
    return this.primary !== primary || !isSameList(this.replicas, replicas);
  }

  #majority(votes: readonly SentinelAnswer[]): number {
    const known = Math.max(this.#configured, ...votes.map((vote) => vote.others.length + 1));
    return Math.floor(known / 2) + 1;
  }

  #follow(votes: readonly SentinelAnswer[], majority: number, now: number, mayGuess: boolean): void {
    const newest = newestOf(votes);
    if (newest === undefined) return;
    if (this.primary === undefined) {
      if (votes.length >= majority || mayGuess) this.#take(newest);
    } else if (newest.epoch > this.#epoch) {
      this.#take(newest);
    } else {
      this.#considerSetBack(votes, majority, now);
    }
  }

  #considerSetBack(votes: readonly SentinelAnswer[], majority: number, now: number): void {
    const other = newestOf(votes.filter((vote) => !vote.isDoubted));
    const isAgreed =
      other !== undefined &&
      !this.#isCurrent(other) &&
      votes.filter((vote) => !vote.isDoubted && isSame(vote.primary, other.primary)).length >= majority;
    if (!isAgreed) {
      this.#otherwise = undefined;
    } else if (this.#otherwise === undefined || !isSame(this.#otherwise.primary, other.primary)) {
      this.#otherwise = { primary: other.primary, since: now };
    } else if (now - this.#otherwise.since >= SETTLE_MS) {
      this.#take(other);
    }
  }

  #take(answer: SentinelAnswer): void {
    this.#epoch = answer.epoch;
    this.#otherwise = undefined;
    // The same address in a newer epoch: replicas may have come and gone, the primary has not.
    if (this.primary !== undefined && isSame(this.primary, answer.primary)) return;
    this.primary = answer.primary;
    this.replicas = answer.replicas;
  }

  #isCurrent(vote: SentinelAnswer): boolean {
    return this.primary !== undefined && vote.epoch === this.#epoch && isSame(vote.primary, this.primary);
  }
}

/** The answer with the highest epoch; among several, one whose primary most of them name. */
function newestOf(votes: readonly SentinelAnswer[]): SentinelAnswer | undefined {
  const epoch = Math.max(...votes.map((vote) => vote.epoch));
  const newest = votes.filter((vote) => vote.epoch === epoch);
  const support = (answer: SentinelAnswer): number =>
    newest.filter((vote) => isSame(vote.primary, answer.primary)).length;
  return newest.toSorted((a, b) => support(b) - support(a))[0];
}

/** In a fixed order, so that two lists of the same replicas compare equal. */
function listedByMost(votes: readonly SentinelAnswer[]): HostPort[] {
  const counts = new Map<string, { replica: HostPort; count: number }>();
  for (const replica of votes.flatMap((vote) => vote.replicas)) {
    const name = `${replica.host}:${replica.port}`;
    counts.set(name, { replica, count: (counts.get(name)?.count ?? 0) + 1 });
  }
  return [...counts.entries()]
    .filter(([, { count }]) => count > votes.length / 2)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([, { replica }]) => replica);
}

function isSameList(a: readonly HostPort[], b: readonly HostPort[]): boolean {
  return a.length === b.length && a.every((each, i) => isSame(each, b[i] as HostPort));
}
