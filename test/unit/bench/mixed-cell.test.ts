import { expect, test } from 'vitest';

import { whyMixedInvalid } from '../../../bench/mixed-cell.ts';

test('a direct row of which not everything reached Redis is invalid', () => {
  expect(whyMixedInvalid({ target: 'direct', backendCommandsPerOp: 1 }, 0.1)).toBeUndefined();
  expect(whyMixedInvalid({ target: 'direct', backendCommandsPerOp: 0.9 }, 0.1)).toBe(
    'only 0.90 commands an operation reached Redis',
  );
});

test('through nearcache at least the writes have to reach Redis', () => {
  expect(whyMixedInvalid({ target: 'nearcache', backendCommandsPerOp: 0.1 }, 0.1)).toBeUndefined();
  expect(whyMixedInvalid({ target: 'nearcache', backendCommandsPerOp: 0.05 }, 0.1)).toContain('0.05');
});
