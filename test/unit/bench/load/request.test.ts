import { expect, test } from 'vitest';

import { buildBatches, expectedReply, keyNames } from '../../../../bench/load/request.ts';

test('keys are those that redis-benchmark uses', () => {
  expect(keyNames(1)).toEqual(['key:__rand_int__']);
  expect(keyNames(2)).toEqual(['key:000000000000', 'key:000000000001']);
});

test('a batch holds as many whole requests as the pipeline is deep', () => {
  const [batch] = buildBatches('get', ['k'], 64, 2);
  expect(batch?.bytes.toString()).toBe('*2\r\n$3\r\nGET\r\n$1\r\nk\r\n'.repeat(2));
  expect(batch?.requests).toBe(2);
});

test('batches walk over all keys', () => {
  const text = buildBatches('set', keyNames(10), 3, 4)
    .map(({ bytes }) => bytes.toString())
    .join('');
  for (const key of keyNames(10)) expect(text).toContain(key);
  expect(text).toContain('\r\n$3\r\nxxx\r\n');
});

test('the expected reply is the value that was written', () => {
  expect(expectedReply('get', 3).toString()).toBe('$3\r\nxxx\r\n');
  expect(expectedReply('set', 3).toString()).toBe('+OK\r\n');
});
