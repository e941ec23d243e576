import { describe, expect, it } from 'vitest';

import { Silence } from '../../../src/base/watchdog.ts';

describe('Silence', () => {
  it('sums up looks that saw no beat, from the fifth on', () => {
    const silence = new Silence(100);
    expect(silence.look(7, 100)).toBe(0);
    const seen = Array.from({ length: 6 }, () => silence.look(7, 100));
    expect(seen).toEqual([0, 0, 0, 0, 500, 600]);
  });

  it('begins anew with each beat', () => {
    const silence = new Silence(100);
    for (let i = 0; i < 6; i++) silence.look(7, 100);
    expect(silence.look(8, 100)).toBe(0);
    expect(Array.from({ length: 5 }, () => silence.look(8, 100)).at(-1)).toBe(500);
  });

  it('takes a look that is very late for two: it stood still itself', () => {
    const silence = new Silence(100);
    silence.look(7, 100);
    silence.look(7, 3_600_000);
    expect(Array.from({ length: 4 }, () => silence.look(7, 100)).at(-1)).toBe(600);
  });
});
