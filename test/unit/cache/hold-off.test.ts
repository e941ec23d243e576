import { beforeEach, expect, test } from 'vitest';

import { HoldOff } from '../../../src/cache/hold-off.ts';
import { KeyPattern } from '../../../src/cache/key-pattern.ts';
import { ManualClock } from '../../support/manual-clock.ts';

const H = 100;

let clock: ManualClock;
let holdOff: HoldOff;

beforeEach(() => {
  clock = new ManualClock();
  holdOff = new HoldOff(H, clock);
});

test.each([0, 1, 50, 99, 100, 101, 150, 250, 1000])(
  'a key that is named %i ms after another is held for the hold-off, and not for more than twice that',
  (laterMs) => {
    holdOff.hold(['first']);
    clock.advance(laterMs);
    holdOff.hold(['k']);
    for (let passed = 0; passed < H; passed++) {
      expect(holdOff.holds('k')).toBe(true);
      clock.advance(1);
    }
    expect(holdOff.holds('first')).toBe(laterMs < H && holdOff.holds('k'));
    clock.advance(H);
    expect(holdOff.holds('k')).toBe(false);
    expect(holdOff.holds('first')).toBe(false);
    expect(holdOff.count).toBe(0);
  },
);

test('only what was named is held', () => {
  expect(holdOff.holds('k')).toBe(false);
  holdOff.hold(['k', 'l'], [KeyPattern.beginsWith('user:')]);
  expect(['k', 'l', 'm', 'user:1', 'user'].map((key) => holdOff.holds(key))).toEqual([
    true,
    true,
    false,
    true,
    false,
  ]);
  expect([holdOff.count, holdOff.holdsAll]).toEqual([3, false]);
});

test('a key that is named again is held anew', () => {
  holdOff.hold(['k']);
  clock.advance(H - 1);
  holdOff.hold(['k']);
  clock.advance(H - 1);
  expect(holdOff.holds('k')).toBe(true);
});

test('every key is held for exactly the hold-off when any may have changed', () => {
  holdOff.holdAll();
  clock.advance(H - 1);
  expect([holdOff.holds('k'), holdOff.holdsAll]).toEqual([true, true]);
  clock.advance(1);
  expect([holdOff.holds('k'), holdOff.holdsAll]).toEqual([false, false]);
});

test('what does not fit any more has every key held', () => {
  const keys = Array.from({ length: 5 }, (_, i) => `${i}${'x'.repeat(1024 * 1024)}`);
  holdOff.hold(keys.slice(0, 3));
  expect([holdOff.holds(keys[2] as string), holdOff.holds('other')]).toEqual([true, false]);
  holdOff.hold(keys.slice(0, 3));
  expect(holdOff.holds('other')).toBe(false);
  holdOff.hold(keys.slice(3));
  expect([holdOff.holds('other'), holdOff.count]).toEqual([true, 0]);
  clock.advance(H);
  expect(holdOff.holds(keys[0] as string)).toBe(false);
  for (let i = 0; i < 65; i++) {
    expect(holdOff.holds('other')).toBe(false);
    holdOff.hold([], [KeyPattern.beginsWith('no')]);
  }
  expect(holdOff.holds('other')).toBe(true);
});
