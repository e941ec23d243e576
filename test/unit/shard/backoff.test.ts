import { describe, expect, it } from 'vitest';

import { Backoff } from '../../../src/shard/backoff.ts';

function delays(backoff: Backoff, count: number): number[] {
  return Array.from({ length: count }, () => backoff.nextMs());
}

describe('Backoff', () => {
  it('doubles its ceiling up to the maximum', () => {
    const highest = 1 - Number.EPSILON;
    const backoff = new Backoff(50, 1000, () => highest);
    expect(delays(backoff, 7).map(Math.round)).toEqual([50, 100, 200, 400, 800, 1000, 1000]);
  });

  it('draws from the whole range below the ceiling, and never waits nothing', () => {
    expect(delays(new Backoff(50, 1000, () => 0), 3)).toEqual([1, 1, 1]);
    expect(delays(new Backoff(51, 1000, () => 0.5), 1)).toEqual([26]);
  });

  it('starts again after a success', () => {
    const backoff = new Backoff(50, 1000, () => 0.5);
    const first = delays(backoff, 3);
    backoff.reset();
    expect(delays(backoff, 3)).toEqual(first);
  });

  it('stays within its maximum after any number of failures', () => {
    const backoff = new Backoff(50, 2000, () => 0.999_999);
    expect(Math.max(...delays(backoff, 5000))).toBeLessThanOrEqual(2000);
  });

  it('begins no higher than its maximum', () => {
    expect(new Backoff(500, 100, () => 0.999_999).nextMs()).toBeLessThanOrEqual(100);
  });
});
