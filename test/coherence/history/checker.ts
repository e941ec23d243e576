import {
  type Failover,
  type Read,
  type RegisterHistory,
  type Token,
  PRESENT,
  type Violation,
  type Write,
} from './history.ts';
import { Candidates, firstIndex } from './candidates.ts';
import { excerptOf } from './excerpt.ts';
import { type State, statesOf } from './states.ts';
import { lostVersions } from './timelines.ts';

/** What the checker found out about one register. Units: `behindMs`, the furthest that a read lagged behind what anybody
 *  had been told was written. */
export interface Findings {
  readonly violations: Violation[];
  hits: number;
  hitsOnOutsideWrites: number;
  behindMs: number;
  /** The longest time after a promotion in which something was shown that the new primary has not, or had overwritten. */
  oldTimeMs: number;
  lostWrites: number;
}

/** A lower bound of what a read may show. Shape: `version` 0 = none. */
interface Bound {
  readonly rule: string;
  readonly version: number;
}

/** Judges all reads of one register against the rules of the coherence spec, §2:
 *  I1 and I1p (own writes), I2 (at most `stalenessMs` behind), I3 and I3' (nothing goes back, on a connection and in the whole
 *  proxy), I5 (no value outlives its own expiry), and that nothing is read before it was written.
 *
 *  A read shows a token, and a token may stand for several versions ("no such value"). It is right when one of them is not below
 *  any bound and was begun before the read ended. What it proves to later reads is the lowest such version.
 *  What a failover has undone binds no read that ends after the promotion; it may be shown until `stalenessMs` after everybody knew of
 *  the new primary (rule FO), and what that one writes before they do, may be missed for as long.
 *  Cost: O(n log n). Source: coherence spec §10.1, and §8 for failovers. */
export function checkRegister(
  register: RegisterHistory,
  stalenessMs: number,
  failovers: readonly Failover[] = [],
): Findings {
  const states = statesOf(register);
  const judge = new Judge(register, states, stalenessMs, failovers);
  const operations: (Read | Write)[] = [...register.reads, ...register.writes];
  operations.sort((a, b) => a.start - b.start || a.order - b.order);
  for (const operation of operations) {
    if ('version' in operation) judge.write(operation);
    else judge.read(operation);
  }
  return judge.findings;
}

class Judge {
  readonly findings: Findings = {
    violations: [],
    hits: 0,
    hitsOnOutsideWrites: 0,
    behindMs: 0,
    oldTimeMs: 0,
    lostWrites: 0,
  };
  readonly #register: RegisterHistory;
  readonly #states: readonly State[];
  readonly #stalenessMs: number;
  /** By the number of promotions that a read has seen. */
  readonly #byToken: readonly ReadonlyMap<Token, Candidates>[];
  readonly #proxyWrites: readonly Acknowledged[];
  readonly #allWrites: readonly Acknowledged[];
  readonly #failovers: readonly Failover[];
  readonly #lost: ReadonlyMap<number, Failover>;
  readonly #earliestNewer: ReadonlyMap<number, number>;
  readonly #ended = new EndedReads();
  /** By connection: the newest version it has seen or written. */
  readonly #seen = new Map<number, Bound>();

