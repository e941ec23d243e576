import { availableParallelism } from 'node:os';
import { expect, test } from 'vitest';

import { quietest, watchOthers } from '../../../bench/others.ts';

test('the quietest rounds are those in which others used least', () => {
  const rounds = [0.3, 0.01, 0.2, 0.02].map((othersShare) => ({ othersShare }));
  expect(quietest(rounds, 2)).toEqual([{ othersShare: 0.01 }, { othersShare: 0.02 }]);
  expect(quietest(rounds, 9)).toHaveLength(4);
});

test("this process's own work is not taken for that of others", () => {
  // Other programs may run meanwhile, so the quietest of a few tries counts; its own work would be a core in every one.
  const shares = Array.from({ length: 5 }, () => {
    const others = watchOthers([]);
    const start = performance.now();
    while (performance.now() - start < 200) JSON.stringify(process.versions);
    return others();
  });
  expect(Math.min(...shares) * availableParallelism()).toBeLessThan(0.9);
});
