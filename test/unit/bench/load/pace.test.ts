import { expect, test } from 'vitest';

import { paced } from '../../../../bench/load/pace.ts';

/** A clock that goes on by itself only in sleep, each time as long as `naps` says. */
function clockOf(naps: (number: number) => number): { now(): number; sleep(): Promise<void>; at: number } {
  let number = 0;
  const clock = {
    at: 1000,
    now: () => clock.at,
    sleep: () => {
      clock.at += naps(number++);
      return Promise.resolve();
    },
  };
  return clock;
}

test('requests are due at the rate, and none is sent before it is due', async () => {
  const clock = clockOf(() => 0.7);
  const sent: { dueAt: number; at: number }[] = [];
  await paced(500, 0.02, clock, (dueAt) => sent.push({ dueAt, at: clock.at }));
  expect(sent.map(({ dueAt }) => dueAt - 1000)).toEqual([2, 4, 6, 8, 10, 12, 14, 16, 18, 20]);
  expect(sent.every(({ dueAt, at }) => at >= dueAt && at < dueAt + 0.7)).toBe(true);
});

test('a sender that was held up sends all that was due meanwhile, each with its own due time', async () => {
  const clock = clockOf((number) => (number === 5 ? 50 : 1));
  const waited: number[] = [];
  await paced(1000, 0.1, clock, (dueAt) => waited.push(clock.at - dueAt));
  expect(waited).toHaveLength(100);
  expect(waited.filter((ms) => ms >= 1)).toHaveLength(49);
  expect(Math.max(...waited)).toBe(49);
});
