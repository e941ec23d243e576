import { describe, expect, it } from 'vitest';

import { FROM_MAIN, FROM_SMALL, Ghosts } from '../../../src/cache/ghosts.ts';
import { mix } from '../../../src/cache/key-hash.ts';

function identity(n: number): number {
  return mix(n, 1);
}

describe('Ghosts', () => {
  it('knows where an entry left from, once', () => {
    const ghosts = new Ghosts(100);
    ghosts.add(identity(1), FROM_SMALL);
    ghosts.add(identity(2), FROM_MAIN);
    expect([ghosts.take(identity(1)), ghosts.take(identity(2)), ghosts.take(identity(3))]).toEqual([
      FROM_SMALL,
      FROM_MAIN,
      0,
    ]);
    expect(ghosts.take(identity(1))).toBe(0);
  });

  it('counts age in entries that left from the same place', () => {
    const ghosts = new Ghosts(1000);
    ghosts.add(identity(1), FROM_SMALL);
    for (let n = 2; n < 12; n++) ghosts.add(identity(n), FROM_SMALL);
    for (let n = 12; n < 40; n++) ghosts.add(identity(n), FROM_MAIN);
    ghosts.take(identity(1));
    expect(ghosts.age).toBe(10);
  });

  it.each([1000, 100_000])('remembers most of the last half of its capacity (%i)', (capacity) => {
    const ghosts = new Ghosts(capacity);
    const count = capacity * 3;
    for (let n = 0; n < count; n++) ghosts.add(identity(n), FROM_SMALL);
    let known = 0;
    let wrongAges = 0;
    for (let n = count - capacity / 2; n < count; n++) {
      if (ghosts.take(identity(n)) === 0) continue;
      known++;
      if (Math.abs(ghosts.age - (count - n)) > capacity / 1000 + 1) wrongAges++;
    }
    expect(known).toBeGreaterThan(0.9 * (capacity / 2));
    expect(wrongAges).toBeLessThan(known * 0.01);
  });

  it('takes hardly any stranger for a ghost', () => {
    const ghosts = new Ghosts(10_000);
    for (let n = 0; n < 20_000; n++) ghosts.add(identity(n), FROM_SMALL);
    let strangers = 0;
    for (let n = 100_000; n < 200_000; n++) if (ghosts.take(identity(n)) !== 0) strangers++;
    expect(strangers).toBeLessThan(100);
  });

  it('takes 4 bytes a ghost, in whole buckets', () => {
    expect(new Ghosts(1001).byteLength).toBe(251 * 16);
  });
});
