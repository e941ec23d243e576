import type { Random } from '../../src/base/random.ts';

/** Draws ranks 0 … count - 1, rank r with a probability in proportion to 1 / (r + 1) ** exponent.
 *  Cost: a table of 8 bytes a rank; a binary search a draw. */
export function zipf(count: number, exponent: number, random: Random): () => number {
  const cumulated = new Float64Array(count);
  let sum = 0;
  for (let rank = 0; rank < count; rank++) {
    sum += (rank + 1) ** -exponent;
    cumulated[rank] = sum;
  }
  return () => {
    const point = random() * sum;
    let [low, high] = [0, count - 1];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((cumulated[middle] as number) > point) high = middle;
      else low = middle + 1;
    }
    return low;
  };
}
