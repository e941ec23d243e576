import { describe, expect, it } from 'vitest';

import { resp2ShapeOf, shapeNeedsConversion } from '../../../src/protocol/resp2-shapes.ts';

describe('resp2ShapeOf', () => {
  it.each([
    ['zrange', 'flatten'],
    ['hrandfield', 'flatten'],
    ['xreadgroup', 'streams'],
    ['blpop', 'nil-array'],
    ['xrange', 'nil-array'],
    ['sentinel|get-master-addr-by-name', 'nil-array'],
    ['lpop', 'nil-array-with-count'],
    ['blmove', 'nil-array-when-waited'],
    ['geopos', 'nil-array-elements'],
    ['xpending', 'pending-summary'],
    ['exec', 'exec'],
  ])('gives %s its row', (name, shape) => {
    expect(resp2ShapeOf(name)).toBe(shape);
  });

  it.each([
    'get',
    'lmove',
    'rpoplpush',
    'zmscore',
    'eval',
    'evalsha_ro',
    'fcall',
    'xautoclaim',
    'xinfo|stream',
    'nosuch',
  ])('gives %s the structural rule', (name) => {
    expect(resp2ShapeOf(name)).toBe('plain');
  });

  it('says which shapes differ without a RESP3 type: nested pairs of bulks, also inside EXEC', () => {
    expect(shapeNeedsConversion(resp2ShapeOf('hrandfield'))).toBe(true);
    expect(shapeNeedsConversion(resp2ShapeOf('exec'))).toBe(true);
    expect(shapeNeedsConversion(resp2ShapeOf('xread'))).toBe(false);
    expect(shapeNeedsConversion(resp2ShapeOf('get'))).toBe(false);
  });
});
