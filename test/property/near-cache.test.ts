import * as fc from 'fast-check';
import { expect, test } from 'vitest';

import type { Flight } from '../../src/cache/flight.ts';
import type { Generation } from '../../src/cache/generation.ts';
import type { NearCache } from '../../src/cache/near-cache.ts';
import { type EntryId, RESP2_ONLY, RESP3_ONLY, SAME } from '../../src/cache/store.ts';
import { cachedReply, nearCacheOf, trackingGeneration } from '../support/near-caches.ts';
import { idOf } from '../support/store-entry.ts';

const KEYS = ['a', 'b', 'c', '\xff'];
const MAX_TTL_MS = 1000;
const NEGATIVE_TTL_MS = 100;

interface Variant {
  key: string;
  change: Parameters<typeof idOf>[1];
}

interface Value {
  key: string;
  db: number;
  fence: number;
  reply: string;
  deadline: number;
  /** Only sessions of RESP3 get it as it is. */
  isRich: boolean;
  resp2: string | undefined;
}

interface ModelFlight {
  flight: Flight;
  variant: Variant;
  sentAt: number;
  pttl: number;
  generation: Generation;
  mayFill: boolean;
}

/** What a near-cache is, without speed and without a limit: one Map. It keeps its own account of each rule of coherence
 *  spec §12, so that a rule which the cache forgets shows as a difference. */
class Model {
  readonly values = new Map<string, Value>();
  readonly closed = new Map<string, number>();
  closedAll = 0;
  flights: ModelFlight[] = [];

  isClosed(key: string): boolean {
    return this.closedAll > 0 || (this.closed.get(key) ?? 0) > 0;
  }

  revoke(key: string | undefined): void {
    for (const [name, value] of this.values)
      if (key === undefined || value.key === key) this.values.delete(name);
    for (const flight of this.flights)
      if (key === undefined || flight.variant.key === key) flight.mayFill = false;
  }

  land(landing: ModelFlight, reply: string, kind: Kind): void {
    const { variant, pttl, generation, sentAt } = landing;
    const isNegative = kind === 'nil' || pttl === -2;
    const capMs = isNegative ? NEGATIVE_TTL_MS : MAX_TTL_MS;
    const lifeMs = pttl < 0 || isNegative ? capMs : Math.min(capMs, pttl);
    const tooShort = pttl >= 0 && pttl < 10;
    if (!landing.mayFill || kind === 'error') return;
    if (!generation.isAlive || tooShort || this.isClosed(variant.key)) {
      this.#forget(({ key }) => key === variant.key);
      return;
    }
    const [db, { fence }] = [variant.change?.db ?? 0, generation];
    this.#forget((kept) => kept.key === variant.key && kept.db === db && kept.fence !== fence);
    const value = {
      db,
      fence,
      key: variant.key,
      reply,
      deadline: sentAt + lifeMs - 1,
      isRich: kind === 'rich',
      resp2: undefined,
    };
    this.values.set(nameOf(variant, generation), value);
  }

  #forget(test: (value: Value) => boolean): void {
    for (const [name, value] of this.values) if (test(value)) this.values.delete(name);
  }

  find(variant: Variant, generation: Generation, now: number): Value | undefined {
    const value = this.values.get(nameOf(variant, generation));
    return value !== undefined && now < value.deadline ? value : undefined;
  }
}

type Kind = 'value' | 'rich' | 'nil' | 'error';

function nameOf({ key, change }: Variant, generation: Generation): string {
  return JSON.stringify([key, change, generation.fence]);
}

/** One run: the cache and its model side by side. */
class Run {
  readonly cache: NearCache = nearCacheOf({
    rules: { maxTtlMs: MAX_TTL_MS, negativeTtlMs: NEGATIVE_TTL_MS },
    maxStalenessMs: Infinity,
  });
  readonly model = new Model();
  generation: Generation = trackingGeneration();
  now = 0;
  replies = 0;

  id({ key, change }: Variant): EntryId {
    return idOf(key, { ...change, fence: this.generation.fence });
  }

  start(variant: Variant, pttl: number): void {
    const id = this.id(variant);
    const { generation, now: sentAt } = this;
    const policy = this.cache.policies.of(id.bytes, id.keyStart, id.keyEnd);
    const flight = this.cache.startFlight(id, variant.key, {
      generation,
      sentAt,
      policy,
      maxTtlMs: MAX_TTL_MS,
    });
    flight.pttl = pttl;
    flight.read = { id: flight.id, sentAt, isOpen: true, isJoined: false };
    this.model.flights.push({ flight, variant, sentAt, pttl, generation, mayFill: true });
  }

  take(index: number): ModelFlight | undefined {
    const { flights } = this.model;
    return flights.splice(index % Math.max(1, flights.length), 1)[0];
  }

