import * as fc from 'fast-check';
import { expect, test } from 'vitest';

import { CacheStats } from '../../src/cache/cache-stats.ts';
import type { Entry, EntryId } from '../../src/cache/entry.ts';
import type { Flight } from '../../src/cache/flight.ts';
import { Generation } from '../../src/cache/generation.ts';
import { NearCache } from '../../src/cache/near-cache.ts';

const KEYS = ['a', 'b', 'c', '\xff'];
const MAX_TTL_MS = 1000;
const NEGATIVE_TTL_MS = 100;

interface Value {
  reply: string;
  deadline: number;
  generation: Generation;
}

interface ModelFlight {
  flight: Flight;
  id: EntryId;
  sentAt: number;
  pttl: number;
  generation: Generation;
  mayFill: boolean;
}

/** What a near-cache is, without speed and without a limit: one Map. It keeps its own account of each rule of coherence
 *  spec §12, so that a rule which the cache forgets shows as a difference. */
class Model {
  readonly values = new Map<string, Value & { key: string }>();
  readonly closed = new Map<string, number>();
  closedAll = 0;
  flights: ModelFlight[] = [];

  isClosed(key: string): boolean {
    return this.closedAll > 0 || (this.closed.get(key) ?? 0) > 0;
  }

  revoke(key: string | undefined): void {
    for (const [name, value] of this.values)
      if (key === undefined || value.key === key) this.values.delete(name);
    for (const flight of this.flights) if (key === undefined || flight.id.key === key) flight.mayFill = false;
  }

  land(landing: ModelFlight, reply: string, isError: boolean, isNil: boolean): void {
    const { id, pttl, generation } = landing;
    const isNegative = isNil || pttl === -2;
    const lifeMs = Math.min(
      isNegative ? NEGATIVE_TTL_MS : MAX_TTL_MS,
      pttl < 0 ? Infinity : isNegative ? NEGATIVE_TTL_MS : pttl,
    );
    const tooShort = pttl >= 0 && pttl < 10;
    if (!landing.mayFill || !generation.isAlive || isError || tooShort || this.isClosed(id.key)) return;
    this.values.set(nameOf(id), { key: id.key, reply, deadline: landing.sentAt + lifeMs - 1, generation });
  }

  find(id: EntryId, generation: Generation, now: number): string | undefined {
    const value = this.values.get(nameOf(id));
    return value !== undefined && value.generation === generation && now < value.deadline
      ? value.reply
      : undefined;
  }
}

function nameOf(id: EntryId): string {
  return JSON.stringify([id.key, id.commandId, id.db, id.identity, id.rest]);
}

/** One run: the cache and its model side by side. */
class Run {
  readonly stats = new CacheStats();
  readonly cache: NearCache;
  readonly model = new Model();
  readonly isUnlimited: boolean;
  readonly maxBytes: number;
  generation = living();
  now = 0;
  replies = 0;
  /** Every entry that was ever found, with the reply that the model had for it then. */
  readonly found = new Map<Entry, Value>();

  constructor(maxBytes: number) {
    this.maxBytes = maxBytes;
    this.isUnlimited = maxBytes > 1_000_000;
    const times = { maxStalenessMs: Infinity, maxTtlMs: MAX_TTL_MS, negativeTtlMs: NEGATIVE_TTL_MS };
    this.cache = new NearCache({ ...times, maxBytes, maxItemBytes: 100_000 }, this.stats);
  }

  start(id: EntryId, pttl: number): void {
    const flight = this.cache.startFlight(id, this.generation, this.now, MAX_TTL_MS);
    flight.pttl = pttl;
    const { generation, now: sentAt } = this;
    this.model.flights.push({ flight, id, sentAt, pttl, generation, mayFill: true });
  }

  take(index: number): ModelFlight | undefined {
    const { flights } = this.model;
    return flights.splice(index % Math.max(1, flights.length), 1)[0];
  }

  land(index: number, size: number, kind: 'value' | 'nil' | 'error'): void {
    const landing = this.take(index);
    if (landing === undefined) return;
    const reply = `+${this.replies++}${'.'.repeat(size)}\r\n`;
    this.cache.land(landing.flight, Buffer.from(reply), kind === 'error', kind === 'nil');
    this.model.land(landing, reply, kind === 'error', kind === 'nil');
  }

