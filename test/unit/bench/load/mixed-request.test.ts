import { expect, test } from 'vitest';

import { keyedRequests, keyedValue } from '../../../../bench/load/mixed-request.ts';

test('a value carries its key and has the size that is asked for', () => {
  expect(keyedValue('k1', 5)).toBe('k1:xx');
  expect(keyedValue('k2', 5)).not.toBe(keyedValue('k1', 5));
  expect(keyedValue('long-key', 3)).toBe('lon');
});

test('a read expects what the write of the same key writes', () => {
  const { get, set, got } = keyedRequests('k1', 5);
  expect(get.toString()).toBe('*2\r\n$3\r\nGET\r\n$2\r\nk1\r\n');
  expect(set.toString()).toBe('*3\r\n$3\r\nSET\r\n$2\r\nk1\r\n$5\r\nk1:xx\r\n');
  expect(got.toString()).toBe('$5\r\nk1:xx\r\n');
});
