import { describe, expect, it } from 'vitest';

import { parseInteger } from '../../../src/protocol/request-line.ts';

function parse(text: string): number {
  return parseInteger(Buffer.from(`x${text}x`), 1, 1 + text.length);
}

describe('parseInteger', () => {
  it.each([
    ['0', 0],
    ['1', 1],
    ['-1', -1],
    ['10', 10],
    ['2147483647', 2_147_483_647],
    ['9007199254740991', Number.MAX_SAFE_INTEGER],
    ['9223372036854775807', 2 ** 63],
    ['-9223372036854775808', -(2 ** 63)],
  ])('reads %s', (text, value) => {
    expect(parse(text)).toBeCloseTo(value, -4);
  });

  it.each([
    '',
    '-',
    '-0',
    '00',
    '01',
    '-01',
    '+1',
    ' 1',
    '1 ',
    '1a',
    '--1',
    '1-',
    '9223372036854775808',
    '-9223372036854775809',
    '9999999999999999999',
    '10000000000000000000',
  ])('refuses %j as Redis does', (text) => {
    expect(parse(text)).toBeNaN();
  });
});
