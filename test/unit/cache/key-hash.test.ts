import { describe, expect, it } from 'vitest';

import { KeyHash, mix } from '../../../src/cache/key-hash.ts';

function hashOf(seed: number, text: string): number {
  const bytes = Buffer.from(`..${text}..`, 'latin1');
  return new KeyHash(seed).of(bytes, 2, bytes.length - 2);
}

describe('KeyHash', () => {
  it('depends on the bytes alone, not on where they are', () => {
    const bytes = Buffer.from('user:1 user:1');
    const hash = new KeyHash(3);
    expect(hash.of(bytes, 0, 6)).toBe(hash.of(bytes, 7, 13));
  });

  it('tells lengths, single bits and order apart', () => {
    const texts = [
      '',
      '\0',
      '\0\0',
      '\0\0\0',
      '\0\0\0\0',
      'abcd',
      'abdc',
      'abcdefgh',
      'efghabcd',
      '\xfe',
      '\xff',
    ];
    expect(new Set(texts.map((text) => hashOf(1, text))).size).toBe(texts.length);
  });

  it('is another function for another seed, whichever of its bits differs', () => {
    const seeds = [0, 1, 2, 2 ** 31, 2 ** 32, 2 ** 40, 2 ** 52];
    expect(new Set(seeds.map((seed) => hashOf(seed, 'user:1'))).size).toBe(seeds.length);
  });

  it('spreads keys that count up evenly over its highest and lowest bits', () => {
    const high = Array.from({ length: 64 }, () => 0);
    const low = Array.from({ length: 64 }, () => 0);
    for (let i = 0; i < 64_000; i++) {
      const hash = hashOf(9, `user:${i}`);
      high[hash >>> 26] = (high[hash >>> 26] as number) + 1;
      low[hash & 63] = (low[hash & 63] as number) + 1;
    }
    // 1000 each are expected; 150 away is almost 5 standard deviations.
    for (const count of [...high, ...low]) expect(Math.abs(count - 1000)).toBeLessThan(150);
  });
});

describe('mix', () => {
  it('depends on both numbers and their order', () => {
    expect(new Set([mix(1, 2), mix(2, 1), mix(1, 3), mix(0, 2)]).size).toBe(4);
  });
});
