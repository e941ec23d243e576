import { expect, test } from 'vitest';

import { digits, duration, moment, shortCount } from '../../../../src/drill/report/quantity.ts';

test('numbers keep about three digits, without zeros at the end', () => {
  expect([0, 0.0421, 0.5, 1.25, 4.2, 38.44, 100, 5120, 1_240_112].map(digits)).toEqual([
    '0',
    '0.042',
    '0.5',
    '1.25',
    '4.2',
    '38.4',
    '100',
    '5,120',
    '1,240,112',
  ]);
});

test('counts beside an axis are short', () => {
  expect([0, 0.5, 500, 1000, 1500, 20_000, 2_000_000].map(shortCount)).toEqual([
    '0',
    '0.5',
    '500',
    '1 k',
    '1.5 k',
    '20 k',
    '2 M',
  ]);
});

test('durations have the unit that fits', () => {
  expect([0.05, 1, 500, 1000, 5100].map(duration)).toEqual(['0.05 ms', '1 ms', '500 ms', '1 s', '5.1 s']);
});

test('moments of a long drill are in minutes', () => {
  expect([0, 90].map((seconds) => moment(seconds, 100))).toEqual(['0 s', '90 s']);
  expect([0, 90, 605].map((seconds) => moment(seconds, 3600))).toEqual(['0:00', '1:30', '10:05']);
});
