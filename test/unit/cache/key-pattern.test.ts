import * as fc from 'fast-check';
import { expect, test } from 'vitest';

import { KeyPattern } from '../../../src/cache/key-pattern.ts';

test.each([
  ['user:', 'user:1', true, true],
  ['user:', 'user:', true, true],
  ['user:', 'user', false, false],
  ['user:', 'a user:1', false, true],
  ['', '', true, true],
  ['', 'any', true, true],
  ['\xff', 'a\xff', false, true],
  ['aab', 'aaab', false, true],
])('%s and the key %s', (text, key, begins, has) => {
  expect([KeyPattern.beginsWith(text).fits(key), KeyPattern.has(text).fits(key)]).toEqual([begins, has]);
});

test('bytes fit exactly when they fit as a string, whatever is around them', () => {
  const part = fc.string({ unit: fc.constantFrom('a', 'b', '\xff'), maxLength: 6 });
  fc.assert(
    fc.property(part, part, part, part, (text, before, key, behind) => {
      const bytes = Buffer.from(before + key + behind, 'latin1');
      for (const pattern of [KeyPattern.beginsWith(text), KeyPattern.has(text)]) {
        const fits = pattern.fitsBytes(bytes, before.length, before.length + key.length);
        expect(fits).toBe(pattern.fits(key));
      }
    }),
    { numRuns: 2000 },
  );
});
