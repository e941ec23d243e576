import { expect, test } from 'vitest';

import { quietest } from '../../../bench/others.ts';

test('the quietest rounds are those in which others used least', () => {
  const rounds = [0.3, 0.01, 0.2, 0.02].map((othersShare) => ({ othersShare }));
  expect(quietest(rounds, 2)).toEqual([{ othersShare: 0.01 }, { othersShare: 0.02 }]);
  expect(quietest(rounds, 9)).toHaveLength(4);
});