  constructor(
    register: RegisterHistory,
    states: readonly State[],
    stalenessMs: number,
    failovers: readonly Failover[],
  ) {
    this.#register = register;
    this.#states = states;
    this.#stalenessMs = stalenessMs;
    this.#failovers = failovers.toSorted((a, b) => a.promotedAt - b.promotedAt);
    this.#lost = lostVersions(register, states);
    this.findings.lostWrites = states.filter(
      ({ version, end }) => end !== Infinity && this.#lost.has(version),
    ).length;
    const eras = [0, ...this.#failovers.map((_, i) => i + 1)];
    const leftAfter = (era: number): State[] => states.filter(({ version }) => !this.#isLost(version, era));
    this.#byToken = eras.map((era) => byToken(leftAfter(era)));
    this.#proxyWrites = eras.map(
      (era) => new Acknowledged(leftAfter(era).filter(({ cause }) => cause === 'proxy')),
    );
    this.#allWrites = eras.map((era) => new Acknowledged(leftAfter(era)));
    this.#earliestNewer = earliestNewer(states.filter(({ version }) => !this.#lost.has(version)));
  }

  write({ connection, version, end, via }: Write): void {
    // Whether a write without an answer was done is not known to its connection either.
    const isKept = end !== Infinity && !this.#lost.has(version);
    if (isKept && via === 'proxy') this.#hasSeen(connection, { rule: 'I1p', version });
  }

  read(read: Read): void {
    const bounds = this.#bounds(read);
    const lowest = Math.max(0, ...bounds.map(({ version }) => version));
    const candidates = this.#byToken[this.#eraOf(read)]?.get(read.token);
    const alive = candidates?.newest(read);
    const newest = alive ?? candidates?.newestBegun(read);
    const state = candidates?.oldest(read, lowest) ?? newest;
    const undone = newest !== undefined && newest.version >= lowest ? undefined : this.#undone(read);
    if (undone !== undefined) {
      this.#judgeUndone(read, undone);
      return;
    }
    if (newest === undefined) this.#violated(read, 'phantom', undefined, 0);
    else if (newest.version < lowest) {
      const broken = bounds.filter(({ version }) => version > newest.version);
      this.#violated(read, broken.map(({ rule }) => rule).join(', '), newest, lowest);
    } else if (alive === undefined) this.#violated(read, 'I5', newest, newest.version + 0.5);
    if (state === undefined || newest === undefined) return;
    this.#count(read, newest);
    if (this.#lost.has(state.version)) return;
    this.#hasSeen(read.connection, { rule: 'I3', version: state.version });
    this.#ended.add(read.end, state.version);
  }

  /** How many promotions were before the read was over. */
  #eraOf({ end }: Read): number {
    return this.#failovers.filter(({ promotedAt }) => promotedAt < end).length;
  }

  #isLost(version: number, era: number): boolean {
    const failover = this.#lost.get(version);
    return failover !== undefined && this.#failovers.indexOf(failover) < era;
  }

