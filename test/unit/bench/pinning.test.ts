import { expect, test } from 'vitest';

import { parseCoreList } from '../../../bench/pinning.ts';

test('a list of cores is read with its ranges', () => {
  expect(parseCoreList('0-2,5')).toEqual([0, 1, 2, 5]);
  expect(parseCoreList('3')).toEqual([3]);
  expect(parseCoreList('')).toEqual([]);
});
