import * as fc from 'fast-check';
import { expect, test } from 'vitest';

import { elementEnds } from '../../src/protocol/array-elements.ts';
import { childFrames } from '../support/frame-reader.ts';

const bulk: fc.Arbitrary<Buffer> = fc
  .oneof(
    fc.uint8Array({ maxLength: 40 }),
    // Bytes that look like the frames around them.
    fc.constantFrom('\r\n', '$1\r\n', '_\r\n', '*2\r\n$1\r\na\r\n', '\n').map((text) => Buffer.from(text)),
    fc.integer({ min: 95, max: 1100 }).map((length) => Buffer.alloc(length, '\n')),
  )
  .map((bytes) => Buffer.concat([Buffer.from(`$${bytes.length}\r\n`), bytes, Buffer.from('\r\n')]));
const nil: fc.Arbitrary<Buffer> = fc.constantFrom('_\r\n', '$-1\r\n').map((text) => Buffer.from(text));
const other: fc.Arbitrary<Buffer> = fc
  .constantFrom(':1\r\n', '+OK\r\n', '*0\r\n', '#t\r\n', '-ERR\r\n', '%0\r\n')
  .map((text) => Buffer.from(text));

function arrayOf(elements: readonly Buffer[]): Buffer {
  return Buffer.concat([Buffer.from(`*${elements.length}\r\n`), ...elements]);
}

test('the elements are where a parser that looks at every byte finds them', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(bulk, bulk, nil), { maxLength: 20 }), (elements) => {
      const frame = arrayOf(elements);
      const ends = elementEnds(frame, elements.length) as number[];
      const found = elements.map((_, i) => frame.subarray(ends[i], ends[i + 1]));
      expect(found).toEqual(childFrames(frame));
      expect(ends.at(-1)).toBe(frame.length);
    }),
    { numRuns: 500 },
  );
});

test('an array with an element of another kind, or of another length, is refused', () => {
  const mixed = fc.record({
    before: fc.array(bulk, { maxLength: 5 }),
    stranger: other,
    after: fc.array(bulk, { maxLength: 5 }),
    extra: fc.integer({ min: -3, max: 3 }).filter((each) => each !== 0),
  });
  fc.assert(
    fc.property(mixed, ({ before, stranger, after, extra }) => {
      const all = [...before, stranger, ...after];
      expect(elementEnds(arrayOf(all), all.length)).toBeUndefined();
      expect(elementEnds(arrayOf(before), before.length + extra)).toBeUndefined();
    }),
    { numRuns: 300 },
  );
});
