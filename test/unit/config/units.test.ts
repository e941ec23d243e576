import { describe, expect, test } from 'vitest';
import { parseDuration, parseSize, printDuration, printSize } from '../../../src/config/units.ts';

describe('durations', () => {
  test.each([
    ['0', 0],
    ['250', 250],
    ['1000ms', 1000],
    ['5s', 5000],
    ['2m', 120_000],
    ['1H', 3_600_000],
  ])('%s is %d ms', (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });

  test.each(['', 's', '1.5s', '-1', '1d', '1 s', '9007199254740993s'])('"%s" is not one', (text) => {
    expect(parseDuration(text)).toBeUndefined();
  });

  test('printing takes the largest unit that divides evenly', () => {
    expect([0, 999, 1000, 90_000, 3_600_000].map(printDuration)).toEqual(['0', '999ms', '1s', '90s', '1h']);
  });
});

describe('sizes', () => {
  test.each([
    ['0', 0],
    ['7b', 7],
    ['512kb', 524_288],
    ['64MB', 67_108_864],
    ['1gb', 1_073_741_824],
  ])('%s is %d bytes', (text, bytes) => {
    expect(parseSize(text)).toBe(bytes);
  });

  test.each(['', 'mb', '64mib', '1k', '1.5mb', '1tb'])('"%s" is not one', (text) => {
    expect(parseSize(text)).toBeUndefined();
  });

  test('printing takes the largest unit that divides evenly', () => {
    expect([0, 1023, 1024, 1_572_864].map(printSize)).toEqual(['0', '1023b', '1kb', '1536kb']);
  });
});
