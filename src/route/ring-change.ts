import { Ring, ringFingerprint, type RingOptions, type RingShard } from './ring.ts';
import { parseRecord, type RingRecord } from './ring-record.ts';
import { type RingAck, type RingReport, seenOf } from './ring-report.ts';

/** A ring as it is configured. */
export interface RingPlan extends RingOptions {
  readonly shards: readonly RingShard[];
}

/** Who owns the links, and does what a change asks for. */
export interface RingChangeHost {
  /** `placeOf` says HELD for the keys that leave this shard from now on. End what blocks or watches there on such a key, and call `done`
   *  when nothing that names one is unanswered: a link that was lost with such a command outstanding counts as unanswered until
   *  CLIENT KILL ID of it was answered. */
  drain(shard: number, done: () => void): void;
  /** Places have changed: drop the entries of keys that are elsewhere now, and ask again for whatever waits. */
  changed(): void;
  /** Tell the shard how far we are there. */
  report(shard: number): void;
  /** Is nothing sent to the shard now, so that its keys may be looked for there all the same? */
  isAway(shard: number): boolean;
}

/** Nobody may send commands on that key now; `RingChangeHost.changed` comes when that changes. */
export const HELD = -3;
/** The key is where `placeOf` says. */
export const NO_SOURCE = -1;

/** unknown: the shard has not told its record. old: its keys are used there. hold: those that leave are not used. migrating:
 *  they are moved before use. new: they are elsewhere. refused: the shard's record is not about our rings. */
type Standing = 'unknown' | 'old' | 'hold' | 'migrating' | 'new' | 'refused';

interface ShardView {
  standing: Standing;
  /** The newest record. */
  record: RingRecord | undefined;
  /** As it was read. */
  line: string;
  /** Why it cannot be read now, unless that has just begun. */
  problem: string | undefined;
  hasDrained: boolean;
}

/** Where keys are while a ring becomes another: each old owner's own record says what holds for the keys that leave it, so nothing has to be
 *  agreed between shards. Without a `next` ring it watches that nobody changes the ring behind our back.
 *
 *  Shape: shards are numbered as in `names`: those of the old ring in its order, then those that only the new one has. */
export class RingChange {
  readonly names: readonly string[];
  readonly from: string;
  /** Undefined = no change is configured. */
  readonly to: string | undefined;
  /** Is there a shard whose keys must be moved before use? */
  isMigrating = false;
  /** Is every key where the old ring says? */
  isQuiet = false;
  readonly #old: Ring;
  readonly #next: Ring | undefined;
  readonly #nextNumbers: readonly number[];
  readonly #views: readonly ShardView[];
  readonly #host: RingChangeHost;

