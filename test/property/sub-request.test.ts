import * as fc from 'fast-check';
import { expect, test } from 'vitest';

import { DEFAULT_REQUEST_LIMITS } from '../../src/protocol/limits.ts';
import type { Request } from '../../src/protocol/request.ts';
import { REQUEST, RequestDecoder } from '../../src/protocol/request-decoder.ts';
import { encodeParts, forgetParts, partEnds, requestOfPart } from '../../src/session/sub-request.ts';
import { requestOf } from '../support/request-of.ts';

const argument = fc.uint8Array({ maxLength: 80 }).map((bytes) => Buffer.from(bytes));

/** The arguments behind a command's name, `step` to a key, and the part that each key goes to. */
const split = fc
  .record({ step: fc.constantFrom(1, 2), count: fc.integer({ min: 1, max: 12 }) })
  .chain(({ step, count }) =>
    fc.record({
      step: fc.constant(step),
      args: fc.array(argument, { minLength: step * count, maxLength: step * count }),
      partOf: fc.array(fc.nat({ max: 3 }), { minLength: count, maxLength: count }),
    }),
  );

function argumentsOf(request: Request): string[] {
  return Array.from({ length: request.argc }, (_, i) => request.argLatin1(i));
}

test('each part of a request has its name, and its own keys with what belongs to them, as they were', () => {
  fc.assert(
    fc.property(split, ({ step, args, partOf }) => {
      const request = requestOf('MSET', ...args);
      const used = [...new Set(partOf)];
      const keysOf = used.map((part) => partOf.flatMap((of, key) => (of === part ? [key] : [])));
      const groups = keysOf.map((keys) => keys.map((key) => 1 + key * step));
      const pieces = encodeParts(request, groups, step);
      const { buffer: parts } = pieces;
      const ends = [...partEnds];
      expect(ends).toHaveLength(used.length);
      let start = 0;
      for (const [i, end] of ends.entries()) {
        const expected = (keysOf[i] as number[]).flatMap((key) => args.slice(key * step, (key + 1) * step));
        const wanted = ['MSET', ...expected.map((arg) => arg.toString('latin1'))];
        // As nearcache reads it, and as a server would.
        expect(argumentsOf(requestOfPart(parts, start, end))).toEqual(wanted);
        const decoder = new RequestDecoder(DEFAULT_REQUEST_LIMITS);
        expect(decoder.next(parts, start, end)).toBe(REQUEST);
        expect(argumentsOf(decoder.request)).toEqual(wanted);
        expect(decoder.consumedTo).toBe(end);
        start = end;
      }
      forgetParts(pieces);
    }),
    { numRuns: 300 },
  );
});
