import { describe, expect, test } from 'vitest';

import { Life } from '../../../../src/drill/load/life.ts';

function lifeWith(writes: number): Life {
  const life = new Life('k');
  for (let i = 1; i <= writes; i++) {
    life.next();
    life.acknowledge(i * 100);
  }
  return life;
}

describe('which write a reply shows', () => {
  test('is told from the value, up to the newest one sent', () => {
    const life = lifeWith(2);
    expect(life.versionIn(life.valueOf(1))).toBe(1);
    expect(life.versionIn(life.valueOf(2))).toBe(2);
    expect(life.versionIn(null)).toBe(0);
    expect(life.versionIn(life.valueOf(3))).toBeUndefined();
    const sent = life.next();
    expect(life.versionIn(sent)).toBe(3);
  });

  test.each([
    ['of another key', new Life('j').valueOf(1)],
    ['of a longer key', new Life('k2').valueOf(1)],
    ['cut off', new Life('k').valueOf(1).slice(0, -1)],
    ['with something behind', `${new Life('k').valueOf(1)}x`],
    ['empty', ''],
    ['written otherwise', new Life('k').valueOf(1).replace('=1', '=01')],
  ])('is none when the value is %s', (_, reply) => {
    expect(lifeWith(2).versionIn(reply)).toBeUndefined();
  });
});

test('the newest write acknowledged by a moment is found', () => {
  const life = lifeWith(3);
  expect([50, 100, 250, 300, 1000].map((then) => life.ackedBy(then))).toEqual([0, 1, 2, 3, 3]);
});

test('a write that has not run is written again with the same number', () => {
  const life = lifeWith(1);
  const first = life.next();
  life.takeBack();
  expect(life.next()).toBe(first);
});
