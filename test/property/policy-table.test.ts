import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { type PolicyRules, PolicyTable } from '../../src/policy/policy-table.ts';
import { parsePrefix, printPrefix } from '../../src/policy/prefix.ts';

const LIMITS = { interruptAfterTimeLimit: 3000, markInterruptAsFailure: false };

const rules: PolicyRules = {
  isCached: true,
  maxTtlMs: 1,
  negativeTtlMs: 1,
  jitterPercent: 0,
  softTtlPercent: 100,
  isReread: true,
  staleWhileRevalidateMs: 0,
  lease: undefined,
  staleIfErrorMs: 0,
  whenAway: 'error',
  rateLimit: 0,
};

/** Few bytes, so that prefixes begin with each other, and the two ends of the order. */
const bytesOf = (size: fc.ArrayConstraints): fc.Arbitrary<Buffer> =>
  fc.array(fc.constantFrom(0, 0x61, 0x62, 0xff), size).map((bytes) => Buffer.from(bytes));

test('a table finds the longest of its prefixes that a key begins with, as trying each one does', () => {
  const prefixes = fc.uniqueArray(bytesOf({ minLength: 1, maxLength: 6 }), {
    selector: (bytes) => bytes.toString('latin1'),
    maxLength: 40,
  });
  const keys = fc.array(bytesOf({ maxLength: 10 }), { minLength: 1 });
  fc.assert(
    fc.property(prefixes, keys, bytesOf({ maxLength: 3 }), (given, wanted, around) => {
      const table = new PolicyTable(
        rules,
        given.map((prefix) => ({ prefix, rules })),
      );
      for (const key of wanted) {
        const fitting = table.all.filter(({ prefix }) => key.subarray(0, prefix.length).equals(prefix));
        const longest = fitting.reduce((best, one) => (one.prefix.length > best.prefix.length ? one : best));
        const request = Buffer.concat([around, key, around]);
        expect(table.of(request, around.length, around.length + key.length)).toBe(longest);
      }
    }),
    LIMITS,
  );
});

test('any prefix that is printed is read back as the same bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 20 }), (bytes) => {
      const text = printPrefix(bytes);
      expect(parsePrefix(text)).toEqual(Buffer.from(bytes));
      expect(text).toMatch(/^[!-~]*$/);
      expect(text).not.toMatch(/[,;]/);
    }),
    LIMITS,
  );
});
