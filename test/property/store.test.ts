import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { createStore, type Eviction, optionsForEntries } from '../../src/cache/create-store.ts';
import {
  type EntryFacts,
  type Form,
  RESP2_ONLY,
  RESP3_ONLY,
  SAME,
  type Store,
} from '../../src/cache/store.ts';
import { factsOf, idOf, readThrough } from '../support/store-entry.ts';

const EVICTIONS: Eviction[] = ['s3fifo', 'tinylfu', 'fifo', 'clock', 'lru'];
/** Binary ones, of which two read the same as UTF-8, and one that is long enough for a native comparison. */
const KEYS = [
  '',
  'a',
  '\xfe',
  '\xff',
  'user:1',
  'user:2',
  `${'k'.repeat(150)}1`,
  `${'k'.repeat(150)}2`,
  ...Array.from({ length: 40 }, (_, i) => `k${i}`),
];
const LATER_MS = 60 * 24 * 3600 * 1000;

interface Name {
  key: string;
  args: string;
  commandId: number;
  db: number;
  fence: number;
}

interface Kept extends Name {
  reply: string;
  facts: EntryFacts;
  /** Found since it was put in. */
  isFound: boolean;
  /** Or what it has taken the place of was. */
  mayBeInUse: boolean;
}

/** What a store is, without limit and speed: a list. */
class Model {
  kept: Kept[] = [];

  insert(name: Name, reply: string, facts: EntryFacts, fits: boolean): void {
    let mayBeInUse = false;
    this.kept = this.kept.filter((other) => {
      if (facts.form !== RESP2_ONLY && isDoubted(other, name, reply)) return false;
      if (!sameName(other, name)) return true;
      if (facts.form !== RESP2_ONLY || other.facts.form === RESP2_ONLY) {
        mayBeInUse ||= other.mayBeInUse;
        return false;
      }
      other.facts.form = RESP3_ONLY;
      return true;
    });
    if (fits) this.kept.push({ ...name, reply, facts: { ...facts }, isFound: false, mayBeInUse });
  }

  find(name: Name, proto: 2 | 3, now: number): Kept | undefined {
    const kept = this.kept.find(
      (other) => sameName(other, name) && (other.facts.form === SAME || other.facts.form === proto),
    );
    if (kept === undefined) return undefined;
    if (now < kept.facts.deadline) {
      kept.isFound = kept.mayBeInUse = true;
      return kept;
    }
    this.drop((other) => other === kept);
    return undefined;
  }

  /** What was asked for by the key alone, in that database and over that link. */
  plainBeside({ key, db, fence }: Name): Kept[] {
    return this.kept.filter(
      (kept) => kept.key === key && kept.args === '' && kept.db === db && kept.fence === fence,
    );
  }

  drop(test: (kept: Kept) => boolean): number {
    const before = this.kept.length;
    this.kept = this.kept.filter((kept) => !test(kept));
    return before - this.kept.length;
  }
}

/** Another link has not said the same. */
function isDoubted(kept: Kept, name: Name, reply: string): boolean {
  if (kept.key !== name.key || kept.db !== name.db || kept.fence === name.fence) return false;
  return !sameName({ ...kept, fence: name.fence }, name) || kept.reply !== reply;
}

function sameName(a: Name, b: Name): boolean {
  return (
    a.key === b.key &&
    a.args === b.args &&
    a.commandId === b.commandId &&
    a.db === b.db &&
    a.fence === b.fence
  );
}

const anyName = fc.record({
  key: fc.constantFrom(...KEYS),
  args: fc.constantFrom('', 'x', '\xfe'),
  commandId: fc.constantFrom(0, 65_535),
  db: fc.constantFrom(0, 65_535),
  fence: fc.constantFrom(7, 2 ** 32 - 1),
});
/** Few enough to be met again and again. */
const knownName = fc
  .constantFrom('a', '\xfe', '\xff', 'user:1')
  .map((key) => ({ key, args: '', commandId: 0, db: 0, fence: 7 }));
