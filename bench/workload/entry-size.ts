import type { Random } from '../../src/base/random.ts';

/** Bounds of the sizes below. Units: bytes. */
export const keyBytesLeast = 16;
export const keyBytesMost = 56;
export const valueBytesMost: number = 64 * 1024;

const medianValueBytes = 230;
const sigma = 1.3;

/** The length of a key, even between its bounds. */
export function drawKeyBytes(random: Random): number {
  return keyBytesLeast + Math.floor(random() * (keyBytesMost - keyBytesLeast + 1));
}

/** The length of a value, log-normal as in production caches: mostly small, now and then very large.
 *  Source: medians of the 53 clusters in Yang, Yue, Rashmi, "A large scale analysis of hundreds of in-memory cache
 *  clusters at Twitter", OSDI 2020 (key 36 B, value 224 B). */
export function drawValueBytes(random: Random): number {
  const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const bytes = Math.round(medianValueBytes * Math.exp(sigma * normal));
  return Math.min(valueBytesMost, Math.max(1, bytes));
}
