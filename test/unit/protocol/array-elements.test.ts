import { expect, test } from 'vitest';

import { elementEnds } from '../../../src/protocol/array-elements.ts';

test.each<[string, number, number[]]>([
  ['*0\r\n', 0, [4]],
  ['*1\r\n$1\r\na\r\n', 1, [4, 11]],
  ['*3\r\n$1\r\na\r\n_\r\n$0\r\n\r\n', 3, [4, 11, 14, 20]],
  ['*1\r\n$-1\r\n', 1, [4, 9]],
  ['*1\r\n$6\r\n$1\r\nx\n\r\n', 1, [4, 16]],
])('%j has its elements at these places', (frame, count, ends) => {
  expect(elementEnds(Buffer.from(frame, 'latin1'), count)).toEqual(ends);
});

test.each<[string, number]>([
  ['*1\r\n$1\r\na\r\n', 2],
  ['*2\r\n$1\r\na\r\n$1\r\nb\r\n', 1],
  ['*1\r\n:1\r\n', 1],
  ['*1\r\n*0\r\n', 1],
  ['*1\r\n-ERR\r\n', 1],
  ['*-1\r\n', 0],
  ['*1\r\n', 1],
  ['*1\r\n$5\r\na\r\n', 1],
  ['*1\r\n$1\r\na\r\n_\r\n', 1],
])('%j is no array of %i bulk strings', (frame, count) => {
  expect(elementEnds(Buffer.from(frame, 'latin1'), count)).toBeUndefined();
});
