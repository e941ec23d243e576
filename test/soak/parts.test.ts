// What a soak is made of: which faults strike, what excuses a failure, and what counts as a leak.
import { describe, expect, test } from 'vitest';

import { Ledger } from '../../src/drill/load/ledger.ts';
import { Random } from '../fuzz/random.ts';
import { planFaults } from './faults.ts';
import type { Holdings } from './holdings.ts';
import { FAULTS_TO_JUDGE, leaks, longestWait, MAY_GROW } from './judge.ts';
import type { LookAt } from './record.ts';
import { Windows } from './windows.ts';

const NOTHING: Holdings = {
  files: 40,
  sockets: 20,
  timers: 9,
  sessions: 12,
  shardConnections: 6,
  shardClients: 9,
  inFlight: 0,
  heldBytes: 0,
  heapBytes: 29e6,
  bufferBytes: 18e6,
  residentBytes: 140e6,
};

function look(faults: number, held: Partial<Holdings> = {}, life = 1): LookAt {
  return { atMs: 0, life, faults, held: { ...NOTHING, ...held } };
}

function broken(looks: readonly LookAt[]): string[] {
  return leaks(looks)
    .filter(({ passed }) => !passed)
    .map(({ promise }) => promise);
}

describe('the plan of a soak', () => {
  const plan = (seed: number, crashes = true): ReturnType<typeof planFaults> =>
    planFaults(new Random(seed), 60, { shards: 3, everyMs: 20_000, crashes, only: [] });

  test('is the same for the same seed, and another for another', () => {
    expect(plan(1)).toEqual(plan(1));
    expect(plan(1)).not.toEqual(plan(2));
  });

  test('has every kind once before one comes again, on one shard or all', () => {
    const kinds = new Set(plan(1).map(({ fault }) => fault?.name));
    const first = plan(1, false).slice(0, kinds.size - 1);
    expect(new Set(first.map(({ fault }) => fault?.name)).size).toBe(kinds.size - 1);
    expect(new Set(plan(1).map(({ shards }) => shards.length))).toEqual(new Set([1, 3]));
  });

  test('kills nearcache in its first half alone, and not at all when told so', () => {
    const crashes = plan(3).map(({ fault }) => fault === undefined);
    expect(crashes.slice(0, 30)).toContain(true);
    expect(crashes.slice(30)).not.toContain(true);
    expect(plan(3, false).every(({ fault }) => fault !== undefined)).toBe(true);
  });
});

describe('a failure', () => {
  const window = (from: number, to: number) => (_: string, start: number, end: number) =>
    end >= from && start < to ? from : undefined;
  const failed = { kind: 'own', shard: 'shard1', isWrite: false, text: '' } as const;

  test('is excused by what was wrong at some time of its request, and by nothing else', () => {
    const windows = new Windows(30_000, (from, to) => (to >= 500 && from < 600 ? 500 : undefined));
    windows.addFault(window(100, 200));
    windows.addCrash(window(300, 400));
    expect(windows.explains({ ...failed, at: 150, ms: 1 })).toBe('fault');
    expect(windows.explains({ ...failed, at: 210, ms: 20 })).toBe('fault');
    expect(windows.explains({ ...failed, at: 310, ms: 1 })).toBe('crash');
    expect(windows.explains({ ...failed, at: 250, ms: 1 })).toBeUndefined();
    expect(windows.explains({ ...failed, at: 610, ms: 20 })).toBe('machine');
    expect(windows.explains({ ...failed, at: 650, ms: 20 })).toBeUndefined();
    expect(windows.staleSince('shard1', 510, 511)).toBe(500);
    expect(windows.staleSince('shard1', 610, 611)).toBeUndefined();
    expect(windows.staleSince('shard1', 310, 311)).toBeUndefined();
  });

  test('of a shard that had not recovered from the fault before may be as stale as that one began, within bounds', () => {
    const windows = new Windows(1000, () => undefined);
    windows.addFault(window(100, 500));
    windows.addFault(window(400, 5000));
    expect(windows.staleSince('shard1', 450, 451)).toBe(100);
    expect(windows.explains({ ...failed, at: 600, ms: 1 })).toBe('faults');
    expect(windows.staleSince('shard1', 600, 601)).toBe(100);
    expect(windows.staleSince('shard1', 2000, 2001)).toBe(1000);
    expect(windows.staleSince('shard1', 5001, 5002)).toBeUndefined();
  });
});

describe('the longest wait', () => {
  const limits = { commandTimeoutMs: 1000, maxStalenessMs: 400, linkDeadMs: 1500, recoveryMs: 3000 };
  const facts = { kind: 'own', shard: 'shard1', isWrite: true } as const;
  const judged = (waits: readonly (readonly [number, number])[]): ReturnType<typeof longestWait> => {
    const ledger = new Ledger(limits.commandTimeoutMs);
    for (const [from, to] of waits) {
      ledger.began(facts);
      ledger.succeeded(facts, from, to);
    }
    const windows = new Windows(1000, (from, to) => (to >= 10_000 && from < 20_000 ? 10_000 : undefined));
    return longestWait({ ledger, windows, limits });
  };

  test('is bounded, but where the machine was taken away', () => {
    expect(judged([[0, 600]])).toMatchObject({ passed: true, measured: '600 ms' });
    expect(judged([[0, 1500]])).toMatchObject({ passed: true, measured: '1.5 s' });
    expect(judged([[0, 2000]])).toMatchObject({ passed: false });
    expect(judged([[9000, 13_000]])).toMatchObject({ passed: true, measured: '1 s' });
    expect(
      judged([
        [9000, 13_000],
        [0, 1700],
      ]),
    ).toMatchObject({ passed: true, measured: '1.7 s' });
    expect(
      judged([
        [9000, 13_000],
        [0, 2500],
      ]),
    ).toMatchObject({ passed: false, measured: '2.5 s' });
  });
});

describe('a leak', () => {
  test('is whatever is more at the end of a life than before its first fault', () => {
    expect(broken([look(0), look(FAULTS_TO_JUDGE)])).toEqual([]);
    for (const name of Object.keys(NOTHING) as (keyof Holdings)[]) {
      const more = NOTHING[name] + MAY_GROW[name] + 1;
      expect(broken([look(0), look(FAULTS_TO_JUDGE, { [name]: more })])).toHaveLength(1);
    }
  });

  test('is seen in every life that is long enough, and one must be', () => {
    const leaking = [look(0), look(FAULTS_TO_JUDGE, { files: 41 })];
    const sound = [look(0, {}, 2), look(FAULTS_TO_JUDGE, {}, 2)];
    expect(broken([...leaking, ...sound])).toEqual(['held at the end of a life: open files']);
    expect(broken([look(0), look(FAULTS_TO_JUDGE - 1)])).toEqual([
      'faults in the longest life of a nearcache',
    ]);
  });
});