const name = fc.oneof(anyName, knownName);
const step = fc.oneof(
  {
    weight: 100,
    arbitrary: fc.record({ op: fc.constant('find' as const), name, proto: fc.constantFrom<2 | 3>(2, 3) }),
  },
  {
    weight: 160,
    arbitrary: fc.record({
      op: fc.constant('insert' as const),
      name,
      form: fc.constantFrom<Form>(SAME, RESP2_ONLY, RESP3_ONLY),
      size: fc.constantFrom(0, 1, 7, 8, 30, 300, 1000, 5000),
      lifeMs: fc.constantFrom(0, 5, 1000, 1000, LATER_MS / 2),
      refreshMs: fc.constantFrom(0, 3, Infinity),
      isOfFound: fc.boolean(),
    }),
  },
  { weight: 4, arbitrary: fc.record({ op: fc.constant('remove' as const), key: fc.constantFrom(...KEYS) }) },
  {
    weight: 4,
    arbitrary: fc.record({ op: fc.constant('removeFence' as const), fence: fc.constantFrom(7, 2 ** 32 - 1) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      op: fc.constant('wait' as const),
      ms: fc.constantFrom(1, 1, 1, 10, 10, 2000, LATER_MS),
    }),
  },
  { weight: 10, arbitrary: fc.constant({ op: 'refreshing' as const }) },
  { weight: 40, arbitrary: fc.record({ op: fc.constant('inUse' as const), name }) },
  { weight: 1, arbitrary: fc.constant({ op: 'clear' as const }) },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** Runs steps on a store and on a model, and compares. */
class Pair {
  readonly model = new Model();
  readonly store: Store;
  now = 0.25;
  #reply = 0;
  #lastFound: Kept | undefined;

  readonly #isRoomy: boolean;

  constructor(store: Store, isRoomy: boolean) {
    this.store = store;
    this.#isRoomy = isRoomy;
  }

  run(step: Step): void {
    const { store, model } = this;
    const { stats } = store;
    if (step.op === 'find') this.#find(step.name, step.proto);
    else if (step.op === 'wait') this.now += step.ms;
    else if (step.op === 'refreshing') this.#refreshing();
    else if (step.op === 'inUse') this.#commandInUse(step.name);
    else {
      if (step.op === 'insert') this.#insert(step);
      else if (step.op === 'remove') {
        const bytes = Buffer.from(step.key, 'latin1');
        const dropped = model.drop((kept) => kept.key === step.key);
        this.#expectCount(store.remove(bytes, 0, bytes.length), dropped);
      } else if (step.op === 'removeFence') {
        const dropped = model.drop((kept) => kept.fence === step.fence);
        this.#expectCount(
          store.removeWhere(({ fence }) => fence === step.fence),
          dropped,
        );
      } else {
        store.clear();
        model.drop(() => true);
        expect({ entries: stats.entries, liveBytes: stats.liveBytes }).toEqual({ entries: 0, liveBytes: 0 });
      }
      this.#lastFound = undefined;
    }
    expect(stats.liveBytes).toBeLessThanOrEqual(stats.limitBytes);
    this.#expectCount(stats.entries, model.kept.length);
  }

  /** Equal, or less where something may have been dropped for room. */
  #expectCount(actual: number, expected: number): void {
    expect(actual).toBeLessThanOrEqual(expected);
    if (this.#isRoomy) expect(actual).toBe(expected);
  }

  #refreshing(): void {
    this.store.refreshing();
    if (this.#lastFound !== undefined) this.#lastFound.facts.refreshAt = Infinity;
  }

  #commandInUse(name: Name): void {
    const plain = this.model.plainBeside(name);
    const commandId = this.store.commandInUse(idOf(name.key, name));
    const isTrue = plain.some((kept) => kept.mayBeInUse && kept.commandId === commandId);
    const isMissed = this.#isRoomy && plain.some(({ isFound }) => isFound);
    if (commandId === -1) expect(isMissed).toBe(false);
    else expect(isTrue).toBe(true);
  }

  #find(name: Name, proto: 2 | 3): void {
    const { store, model } = this;
    const expected = model.find(name, proto, this.now);
    const { expired } = store.stats;
    const isFound = store.find(idOf(name.key, name), proto, this.now);
    if (!isFound) {
      if (this.#isRoomy) expect(expected).toBeUndefined();
      if (expected !== undefined) model.drop((kept) => kept === expected);
      if (store.stats.expired > expired) this.#lastFound = undefined;
      return;
    }
    const { bytes, start, end, ...facts } = store.found;
    expect({ reply: bytes.toString('latin1', start, end), facts }).toEqual({
      reply: expected?.reply,
      facts: expected?.facts,
    });
    this.#lastFound = expected;
  }

  #insert(step: Extract<Step, { op: 'insert' }>): void {
    const { store, now } = this;
    const deadline = now + step.lifeMs;
    const refreshAt = step.refreshMs === Infinity ? Infinity : Math.min(now + step.refreshMs, deadline);
    const n = this.#reply++;
    const facts = factsOf({
      form: step.form,
      filledAt: now,
      deadline,
      refreshAt,
      loadMs: n % 65_536,
      policy: n % 256,
    });
    const isOfFound = step.isOfFound && this.#lastFound !== undefined;
    const { bytes, start, end } = store.found;
    const reply = isOfFound
      ? (this.#lastFound as Kept).reply
      : `${n}`.padEnd(step.size, 'v').slice(0, step.size);
    const source = isOfFound ? bytes : Buffer.from(reply, 'latin1');
    const [from, to] = isOfFound ? [start, end] : [0, source.length];
    const isKept = store.insert(idOf(step.name.key, step.name), source, from, to, facts);
    if (reply.length <= store.maxItemBytes) expect(isKept).toBe(true);
    this.model.insert(step.name, reply, facts, isKept);
  }
}

