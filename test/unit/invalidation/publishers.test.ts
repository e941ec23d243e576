import { beforeEach, expect, test } from 'vitest';

import { Publishers } from '../../../src/invalidation/publishers.ts';

let publishers: Publishers;

beforeEach(() => {
  publishers = new Publishers();
});

function missed(
  seq: number,
  more: { id?: string; isReset?: boolean; scope?: string } = {},
): string | undefined {
  return publishers.missedBefore({ id: 'p', isReset: false, scope: '', seq, ...more });
}

test('nothing is missing while a publisher counts, from whatever it begins with', () => {
  expect([7, 8, 9].map((seq) => missed(seq))).toEqual([undefined, undefined, undefined]);
});

test('the same message again is no gap', () => {
  expect([7, 7, 8].map((seq) => missed(seq))).toEqual([undefined, undefined, undefined]);
});

test.each([
  ['a number that is left out', 9],
  ['a number that goes back', 6],
])('%s may have named anything, and counting goes on from there', (_, seq) => {
  missed(7);
  expect(missed(seq)).toBe('');
  expect(missed(seq + 1)).toBeUndefined();
});

test('only what begins with the scope is doubted of a publisher that has one', () => {
  missed(1, { scope: 'user:' });
  expect(missed(3, { scope: 'user:' })).toBe('user:');
});

test('anything is doubted of a publisher whose scope changes', () => {
  missed(1, { scope: 'user:' });
  expect(missed(2, { scope: 'order:' })).toBe('');
});

test('a publisher may say that it counts anew', () => {
  missed(7);
  expect(missed(0, { isReset: true })).toBeUndefined();
  expect(missed(1)).toBeUndefined();
  expect(missed(3)).toBe('');
});

test('publishers count apart', () => {
  missed(1, { id: 'a' });
  missed(5, { id: 'b' });
  expect([missed(2, { id: 'a' }), missed(6, { id: 'b' }), missed(4, { id: 'a' })]).toEqual([
    undefined,
    undefined,
    '',
  ]);
});

test('of more publishers than can be remembered, those that are not known any more are doubted', () => {
  for (let i = 0; i < 4096; i++) expect(missed(1, { id: `p${i}` })).toBeUndefined();
  expect(missed(1, { id: 'one too many', scope: 's' })).toBe('s');
  expect(missed(2, { id: 'p0' })).toBe('');
  expect(missed(2, { id: 'p4095' })).toBeUndefined();
});
