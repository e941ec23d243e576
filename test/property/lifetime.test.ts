import * as fc from 'fast-check';
import { expect, test } from 'vitest';

import { Flight } from '../../src/cache/flight.ts';
import { setLifetime, wantsRefresh } from '../../src/cache/lifetime.ts';
import { type EntryFacts, SAME } from '../../src/cache/store.ts';
import { type PolicyRules, PolicyTable } from '../../src/policy/policy-table.ts';
import { trackingGeneration } from '../support/near-caches.ts';
import { idOf } from '../support/store-entry.ts';

const someRules: fc.Arbitrary<PolicyRules> = fc.record({
  isCached: fc.constant(true),
  maxTtlMs: fc.integer({ min: 100, max: 100_000 }),
  negativeTtlMs: fc.integer({ min: 0, max: 10_000 }),
  jitterPercent: fc.integer({ min: 0, max: 50 }),
  softTtlPercent: fc.integer({ min: 1, max: 100 }),
  isReread: fc.constant(true),
  staleWhileRevalidateMs: fc.integer({ min: 0, max: 10_000 }),
  lease: fc.constant(undefined),
  staleIfErrorMs: fc.constant(0),
  whenAway: fc.constant('error'),
  rateLimit: fc.constant(0),
});
const someChance: fc.Arbitrary<number> = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
const someLanding = fc.record({
  rules: someRules,
  pttl: fc.oneof(fc.constantFrom(-1, -2, Number.NaN), fc.integer({ min: 0, max: 200_000 })),
  isNil: fc.boolean(),
  ownMaxMs: fc.integer({ min: 1, max: 200_000 }),
  sentAt: fc.double({ min: 0, max: 1e9, noNaN: true }),
  chance: someChance,
});
type SomeLanding = typeof someLanding extends fc.Arbitrary<infer T> ? T : never;

function lifeOf({ rules, pttl, isNil, ownMaxMs, sentAt, chance }: SomeLanding): EntryFacts | undefined {
  const id = idOf('k');
  const policy = new PolicyTable(rules).of(id.bytes, id.keyStart, id.keyEnd);
  const flight = new Flight(id, 'k', {
    generation: trackingGeneration(),
    sentAt,
    policy,
    maxTtlMs: ownMaxMs,
  });
  flight.pttl = pttl;
  const facts: EntryFacts = { form: SAME, filledAt: 0, deadline: 0, refreshAt: 0, loadMs: 0, policy: 0 };
  return setLifetime(facts, flight, isNil, () => chance) ? facts : undefined;
}

test('no value outlives its expiry in Redis, and nothing outlives our own limits', () => {
  fc.assert(
    fc.property(someLanding, (landing) => {
      const facts = lifeOf(landing);
      if (facts === undefined) return;
      const { rules, pttl, isNil, ownMaxMs, sentAt } = landing;
      const isMissing = isNil || pttl === -2;
      if (pttl >= 0 && !isMissing) expect(facts.deadline).toBeLessThan(sentAt + pttl);
      const capMs = Math.min(rules.maxTtlMs, ownMaxMs, isMissing ? rules.negativeTtlMs : Infinity);
      expect(facts.deadline).toBeLessThan(sentAt + capMs + rules.staleWhileRevalidateMs);
      // Jitter takes no more than it may, and no key's own expiry is shortened.
      const leastMs = Math.min(
        capMs * (1 - rules.jitterPercent / 100),
        pttl >= 0 && !isMissing ? pttl : Infinity,
      );
      expect(facts.deadline).toBeGreaterThanOrEqual(sentAt + leastMs - 1.001);
      expect(facts.filledAt).toBe(sentAt);
    }),
    { numRuns: 3000 },
  );
});

test('what was readable and has time left is kept, and nothing else', () => {
  fc.assert(
    fc.property(someLanding, (landing) => {
      const { rules, pttl, isNil } = landing;
      const isReadable = pttl < 0 || pttl >= 10;
      const isForbidden = (isNil || pttl === -2) && rules.negativeTtlMs === 0;
      expect(lifeOf(landing) !== undefined).toBe(isReadable && !isForbidden);
    }),
    { numRuns: 3000 },
  );
});

test('an entry that is to be read again is so before its end, unless its key ends first', () => {
  fc.assert(
    fc.property(someLanding, (landing) => {
      const facts = lifeOf(landing);
      if (facts === undefined || facts.refreshAt === Infinity) return;
      const { rules, pttl } = landing;
      expect(facts.refreshAt).toBeGreaterThanOrEqual(landing.sentAt);
      if (pttl >= 0) return;
      const limit =
        rules.softTtlPercent < 100 ? facts.deadline - rules.staleWhileRevalidateMs + 1 : facts.deadline;
      // Lives of a few ms are not worth the rounding.
      expect(facts.refreshAt).toBeLessThanOrEqual(limit + 1);
    }),
    { numRuns: 3000 },
  );
});

test('a hit is the likelier to have its entry read again, the later it is and the longer the read took', () => {
  const entry = fc.record({
    refreshAt: fc.integer({ min: 0, max: 10_000 }),
    loadMs: fc.integer({ min: 0, max: 100 }),
    now: fc.integer({ min: 0, max: 20_000 }),
    chance: someChance,
    more: fc.integer({ min: 0, max: 100 }),
  });
  fc.assert(
    fc.property(entry, ({ refreshAt, loadMs, now, chance, more }) => {
      const facts: EntryFacts = { form: SAME, filledAt: 0, deadline: 1e9, refreshAt, loadMs, policy: 0 };
      const draw = (): number => chance;
      if (now >= refreshAt) expect(wantsRefresh(facts, now, draw)).toBe(true);
      if (!wantsRefresh(facts, now, draw)) return;
      expect(wantsRefresh(facts, now + more, draw)).toBe(true);
      expect(wantsRefresh({ ...facts, loadMs: loadMs + more }, now, draw)).toBe(true);
    }),
    { numRuns: 3000 },
  );
});
