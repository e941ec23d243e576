import { describe, expect, it } from 'vitest';

import { RetryBudget } from '../../../src/shard/retry-budget.ts';

function spend(budget: RetryBudget, commands: number): number {
  let granted = 0;
  while (budget.take(commands)) granted++;
  return granted;
}

describe('A budget of retries', () => {
  it('grants a part of what was sent, beside a small reserve', () => {
    expect(spend(new RetryBudget(10), 1000)).toBe(110);
  });

  it('is earned anew by new commands only', () => {
    const budget = new RetryBudget(10);
    spend(budget, 1000);
    expect(spend(budget, 1000)).toBe(0);
    expect(spend(budget, 1500)).toBe(50);
    expect(budget.retries).toBe(160);
  });

  it('grants nothing when it is switched off', () => {
    expect(spend(new RetryBudget(0), 1_000_000)).toBe(0);
  });
});
