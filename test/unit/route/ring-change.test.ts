import { describe, expect, it } from 'vitest';

import { HELD, NO_SOURCE, RingChange, type RingPlan } from '../../../src/route/ring-change.ts';
import { printRecord, type RingState } from '../../../src/route/ring-record.ts';

const placing = { distribution: 'ketama', hash: 'fnv1a_64', hashTag: '' } as const;
const ringOf = (...names: string[]): RingPlan => ({
  ...placing,
  shards: names.map((name) => ({ name, weight: 1 })),
});

/** A change from a, b to a, b, c. */
class Bench {
  readonly change: RingChange;
  readonly drains: (() => void)[] = [];
  changes = 0;
  reports = 0;
  isAway = false;

  constructor(old: RingPlan = ringOf('a', 'b'), next: RingPlan | 'none' = ringOf('a', 'b', 'c')) {
    this.change = new RingChange(old, next === 'none' ? undefined : next, {
      drain: (_shard, done) => this.drains.push(done),
      changed: () => this.changes++,
      report: () => this.reports++,
      isAway: () => this.isAway,
    });
  }

  line(state: RingState, seq: number, id = 'x'): string {
    const { from, to } = this.change;
    return printRecord({ id, seq, state, from, to: to ?? '', method: 'migrate' });
  }

  readAll(line: string): void {
    for (const shard of this.change.names.keys()) this.change.read(shard, line);
  }

  place(key: string): number {
    return this.change.placeOf(Buffer.from(key), 0, key.length);
  }

  cachedPlace(key: string): number {
    return this.change.cachedPlaceOf(Buffer.from(key), 0, key.length);
  }

  source(key: string): number {
    return this.change.sourceOf(Buffer.from(key), 0, key.length);
  }

  problem(key: string): string | undefined {
    return this.change.problemOf(Buffer.from(key), 0, key.length);
  }

  /** Keys of the first shard: one that leaves and one that stays. */
  keys(): { leaving: string; staying: string } {
    const keys = Array.from({ length: 200 }, (_, n) => `key:${n}`);
    this.readAll('');
    const ofA = keys.filter((key) => this.place(key) === 0);
    const leaves = (key: string): boolean => this.change.leaves(Buffer.from(key), 0, key.length);
    return {
      leaving: ofA.find((key) => leaves(key)) as string,
      staying: ofA.find((key) => !leaves(key)) as string,
    };
  }
}