  constructor(old: RingPlan, next: RingPlan | undefined, host: RingChangeHost) {
    const oldNames = old.shards.map(({ name }) => name);
    const nextNames = next?.shards.map(({ name }) => name) ?? [];
    this.names = [...new Set([...oldNames, ...nextNames])];
    this.from = ringFingerprint(old, old.shards);
    this.to = next === undefined ? undefined : ringFingerprint(next, next.shards);
    this.#old = new Ring(old, old.shards);
    this.#next = next === undefined ? undefined : new Ring(next, next.shards);
    this.#nextNumbers = nextNames.map((name) => this.names.indexOf(name));
    this.#views = this.names.map(() => ({
      standing: 'unknown',
      record: undefined,
      line: '',
      problem: undefined,
      hasDrained: false,
    }));
    this.#host = host;
  }

  /** Which shard the old ring gives it, whatever becomes of keys. */
  oldPlaceOf(bytes: Buffer, start: number, end: number): number {
    return this.#old.place(bytes, start, end);
  }

  /** Whose entries of that key are good; HELD = nobody's. That a shard cannot be asked for its record makes none of them false. */
  cachedPlaceOf(bytes: Buffer, start: number, end: number): number {
    const old = this.#old.place(bytes, start, end);
    const isUnasked = (this.#views[old] as ShardView).standing === 'unknown';
    return isUnasked && this.#next === undefined ? old : this.placeOf(bytes, start, end);
  }

  /** Has the key's shard told its record on the link that there is? */
  isTold(bytes: Buffer, start: number, end: number): boolean {
    return (this.#views[this.#old.place(bytes, start, end)] as ShardView).standing !== 'unknown';
  }

  /** Which shard serves the key bytes[start, end), or HELD. Cost: as two rings; no allocation. */
  placeOf(bytes: Buffer, start: number, end: number): number {
    const old = this.#old.place(bytes, start, end);
    if (this.isQuiet) return old;
    const { standing } = this.#views[old] as ShardView;
    if (this.#next === undefined) {
      const isHarmless = standing === 'unknown' && this.#host.isAway(old);
      return standing === 'old' || isHarmless ? old : HELD;
    }
    if (standing === 'unknown' || standing === 'refused') return HELD;
    const next = this.#nextNumbers[this.#next.place(bytes, start, end)] as number;
    if (next === old || standing === 'old') return old;
    return standing === 'hold' ? HELD : next;
  }

  /** From which shard the key must be moved before it is used where `placeOf` says; NO_SOURCE = from none. */
  sourceOf(bytes: Buffer, start: number, end: number): number {
    if (!this.isMigrating || this.#next === undefined) return NO_SOURCE;
    const old = this.#old.place(bytes, start, end);
    if ((this.#views[old] as ShardView).standing !== 'migrating') return NO_SOURCE;
    const next = this.#nextNumbers[this.#next.place(bytes, start, end)] as number;
    return next === old ? NO_SOURCE : old;
  }

  /** Does the key leave its shard, sooner or later? */
  leaves(bytes: Buffer, start: number, end: number): boolean {
    if (this.#next === undefined) return false;
    const next = this.#nextNumbers[this.#next.place(bytes, start, end)];
    return next !== this.#old.place(bytes, start, end);
  }

  /** Why the key is HELD, in words for an error; undefined = that will pass by itself in a moment. */
  problemOf(bytes: Buffer, start: number, end: number): string | undefined {
    const shard = this.#old.place(bytes, start, end);
    const { standing, line, record, problem } = this.#views[shard] as ShardView;
    const name = this.names[shard];
    if (standing === 'unknown') return problem === undefined ? undefined : `shard ${name}: ${problem}`;
    if (standing !== 'refused') return undefined;
    return line === '' || record === undefined
      ? `shard ${name} has lost its record of the ring; run "nearcache reshard run --resume"`
      : `shard ${name} has the ring ${record.from} becoming ${record.to}, which this nearcache is not configured for`;
  }

  /** The record of a shard as it was read last. */
  lineOf(shard: number): string {
    return (this.#views[shard] as ShardView).line;
  }

  recordOf(shard: number): RingRecord | undefined {
    return (this.#views[shard] as ShardView).record;
  }

  /** A shard has told its record; '' = it has none. */
  read(shard: number, line: string): void {
    const view = this.#views[shard] as ShardView;
    const record = parseRecord(line);
    // A replica that has become primary may not have the last step yet; whoever made that step repeats it.
    if (record !== undefined && record.id === view.record?.id && record.seq < view.record.seq) return;
    if (line === view.line && view.standing !== 'unknown') return;
    const wasSeen = seenOf(view.record);
    view.record = record ?? view.record;
    view.line = line;
    view.problem = undefined;
    if (seenOf(view.record) !== wasSeen) view.hasDrained = false;
    this.#stand(shard, this.#standingOf(record, line));
    if (record === undefined) return;
    // What one shard tells makes the silence of another suspect.
    this.#views.forEach((each, other) => {
      if (each.standing === 'old' && each.line === '') this.#stand(other, this.#standingOf(undefined, ''));
    });
  }

  /** The link on which records of that shard are read is lost: what it says may be anything by now. `problem`: nor can it be had again. */
  lost(shard: number, problem: string | undefined): void {
    const view = this.#views[shard] as ShardView;
    const isNews = (view.problem === undefined) !== (problem === undefined);
    view.problem = problem;
    this.#stand(shard, 'unknown');
    if (isNews) this.#host.changed();
  }

  /** The record of that shard, if it is not known, is about to come. */
  expect(shard: number): void {
    (this.#views[shard] as ShardView).problem = undefined;
  }

  reportOf(shard: number, instance: string): RingReport {
    const { record } = this.#views[shard] as ShardView;
    return {
      instance,
      from: this.from,
      to: this.to ?? '-',
      seen: seenOf(record),
      ack: this.#ackOf(this.#views[shard] as ShardView),
    };
  }

  #standingOf(record: RingRecord | undefined, line: string): Standing {
    if (record === undefined) return line === '' && !this.#isUnderWay() ? 'old' : 'refused';
    if (record.from === this.from && record.to === this.to) return standingIn[record.state];
    if (record.state === 'done') return record.to === this.from ? 'old' : 'refused';
    return record.state === 'prepared' && record.from === this.from ? 'old' : 'refused';
  }

  /** A change begins with a record on every shard. Where there is none while others are beyond that, it was deleted. */
  #isUnderWay(): boolean {
    return this.#views.some(
      ({ record }) => record?.from === this.from && record.to === this.to && record.state !== 'prepared',
    );
  }

  #stand(shard: number, standing: Standing): void {
    const view = this.#views[shard] as ShardView;
    const before = view.standing;
    view.standing = standing;
    this.isMigrating = this.#views.some((each) => each.standing === 'migrating');
    this.isQuiet = this.#views.every((each) => each.standing === 'old');
    if (standing === 'hold' && !view.hasDrained) this.#drain(shard);
    this.#host.report(shard);
    if (before !== standing) this.#host.changed();
  }

  #drain(shard: number): void {
    const view = this.#views[shard] as ShardView;
    const seen = seenOf(view.record);
    this.#host.drain(shard, () => {
      if (view.standing !== 'hold' || seenOf(view.record) !== seen) return;
      view.hasDrained = true;
      this.#host.report(shard);
    });
  }

  #ackOf({ standing, record, hasDrained }: ShardView): RingAck {
    switch (standing) {
      case 'hold':
        return hasDrained ? 'held' : 'holding';
      case 'migrating':
        return 'migrating';
      case 'refused':
        return 'refusing';
      case 'new':
        return 'done';
      case 'old':
      case 'unknown': {
        const knows = record !== undefined && record.from === this.from && record.to === this.to;
        return knows && standing === 'old' ? 'ready' : 'serving';
      }
    }
  }
}

const standingIn = { prepared: 'old', hold: 'hold', migrating: 'migrating', done: 'new' } as const;
