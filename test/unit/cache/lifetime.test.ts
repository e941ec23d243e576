import { describe, expect, test } from 'vitest';

import { Flight } from '../../../src/cache/flight.ts';
import { setLifetime, wantsRefresh } from '../../../src/cache/lifetime.ts';
import { type EntryFacts, SAME } from '../../../src/cache/store.ts';
import { type PolicyRules, PolicyTable } from '../../../src/policy/policy-table.ts';
import { PLAIN_RULES, trackingGeneration } from '../../support/near-caches.ts';
import { idOf } from '../../support/store-entry.ts';

const SENT_AT = 1000;

function factsOf(change: Partial<EntryFacts> = {}): EntryFacts {
  return { form: SAME, filledAt: -1, deadline: -1, refreshAt: -1, loadMs: 0, policy: 0, ...change };
}

/** When an entry ends and is read again, in ms since its read was sent; undefined = not kept. */
function life(
  pttl: number,
  {
    rules = {},
    isNil = false,
    random = 0,
  }: { rules?: Partial<PolicyRules>; isNil?: boolean; random?: number } = {},
): { ends: number; refreshes: number } | undefined {
  const id = idOf('k');
  const policy = new PolicyTable({ ...PLAIN_RULES, ...rules }).of(id.bytes, id.keyStart, id.keyEnd);
  const flight = new Flight(id, 'k', {
    generation: trackingGeneration(),
    sentAt: SENT_AT,
    policy,
    maxTtlMs: policy.maxTtlMs,
  });
  flight.pttl = pttl;
  const facts = factsOf();
  if (!setLifetime(facts, flight, isNil, () => random)) return undefined;
  expect(facts.filledAt).toBe(SENT_AT);
  return { ends: facts.deadline - SENT_AT, refreshes: facts.refreshAt - SENT_AT };
}

const { maxTtlMs, negativeTtlMs } = PLAIN_RULES;

describe('how long an entry lives', () => {
  // One ms early, because PTTL rounds up.
  test.each([
    ['no expiry: the longest time allowed', -1, false, maxTtlMs - 1],
    ['an expiry: until then', 5000, false, 4999],
    ['an expiry at the longest time: until then', maxTtlMs, false, maxTtlMs - 1],
    ['an expiry beyond the longest time: the longest time', maxTtlMs + 1, false, maxTtlMs - 1],
    ['about to expire: kept when there are 10 ms left', 10, false, 9],
    ['about to expire: not kept with 9', 9, false, undefined],
    ['PTTL 0 is a living key about to expire', 0, false, undefined],
    ['no key: a short time', -2, false, negativeTtlMs - 1],
    ['nil of no key: a short time', -2, true, negativeTtlMs - 1],
    ['nil inside a key without expiry: a short time', -1, true, negativeTtlMs - 1],
    ['nil inside a key with an expiry: a short time', 5000, true, negativeTtlMs - 1],
    ['nil inside a key that expires sooner: a short time all the same', 500, true, negativeTtlMs - 1],
    ['nil inside a key about to expire: not kept', 9, true, undefined],
    ['a TTL that nobody could read: not kept', Number.NaN, false, undefined],
  ])('%s', (_, pttl, isNil, ends) => {
    expect(life(pttl, { isNil })?.ends).toBe(ends);
  });

  test('absence is not kept where that is switched off, and values are', () => {
    const rules = { negativeTtlMs: 0 };
    expect(life(-2, { rules, isNil: true })).toBeUndefined();
    expect(life(-1, { rules })).toBeDefined();
  });

  test('jitter shortens what ends by a limit of ours, by up to so much', () => {
    const rules = { maxTtlMs: 1000, jitterPercent: 20 };
    expect(life(-1, { rules, random: 0 })?.ends).toBe(999);
    expect(life(-1, { rules, random: 0.5 })?.ends).toBe(899);
    expect(life(-1, { rules, random: 0.999_999 })?.ends).toBeCloseTo(799, 2);
    expect(life(-2, { rules: { ...rules, negativeTtlMs: 100 }, random: 0.5, isNil: true })?.ends).toBe(89);
  });

  test('jitter leaves the expiry of a key as it is', () => {
    expect(life(500, { rules: { maxTtlMs: 1000, jitterPercent: 50 }, random: 0.9 })?.ends).toBe(499);
  });

  test('what a limit of ours has ended is served longer while it is read again, but never beyond its expiry', () => {
    const rules = { maxTtlMs: 1000, staleWhileRevalidateMs: 300 };
    expect(life(-1, { rules })).toEqual({ ends: 1299, refreshes: 1000 });
    expect(life(1200, { rules })).toEqual({ ends: 1199, refreshes: 1000 });
    expect(life(1000, { rules })).toEqual({ ends: 999, refreshes: Infinity });
  });
});

describe('when an entry is read again', () => {
  test('after the soft part of its life', () => {
    expect(life(-1, { rules: { maxTtlMs: 1000, softTtlPercent: 80 } })?.refreshes).toBe(800);
  });

  test('of a life that jitter has shortened', () => {
    const rules = { maxTtlMs: 1000, softTtlPercent: 80, jitterPercent: 20 };
    expect(life(-1, { rules, random: 0.5 })?.refreshes).toBe(720);
  });

  test('never, when its key ends first', () => {
    expect(life(900, { rules: { maxTtlMs: 1000, softTtlPercent: 50 } })?.refreshes).toBe(Infinity);
  });

  test('never, when that is switched off', () => {
    expect(life(-1, { rules: { softTtlPercent: 100 } })?.refreshes).toBe(Infinity);
  });

  test('absence, too', () => {
    const rules = { negativeTtlMs: 100, softTtlPercent: 80 };
    expect(life(-2, { rules, isNil: true })?.refreshes).toBe(80);
  });
});

describe('a hit asks for that', () => {
  const entry = factsOf({ refreshAt: 1000, loadMs: 10 });

  test('from the soft end on, however it is drawn', () => {
    for (const now of [1000, 1001, 5000]) {
      expect(wantsRefresh(entry, now, () => 0)).toBe(true);
      expect(wantsRefresh(entry, now, () => 0.999_999)).toBe(true);
    }
  });

  test('never, when there is none', () => {
    expect(wantsRefresh(factsOf({ refreshAt: Infinity, loadMs: 10 }), 1e9, () => 0.999_999)).toBe(false);
  });

  test('the likelier the nearer it is, as XFetch has it', () => {
    let seed = 1;
    const random = (): number => {
      seed = (seed * 48_271) % 2_147_483_647;
      return seed / 2_147_483_647;
    };
    // The chance at a distance of d load times is e^-d.
    for (const [distance, chance] of [
      [1, 0.3679],
      [2, 0.1353],
      [4, 0.0183],
    ] as const) {
      let drawn = 0;
      for (let i = 0; i < 20_000; i++) if (wantsRefresh(entry, 1000 - distance * 10, random)) drawn++;
      expect(Math.abs(drawn / 20_000 - chance)).toBeLessThan(0.02);
    }
  });

  test('not when it is many load times away', () => {
    expect(wantsRefresh(entry, 1000 - 161, () => 1 - 2 ** -53)).toBe(false);
    expect(wantsRefresh(entry, 1000 - 160, () => 1 - 2 ** -53)).toBe(true);
  });

  test('not before its time when its read took none', () => {
    expect(wantsRefresh(factsOf({ refreshAt: 1000 }), 999, () => 0.999_999)).toBe(false);
  });
});