  land(index: number, size: number, kind: Kind): void {
    const landing = this.take(index);
    if (landing === undefined) return;
    const reply = Buffer.from(`+${this.replies++}${'.'.repeat(size)}\r\n`);
    const form = kind === 'rich' ? RESP3_ONLY : SAME;
    const facts = { isError: kind === 'error', isNil: kind === 'nil', form, now: this.now } as const;
    this.cache.land(landing.flight, reply, 0, reply.length, facts);
    this.model.land(landing, reply.toString(), kind);
  }

  /** A session of RESP2 asks, and what it gets is kept beside. */
  convert(variant: Variant): void {
    const { cache, model, now } = this;
    const id = this.id(variant);
    const value = model.find(variant, this.generation, now);
    if (value?.isRich !== true || value.resp2 !== undefined || !cache.find(id, 3, now)) return;
    value.resp2 = `+2 of ${value.reply}`;
    const bytes = Buffer.from(value.resp2);
    cache.store.insert(id, bytes, 0, bytes.length, { ...cache.store.found, form: RESP2_ONLY });
  }

  check(): void {
    const { model, cache, now } = this;
    for (const variant of variants) {
      const value = model.find(variant, this.generation, now);
      expect(cachedReply(cache, this.id(variant), now, 3)).toBe(value?.reply);
      const inResp2 = value?.isRich === true ? value.resp2 : value?.reply;
      expect(cachedReply(cache, this.id(variant), now, 2)).toBe(inResp2);
    }
    for (const key of KEYS) expect(cache.isClosed(key)).toBe(model.isClosed(key));
    this.#checkJoins();
  }

  /** Others may join the newest read of the same that may still fill, and no other. */
  #checkJoins(): void {
    for (const variant of variants) {
      const name = nameOf(variant, this.generation);
      const open = this.model.flights.filter(
        (each) => each.mayFill && nameOf(each.variant, each.generation) === name,
      );
      const newest = Math.max(...open.map(({ sentAt }) => sentAt));
      const read = this.cache.findRead(variant.key, this.id(variant), this.now);
      expect(read?.sentAt).toBe(open.length === 0 ? undefined : newest);
      expect(open.length === 0 || open.some(({ flight }) => flight.read === read)).toBe(true);
    }
  }
}

const variants: readonly Variant[] = KEYS.flatMap((key) =>
  [{}, { db: 1 }, { commandId: 2 }, { args: 'x' }].map((change) => ({ key, change })),
);

type Step = (run: Run) => void;

const someKey: fc.Arbitrary<string> = fc.constantFrom(...KEYS);
const someVariant: fc.Arbitrary<Variant> = fc.constantFrom(...variants);

const reads: fc.Arbitrary<Step> = fc
  .record({ variant: someVariant, pttl: fc.constantFrom(-1, -1, -2, 5, 50, 5000) })
  .map(
    ({ variant, pttl }): Step =>
      (run) =>
        run.start(variant, pttl),
  );

const landings: fc.Arbitrary<Step> = fc
  .record({
    index: fc.nat(20),
    size: fc.nat(3000),
    kind: fc.constantFrom<Kind>('value', 'value', 'rich', 'nil', 'error'),
  })
  .map(
    ({ index, size, kind }): Step =>
      (run) =>
        run.land(index, size, kind),
  );

const steps: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: reads },
  { weight: 4, arbitrary: landings },
  fc.nat(20).map(
    (index): Step =>
      (run) => {
        const landing = run.take(index);
        if (landing !== undefined) run.cache.abandon(landing.flight);
      },
  ),
  someVariant.map(
    (variant): Step =>
      (run) =>
        run.convert(variant),
  ),
  someKey.map(
    (name): Step =>
      (run) => {
        run.cache.revoke(name);
        run.model.revoke(name);
      },
  ),
  someKey.map(
    (name): Step =>
      (run) => {
        run.cache.close(name);
        run.model.revoke(name);
        run.model.closed.set(name, (run.model.closed.get(name) ?? 0) + 1);
      },
  ),
  someKey.map(
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
    run.generation = trackingGeneration();
    run.cache.dropExcept(new Set());
    run.model.values.clear();
  }),
  fc.constantFrom(1, 40, 99, 300, 1000).map(
    (ms): Step =>
      (run) => {
        run.now += ms;
      },
  ),
);

test('the near-cache is a Map that obeys the rules of coherence, as long as everything fits', () => {
  fc.assert(
    fc.property(fc.array(steps, { maxLength: 80, size: 'max' }), (all) => {
      const run = new Run();
      for (const step of all) {
        step(run);
        run.check();
      }
      expect(run.cache.store.stats.evicted).toBe(0);
    }),
    { numRuns: 150 },
  );
});