function storeOf(eviction: Eviction, maxBytes: number, hashBits: number, segmentBytes: number): Store {
  const common = {
    maxBytes,
    expectedEntryBytes: 128,
    maxItemBytes: 4000,
    maxKeyBytes: 200,
    seed: 5,
    hashBits,
  };
  return createStore(eviction, { ...common, segmentBytes });
}

describe.each(EVICTIONS)('a %s store', (eviction) => {
  test.each([32, 2])('with room for all holds exactly what was put in last (hash of %i bits)', (hashBits) => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120, size: 'max' }), (steps) => {
        const pair = new Pair(storeOf(eviction, 1 << 20, hashBits, 64 * 1024), true);
        for (const one of steps) pair.run(one);
        expect(pair.store.stats.evicted).toBe(0);
      }),
      { numRuns: 60 },
    );
  });

  test.each([32, 3])('with little room forgets, but is never wrong (hash of %i bits)', (hashBits) => {
    let evicted = 0;
    fc.assert(
      fc.property(fc.array(step, { maxLength: 400, size: 'max' }), (steps) => {
        const pair = new Pair(storeOf(eviction, 15_000, hashBits, 1504), false);
        for (const one of steps) pair.run(one);
        evicted += pair.store.stats.evicted;
      }),
      { numRuns: 60 },
    );
    expect(evicted).toBeGreaterThan(0);
  });
});

test.each(['s3fifo', 'tinylfu'] as const)(
  'a scan of ten times the cache leaves the hot set of %s alone',
  (eviction) => {
    const store = createStore(
      eviction,
      optionsForEntries(eviction, 2000, { keyBytes: 8, replyBytes: 16, seed: 3 }),
    );
    let scanned = 1000;
    let turn = 0;
    // A quarter of the cache is hot; the scan is three of four requests.
    const hot = (requests: number): number[] => Array.from({ length: requests }, () => (turn++ * 7) % 500);
    const hitsOfHot = (perScanned: number): number => {
      let hits = 0;
      for (let i = 0; i < 6000; i++) {
        hits += readThrough(store, hot(1), 16);
        readThrough(
          store,
          Array.from({ length: perScanned }, () => scanned++),
          16,
        );
      }
      return hits / 6000;
    };
    const before = hitsOfHot(0);
    expect(before).toBeGreaterThan(0.9);
    expect(hitsOfHot(4)).toBeGreaterThan(before - 0.05);
  },
);
