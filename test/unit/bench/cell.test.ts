import { expect, test } from 'vitest';

import { whyInvalid } from '../../../bench/cell.ts';

const base = { hitRatio: undefined } as const;

test('a hit row that did not hit is invalid', () => {
  const hits = { ...base, target: 'nearcache-hit', test: 'get', backendCommandsPerOp: 0 } as const;
  expect(whyInvalid({ ...hits, hitRatio: 0.999 })).toBeUndefined();
  expect(whyInvalid({ ...hits, hitRatio: 0.5 })).toBe('only 50.0 % hits');
  expect(whyInvalid(hits)).toBe('only 0.0 % hits');
  expect(whyInvalid({ ...hits, hitRatio: 1, backendCommandsPerOp: 0.2 })).toContain('0.20 commands');
});

test('a pass-through row whose commands did not all reach Redis is invalid', () => {
  const off = { ...base, target: 'nearcache-off', test: 'get' } as const;
  expect(whyInvalid({ ...off, backendCommandsPerOp: 1 })).toBeUndefined();
  expect(whyInvalid({ ...off, backendCommandsPerOp: 0.3 })).toContain('only 0.30 commands');
});

test('a SET through the cache has to reach Redis', () => {
  const set = { ...base, target: 'nearcache-hit', test: 'set' } as const;
  expect(whyInvalid({ ...set, backendCommandsPerOp: 1 })).toBeUndefined();
  expect(whyInvalid({ ...set, backendCommandsPerOp: 0 })).toBeDefined();
});
