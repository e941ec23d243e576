import { describe, expect, it } from 'vitest';

import { OutcomeWindow } from '../../../src/shard/outcome-window.ts';

describe('A window of outcomes', () => {
  it('sums what was counted in all of its buckets', () => {
    const window = new OutcomeWindow(1000, 0);
    for (let now = 0; now < 1000; now += 50) {
      window.turn(now);
      window.commands += 2;
      window.failed += 1;
    }
    expect(window.sums).toEqual({ commands: 40, failed: 20, slow: 0 });
  });

  it('forgets a bucket when the window is over', () => {
    const window = new OutcomeWindow(1000, 0);
    window.failed = 5;
    for (let now = 100; now <= 900; now += 100) window.turn(now);
    expect(window.sums.failed).toBe(5);
    window.turn(1000);
    expect(window.sums.failed).toBe(0);
  });

  it('forgets everything when nobody looked for longer than it is', () => {
    const window = new OutcomeWindow(1000, 0);
    window.failed = 5;
    window.turn(1500);
    expect(window.sums).toEqual({ commands: 0, failed: 0, slow: 0 });
  });
});
