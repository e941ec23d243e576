import * as fc from 'fast-check';
import { expect, test } from 'vitest';

import { Pieces } from '../../src/base/pieces.ts';

test('a piece of any size arrives as it is, and nothing beside it changes', () => {
  const piece = fc.record({
    // Around the sizes at which another way of copying begins, too.
    bytes: fc.uint8Array({ minLength: 0, maxLength: 220 }),
    before: fc.nat({ max: 20 }),
    at: fc.nat({ max: 20 }),
  });
  fc.assert(
    fc.property(piece, ({ bytes, before, at }) => {
      const source = Buffer.concat([Buffer.alloc(before, 1), bytes, Buffer.alloc(3, 2)]);
      const target = Buffer.alloc(at + bytes.length + 9, 3);
      const end = new Pieces(source).copy(before, before + bytes.length, new Pieces(target), at);
      expect(end).toBe(at + bytes.length);
      expect(target).toEqual(Buffer.concat([Buffer.alloc(at, 3), bytes, Buffer.alloc(9, 3)]));
    }),
    { numRuns: 1000 },
  );
});
