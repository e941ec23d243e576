import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { Policy } from '../../../src/policy/policy.ts';
import { type PolicyRules, PolicyTable } from '../../../src/policy/policy-table.ts';
import { RateLimiter, rateLimiterOf } from '../../../src/policy/rate-limiter.ts';

function rules(rateLimit: number): PolicyRules {
  return {
    isCached: true,
    maxTtlMs: 1,
    negativeTtlMs: 1,
    jitterPercent: 0,
    softTtlPercent: 100,
    isReread: true,
    staleWhileRevalidateMs: 0,
    lease: undefined,
    staleIfErrorMs: 0,
    whenAway: 'error',
    rateLimit,
  };
}

function tableOf(byDefault: number, ofA: number): PolicyTable {
  return new PolicyTable(rules(byDefault), [{ prefix: Buffer.from('a:'), rules: rules(ofA) }]);
}

function policyOf(limiter: RateLimiter, key: string): Policy | undefined {
  const bytes = Buffer.from(key);
  return limiter.policyOf(bytes, 0, bytes.length);
}

function take(limiter: RateLimiter, policy: Policy, now: number): boolean {
  const isOpen = limiter.isOpen(policy, now);
  if (isOpen) limiter.charge(policy);
  return isOpen;
}

describe('rateLimiterOf', () => {
  it('makes none where no policy has a limit', () => {
    expect(rateLimiterOf(tableOf(0, 0), {})).toBeUndefined();
    expect(rateLimiterOf(tableOf(0, 5), {})).toBeDefined();
    expect(rateLimiterOf(tableOf(5, 0), {})).toBeDefined();
  });
});

describe('RateLimiter', () => {
  it('limits the keys of the policies that say so, each by itself', () => {
    const limiter = new RateLimiter(tableOf(0, 2));
    expect(policyOf(limiter, 'b:1')).toBeUndefined();
    const policy = policyOf(limiter, 'a:1') as Policy;
    expect([1, 2, 3].map(() => take(limiter, policy, 1000))).toEqual([true, true, false]);
    const both = new RateLimiter(tableOf(1, 1));
    expect(take(both, policyOf(both, 'a:1') as Policy, 1000)).toBe(true);
    expect(take(both, policyOf(both, 'b:1') as Policy, 1000)).toBe(true);
    expect(take(both, policyOf(both, 'b:2') as Policy, 1000)).toBe(false);
  });

  it('counts what was refused by policy, those that have a limit from 0 on', () => {
    const refused = {};
    const limiter = new RateLimiter(tableOf(0, 2), refused);
    expect(refused).toEqual({ 'a:': 0 });
    limiter.refuse(policyOf(limiter, 'a:1') as Policy);
    expect(refused).toEqual({ 'a:': 1 });
  });

  it('makes those wait longer who were charged unasked', () => {
    const limiter = new RateLimiter(tableOf(10, 0));
    const policy = policyOf(limiter, 'k') as Policy;
    expect(limiter.isOpen(policy, 1000)).toBe(true);
    for (let i = 0; i < 20; i++) limiter.charge(policy);
    expect(limiter.isOpen(policy, 2000)).toBe(false);
    expect(limiter.isOpen(policy, 2101)).toBe(true);
  });

  it('lets through, in any time of T seconds, at most the rate times T and one second more, and no less than the rate', () => {
    const steps = fc.array(fc.double({ min: 0, max: 500, noNaN: true }), { minLength: 1, maxLength: 300 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 50 }), steps, (rate, passed) => {
        const limiter = new RateLimiter(tableOf(rate, 0));
        const policy = policyOf(limiter, 'k') as Policy;
        const taken: number[] = [];
        let now = 1000;
        for (const ms of passed) {
          now += ms;
          // More than there may be.
          for (let i = 0; i <= 2 * rate; i++) if (take(limiter, policy, now)) taken.push(now);
        }
        for (let from = 0; from < taken.length; from += 7) {
          const seconds = ((taken.at(-1) as number) - (taken[from] as number)) / 1000;
          expect(taken.length - from).toBeLessThanOrEqual(rate * (seconds + 1) + 1e-6);
        }
        // Of what the bucket was given not more than the one second that it holds was spilled at a time.
        if (passed.every((ms) => ms < 500)) {
          expect(taken.length).toBeGreaterThanOrEqual(Math.floor((rate * (now - 1000)) / 1000) - 1);
        }
      }),
      { numRuns: 60, interruptAfterTimeLimit: 3000, markInterruptAsFailure: false },
    );
  });
});