  /** What the read shows, of what was undone before its end. */
  #undone(read: Read): State | undefined {
    const shown = this.#byToken[0]?.get(read.token)?.newestBegun(read);
    return shown !== undefined && this.#isLost(shown.version, this.#eraOf(read)) ? shown : undefined;
  }

  #judgeUndone(read: Read, shown: State): void {
    if (shown.end === Infinity) return;
    const { promotedAt, knownAt } = this.#lost.get(shown.version) as Failover;
    this.findings.oldTimeMs = Math.max(this.findings.oldTimeMs, read.start - promotedAt);
    if (read.start > knownAt + this.#stalenessMs) this.#violated(read, 'FO', shown, shown.version + 1);
  }

  /** By when a write must have been acknowledged for the read to show it. What a new primary writes need not be known before it
   *  is known itself. */
  #dueAt({ start }: Read): number {
    const at = start - this.#stalenessMs;
    const unsure = this.#failovers.find(({ promotedAt, knownAt }) => promotedAt < at && at < knownAt);
    return unsure?.promotedAt ?? at;
  }

  #bounds(read: Read): Bound[] {
    const era = this.#eraOf(read);
    return [
      { rule: 'I1', version: this.#proxyWrites[era]?.before(read.start) ?? 0 },
      { rule: 'I2', version: this.#allWrites[era]?.before(this.#dueAt(read)) ?? 0 },
      { rule: "I3'", version: this.#ended.before(read.start) },
      this.#seen.get(read.connection) ?? { rule: 'I3', version: 0 },
    ];
  }

  #hasSeen(connection: number, bound: Bound): void {
    if (bound.version > (this.#seen.get(connection)?.version ?? 0)) this.#seen.set(connection, bound);
  }

  #violated(read: Read, rule: string, newest: State | undefined, required: number): void {
    const shown = newest === undefined ? 'what nobody had written' : `version ${newest.version}`;
    this.findings.violations.push({
      rule,
      text: `${this.#register.name}: ${read.command} on connection ${read.connection} showed ${shown}, must be at least ${required}`,
      excerpt: excerptOf(this.#register, this.#states, read, required),
    });
  }

  #count(read: Read, newest: State): void {
    const newer = this.#earliestNewer.get(newest.version) ?? Infinity;
    if (read.start > newer) {
      this.findings.behindMs = Math.max(this.findings.behindMs, read.start - newer);
      const promoted = this.#failovers.findLast(({ promotedAt }) => promotedAt < newer);
      const isOld = promoted !== undefined && newest.end < promoted.promotedAt && newer < promoted.knownAt;
      if (isOld)
        this.findings.oldTimeMs = Math.max(this.findings.oldTimeMs, read.start - promoted.promotedAt);
    }
    if (!read.isHit) return;
    this.findings.hits++;
    if (newest.cause === 'outside') this.findings.hitsOnOutsideWrites++;
  }
}

/** Versions by when they were acknowledged. */
class Acknowledged {
  readonly #ends: number[] = [];
  readonly #highest: number[] = [];

  constructor(states: readonly State[]) {
    let highest = 0;
    for (const { end, version } of states
      .filter((each) => each.end !== Infinity)
      .toSorted((a, b) => a.end - b.end)) {
      highest = Math.max(highest, version);
      this.#ends.push(end);
      this.#highest.push(highest);
    }
  }

  /** The highest version acknowledged before `time`, 0 = none. */
  before(time: number): number {
    const count = firstIndex(this.#ends.length, (at) => (this.#ends[at] as number) >= time);
    return this.#highest[count - 1] ?? 0;
  }
}

/** What reads have shown by the time at which they ended. Asked about growing times only: a heap gives up what has ended. */
class EndedReads {
  readonly #heap: { end: number; version: number }[] = [];
  #highest = 0;

  add(end: number, version: number): void {
    const heap = this.#heap;
    let at = heap.push({ end, version }) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if ((heap[parent] as { end: number }).end <= end) break;
      this.#swap(at, parent);
      at = parent;
    }
  }

  before(time: number): number {
    for (let first = this.#heap[0]; first !== undefined && first.end < time; first = this.#heap[0]) {
      this.#highest = Math.max(this.#highest, first.version);
      this.#dropFirst();
    }
    return this.#highest;
  }

  #dropFirst(): void {
    const heap = this.#heap;
    const last = heap.pop() as { end: number; version: number };
    if (heap.length === 0) return;
    heap[0] = last;
    for (let at = 0; ; ) {
      let least = at;
      for (const child of [2 * at + 1, 2 * at + 2]) {
        if ((heap[child]?.end ?? Infinity) < (heap[least] as { end: number }).end) least = child;
      }
      if (least === at) return;
      this.#swap(at, least);
      at = least;
    }
  }

  #swap(a: number, b: number): void {
    const heap = this.#heap;
    [heap[a], heap[b]] = [
      heap[b] as { end: number; version: number },
      heap[a] as { end: number; version: number },
    ];
  }
}

function byToken(states: readonly State[]): Map<Token, Candidates> {
  const lists = new Map<Token, State[]>([[PRESENT, states.filter(({ token }) => token !== null)]]);
  for (const state of states) {
    const list = lists.get(state.token);
    if (list === undefined) lists.set(state.token, [state]);
    else list.push(state);
  }
  return new Map([...lists].map(([token, list]) => [token, new Candidates(list)]));
}

/** By version, when the first newer one was acknowledged. */
function earliestNewer(states: readonly State[]): Map<number, number> {
  const map = new Map<number, number>();
  let earliest = Infinity;
  for (const { version, end } of states.toReversed()) {
    map.set(version, earliest);
    earliest = Math.min(earliest, end);
  }
  return map;
}