  check(): void {
    this.checkFound();
    const { model, cache, stats } = this;
    let bytes = 0;
    for (const id of ids) {
      const entry = cache.find(id, this.generation, this.now);
      const truth = model.find(id, this.generation, this.now);
      // With a limit an entry may be gone at any time, but what is there is what the model has.
      if (entry !== undefined || this.isUnlimited) expect(entry?.reply.toString()).toBe(truth);
      if (entry !== undefined) this.found.set(entry, model.values.get(nameOf(id)) as Value);
      bytes += entry?.bytes ?? 0;
    }
    for (const key of KEYS) expect(cache.isClosed(key)).toBe(model.isClosed(key));
    expect(bytes).toBeLessThanOrEqual(stats.bytes);
    expect(stats.bytes).toBeLessThanOrEqual(this.maxBytes);
    const alive = [...model.values.values()].filter(({ deadline }) => this.now < deadline);
    if (this.isUnlimited) expect(stats.entries).toBe(alive.length);
    else expect(stats.entries).toBeLessThanOrEqual(alive.length);
  }

  /** An entry found earlier may be served for as long as the model still has that very value: one that was revoked never
   *  comes back. */
  checkFound(): void {
    for (const [entry, value] of this.found) {
      const isHeld = this.model.values.get(nameOf(entry.id)) === value && value.generation.isAlive;
      const mayServe = isHeld && this.now < value.deadline;
      if (this.isUnlimited || !mayServe) expect(this.cache.mayServe(entry, this.now)).toBe(mayServe);
    }
  }
}

function living(): Generation {
  const generation = new Generation();
  generation.isTracking = true;
  return generation;
}

const variants: readonly Partial<EntryId>[] = [
  {},
  { db: 1 },
  { commandId: 2 },
  { identity: 1 },
  { rest: 'x' },
];
const ids: EntryId[] = KEYS.flatMap((key) =>
  variants.map((variant) => ({ key, commandId: 1, db: 0, identity: 0, rest: '', ...variant })),
);

type Step = (run: Run) => void;

const key: fc.Arbitrary<string> = fc.constantFrom(...KEYS);
const steps: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ id: fc.constantFrom(...ids), pttl: fc.constantFrom(-1, -1, -2, 5, 50, 5000) }).map(
      ({ id, pttl }): Step =>
        (run) =>
          run.start(id, pttl),
    ),
  },
  {
    weight: 4,
    arbitrary: fc
      .record({
        index: fc.nat(20),
        size: fc.nat(3000),
        kind: fc.constantFrom('value' as const, 'value' as const, 'nil' as const, 'error' as const),
      })
      .map(
        ({ index, size, kind }): Step =>
          (run) =>
            run.land(index, size, kind),
      ),
  },
  fc.nat(20).map(
    (index): Step =>
      (run) => {
        const landing = run.take(index);
        if (landing !== undefined) run.cache.abandon(landing.flight);
      },
  ),
  key.map(
    (name): Step =>
      (run) => {
        run.cache.revoke(name);
        run.model.revoke(name);
      },
  ),
  key.map(
    (name): Step =>
      (run) => {
        run.cache.close(name);
        run.model.revoke(name);
        run.model.closed.set(name, (run.model.closed.get(name) ?? 0) + 1);
      },
  ),
  key.map(
    (name): Step =>
      (run) => {
        const count = run.model.closed.get(name) ?? 0;
        if (count === 0) return;
        run.cache.open(name);
        run.model.revoke(name);
        run.model.closed.set(name, count - 1);
      },
  ),
  fc.constant<Step>((run) => {
    run.cache.flush();
    run.model.revoke(undefined);
  }),
  fc.constant<Step>((run) => {
    run.cache.closeAll();
    run.model.revoke(undefined);
    run.model.closedAll++;
  }),
  fc.constant<Step>((run) => {
    if (run.model.closedAll === 0) return;
    run.cache.openAll();
    run.model.revoke(undefined);
    run.model.closedAll--;
  }),
  fc.constant<Step>((run) => {
    run.generation.isAlive = false;
    run.generation = living();
    run.cache.dropDead();
    for (const [name, value] of run.model.values)
      if (!value.generation.isAlive) run.model.values.delete(name);
  }),
  fc.constantFrom(1, 40, 99, 300, 1000).map(
    (ms): Step =>
      (run) => {
        run.now += ms;
      },
  ),
);

function behaves(maxBytes: number): void {
  fc.assert(
    fc.property(fc.array(steps, { maxLength: 80, size: 'max' }), (all) => {
      const run = new Run(maxBytes);
      for (const step of all) {
        step(run);
        run.check();
      }
    }),
    { numRuns: 300 },
  );
}

test('without a limit the near-cache is a Map that obeys the rules of coherence', () => {
  behaves(100_000_000);
});

test.each([3000, 8000])(
  'with %i bytes it holds no more than that, and nothing that the Map does not hold',
  (bytes) => {
    behaves(bytes);
  },
);