describe('a ring that becomes another', () => {
  it('holds all keys until the shards have told their records', () => {
    const bench = new Bench();
    expect(bench.place('k')).toBe(HELD);
    expect(bench.change.isQuiet).toBe(false);
    bench.readAll('');
    expect(bench.place('k')).toBeGreaterThanOrEqual(0);
    expect(bench.change.isQuiet).toBe(true);
  });

  it('leads a key that leaves from its old owner over a hold to its new one, and leaves the others alone', () => {
    const bench = new Bench();
    const { leaving, staying } = bench.keys();
    const seen = (): unknown => [
      bench.place(leaving),
      bench.source(leaving),
      bench.place(staying),
      bench.source(staying),
    ];
    bench.readAll(bench.line('prepared', 1));
    expect(seen()).toEqual([0, NO_SOURCE, 0, NO_SOURCE]);
    expect(bench.change.reportOf(0, 'me')).toMatchObject({ ack: 'ready', seen: 'x.1' });
    bench.change.read(0, bench.line('hold', 2));
    expect(seen()).toEqual([HELD, NO_SOURCE, 0, NO_SOURCE]);
    expect(bench.problem(leaving)).toBeUndefined();
    bench.change.read(0, bench.line('migrating', 3));
    expect(seen()).toEqual([2, 0, 0, NO_SOURCE]);
    bench.change.read(0, bench.line('done', 4));
    expect(seen()).toEqual([2, NO_SOURCE, 0, NO_SOURCE]);
    expect(bench.change.reportOf(0, 'me')).toMatchObject({ ack: 'done', seen: 'x.4' });
  });

  it('says that it holds once everything was answered, and not for a hold that was given up', () => {
    const bench = new Bench();
    bench.readAll(bench.line('prepared', 1));
    bench.change.read(0, bench.line('hold', 2));
    expect(bench.change.reportOf(0, 'me').ack).toBe('holding');
    bench.change.read(0, bench.line('prepared', 3));
    bench.change.read(0, bench.line('hold', 4));
    bench.drains[0]?.();
    expect(bench.change.reportOf(0, 'me').ack).toBe('holding');
    bench.drains[1]?.();
    expect(bench.change.reportOf(0, 'me')).toMatchObject({ ack: 'held', seen: 'x.4' });
  });

  it('holds the keys of a shard whose link is lost, and says why once it cannot be had again', () => {
    const bench = new Bench();
    const { leaving, staying } = bench.keys();
    bench.change.lost(0, undefined);
    expect([bench.place(leaving), bench.place(staying), bench.problem(leaving)]).toEqual([
      HELD,
      HELD,
      undefined,
    ]);
    const changes = bench.changes;
    bench.change.lost(0, 'refused');
    expect(bench.problem(leaving)).toBe('shard a: refused');
    expect(bench.changes).toBeGreaterThan(changes);
    bench.change.read(0, '');
    expect(bench.place(staying)).toBe(0);
  });

  it('does not go back to an earlier step', () => {
    const bench = new Bench();
    const { leaving } = bench.keys();
    bench.readAll(bench.line('migrating', 3));
    bench.change.read(0, bench.line('hold', 2));
    expect(bench.place(leaving)).toBe(2);
    bench.change.lost(0, undefined);
    bench.change.read(0, bench.line('hold', 2));
    expect(bench.place(leaving)).toBe(HELD);
  });

  it('serves no key of a shard that has lost its record', () => {
    const bench = new Bench();
    const { leaving } = bench.keys();
    bench.readAll(bench.line('migrating', 3));
    bench.change.read(0, '');
    expect(bench.place(leaving)).toBe(HELD);
    expect(bench.problem(leaving)).toContain('has lost its record');
    const fresh = new Bench();
    fresh.change.read(0, '');
    fresh.change.read(1, fresh.line('migrating', 3));
    expect(fresh.place(leaving)).toBe(HELD);
  });

  it('knows a ring that an earlier change has left behind as its own', () => {
    const bench = new Bench();
    const { from } = bench.change;
    bench.readAll(printRecord({ id: 'y', seq: 9, state: 'done', from: 'ff', to: from, method: 'migrate' }));
    expect(bench.change.isQuiet).toBe(true);
    expect(bench.change.reportOf(0, 'me').ack).toBe('serving');
  });

  it('looks for the keys of a shard to which nothing is sent where they were, without a next ring', () => {
    const bench = new Bench(ringOf('a', 'b'), 'none');
    bench.readAll('');
    const at = bench.place('k');
    bench.change.lost(at, 'gone');
    expect(bench.place('k')).toBe(HELD);
    bench.isAway = true;
    expect(bench.place('k')).toBe(at);
    expect(bench.change.isTold(Buffer.from('k'), 0, 1)).toBe(false);
    bench.change.read(
      at,
      printRecord({ id: 'y', seq: 9, state: 'done', from: bench.change.from, to: 'ff', method: 'migrate' }),
    );
    expect(bench.place('k')).toBe(HELD);
    const changing = new Bench();
    changing.isAway = true;
    expect(changing.place('k')).toBe(HELD);
  });

  it('lets entries be of a shard that cannot be asked, but not of one that says otherwise', () => {
    const bench = new Bench(ringOf('a', 'b'), 'none');
    bench.readAll('');
    const at = bench.place('k');
    bench.change.lost(at, undefined);
    expect(bench.cachedPlace('k')).toBe(at);
    bench.change.read(
      at,
      printRecord({ id: 'y', seq: 9, state: 'done', from: bench.change.from, to: 'ff', method: 'migrate' }),
    );
    expect(bench.cachedPlace('k')).toBe(HELD);
    const changing = new Bench();
    changing.readAll('');
    changing.change.lost(changing.place('k'), undefined);
    expect(changing.cachedPlace('k')).toBe(HELD);
  });

  it('refuses to serve by a ring that is not in force', () => {
    const without = new Bench(ringOf('a', 'b'), 'none');
    const { from } = without.change;
    const line = (state: RingState): string =>
      printRecord({ id: 'y', seq: 9, state, from, to: 'ff', method: 'migrate' });
    without.readAll(line('prepared'));
    expect(without.change.isQuiet).toBe(true);
    for (const state of ['hold', 'migrating', 'done'] as const) {
      without.readAll(line(state).replace(' 9 ', ` ${10 + state.length} `));
      expect(without.place('k')).toBe(HELD);
      expect(without.problem('k')).toContain('not configured for');
      expect(without.change.reportOf(0, 'me').ack).toBe('refusing');
    }
  });
});
