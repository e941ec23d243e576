import * as fc from 'fast-check';
import { expect, test } from 'vitest';

import { parseReply } from '../../src/protocol/reply-parser.ts';
import { merge } from '../../src/route/merge.ts';

/** Values of any bytes, among them what looks like RESP, and nils. */
const value = fc.option(
  fc.oneof(
    fc.uint8Array({ maxLength: 120 }).map((bytes) => Buffer.from(bytes).toString('latin1')),
    fc.constantFrom('', '\r\n', '$1\r\na\r\n', '_\r\n', '*2\r\n'),
  ),
  { nil: undefined },
);

function arrayOf(values: readonly (string | undefined)[]): Buffer {
  const items = values.map((item) => (item === undefined ? '_\r\n' : `$${item.length}\r\n${item}\r\n`));
  return Buffer.from(`*${items.length}\r\n${items.join('')}`, 'latin1');
}

function valuesOf(frame: Buffer): unknown {
  return parseReply(frame, 0, frame.length);
}

const parts = fc.integer({ min: 1, max: 6 });
const spread = parts.chain((count) =>
  fc.record({
    count: fc.constant(count),
    keys: fc.array(fc.record({ part: fc.nat({ max: count - 1 }), value }), { maxLength: 60 }),
  }),
);

test('whatever way keys are spread over parts, their values come back as one server would give them', () => {
  fc.assert(
    fc.property(spread, ({ count, keys }) => {
      const frames = Array.from({ length: count }, (_, part) =>
        arrayOf(keys.filter((key) => key.part === part).map((key) => key.value)),
      );
      const merged = merge('request-order', frames, { command: 'mget', partOf: keys.map((key) => key.part) });
      expect(merged).toEqual(arrayOf(keys.map((key) => key.value)));
    }),
    { numRuns: 500 },
  );
});

test('… and so do values that are too large to be copied more often than need be', () => {
  const large = fc.constantFrom('', 'x'.repeat(30_000), 'y'.repeat(70_000), undefined);
  const keys = fc.array(fc.record({ part: fc.nat({ max: 2 }), value: large }), { maxLength: 9 });
  fc.assert(
    fc.property(keys, (all) => {
      const frames = [0, 1, 2].map((part) =>
        arrayOf(all.filter((key) => key.part === part).map((key) => key.value)),
      );
      const merged = merge('request-order', frames, { command: 'mget', partOf: all.map((key) => key.part) });
      expect(merged.equals(arrayOf(all.map((key) => key.value)))).toBe(true);
    }),
    { numRuns: 100 },
  );
});

test('parts of which one has an element too many or too few are never put together', () => {
  fc.assert(
    fc.property(spread, fc.nat(), fc.boolean(), ({ count, keys }, at, isMore) => {
      const partOf = keys.map((key) => key.part);
      const values = Array.from({ length: count }, (_, part) =>
        keys.filter((key) => key.part === part).map((key) => key.value),
      );
      const changed = values[at % count] as (string | undefined)[];
      if (isMore || changed.length === 0) changed.push('more');
      else changed.pop();
      const merged = merge('request-order', values.map(arrayOf), { command: 'mget', partOf });
      expect(merged.toString('latin1')).toMatch(/^-ERR nearcache: shards gave/);
    }),
    { numRuns: 300 },
  );
});

test('lists one behind the other are the elements of all, and each once where they are united', () => {
  const lists = fc.array(fc.array(value, { maxLength: 10 }), { minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(lists, (all) => {
      const frames = all.map(arrayOf);
      expect(valuesOf(merge('concat', frames, { command: 'keys' }))).toEqual(all.flat());
      const united = valuesOf(merge('union', frames, { command: 'pubsub|channels' }));
      expect(united).toEqual([...new Set(all.flat())]);
    }),
    { numRuns: 300 },
  );
});

test('numbers are added as numbers are', () => {
  const numbers = fc.array(fc.integer({ min: -1e12, max: 1e12 }), { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(numbers, (all) => {
      const frames = all.map((number) => Buffer.from(`:${number}\r\n`));
      const results = (['sum', 'min', 'max'] as const).map((rule) =>
        valuesOf(merge(rule, frames, { command: 'x' })),
      );
      expect(results).toEqual([all.reduce((a, b) => a + b), Math.min(...all), Math.max(...all)]);
    }),
  );
});
