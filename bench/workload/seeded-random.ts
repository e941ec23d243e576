import type { Random } from '../../src/base/random.ts';

/** A generator that gives the same numbers for the same seed on every machine, 32 random bits a number.
 *  Source: mulberry32, Tommy Ettinger, public domain. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The numbers 0 … count - 1 in random order. */
export function shuffled(count: number, random: Random): Uint32Array {
  const numbers = new Uint32Array(count);
  for (let i = 0; i < count; i++) {
    const other = Math.floor(random() * (i + 1));
    numbers[i] = numbers[other] as number;
    numbers[other] = i;
  }
  return numbers;
}
