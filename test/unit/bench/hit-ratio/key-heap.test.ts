import * as fc from 'fast-check';
import { expect, test } from 'vitest';

import { KeyHeap } from '../../../../bench/hit-ratio/policy/key-heap.ts';

const keys = 20;
const change = fc.record({ key: fc.nat(keys - 1), rank: fc.option(fc.integer({ min: -9, max: 9 })) });

test('the lowest key of the heap is one of the lowest rank, whatever was changed and removed', () => {
  fc.assert(
    fc.property(fc.array(change, { maxLength: 200, size: 'max' }), (changes) => {
      const heap = new KeyHeap(keys);
      const ranks = new Map<number, number>();
      for (const { key, rank } of changes) {
        if (rank === null) {
          heap.remove(key);
          ranks.delete(key);
        } else {
          heap.set(key, rank);
          ranks.set(key, rank);
        }
        expect(heap.size).toBe(ranks.size);
        expect(heap.has(key)).toBe(ranks.has(key));
        const lowest = heap.lowest();
        if (lowest === undefined) expect(ranks.size).toBe(0);
        else expect(ranks.get(lowest)).toBe(Math.min(...ranks.values()));
      }
    }),
    { numRuns: 200 },
  );
});
