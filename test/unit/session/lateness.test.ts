import { expect, test } from 'vitest';

import { Lateness } from '../../../src/session/lateness.ts';

test('grows while a command waits, however often that is said, and shrinks as fast afterwards', () => {
  const lateness = new Lateness();
  expect(lateness.at(1000)).toBe(0);
  lateness.wait(1000);
  lateness.wait(1020);
  expect(lateness.at(1030)).toBe(30);
  lateness.goOn(1030);
  expect([1030, 1040, 1060, 1100].map((now) => lateness.at(now))).toEqual([30, 20, 0, 0]);
});

test('adds up when a session waits for more than half of its time, and does not when it waits for less', () => {
  const [often, seldom] = [new Lateness(), new Lateness()];
  for (let now = 0; now < 1000; now += 10) {
    often.wait(now);
    often.goOn(now + 6);
    seldom.wait(now);
    seldom.goOn(now + 4);
  }
  expect(often.at(1000)).toBe(200);
  expect(seldom.at(1000)).toBe(0);
});
