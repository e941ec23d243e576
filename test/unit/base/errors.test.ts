import { describe, expect, it } from 'vitest';

import { ERRORS, errorLine } from '../../../src/base/errors.ts';

/** Prefixes of Redis that mean here what they mean there. */
const REDIS_PREFIXES = /^(NOAUTH|NOPROTO|EXECABORT|CROSSSLOT|CLUSTERDOWN|LOADING) /;
/** Redis's own sentence, in its own words. */
const REDIS_SENTENCES = new Set(['ERR max number of clients reached']);

describe('the errors that nearcache answers itself', () => {
  it('are named once each', () => {
    const codes = ERRORS.map((row) => row.code);
    expect(new Set(codes).size).toBe(codes.length);
  });

  it('say that they come from nearcache, unless they are what Redis would say', () => {
    const others = ERRORS.map((row) => row.text).filter((text) => !text.startsWith('ERR nearcache: '));
    expect(others.filter((text) => !REDIS_PREFIXES.test(text) && !REDIS_SENTENCES.has(text))).toEqual([]);
  });

  it('tell cause and fix', () => {
    for (const { cause, fix } of ERRORS) {
      expect(cause).toMatch(/\.$/);
      expect(fix).toMatch(/\.$/);
    }
  });
});

describe('errorLine', () => {
  it('fills in the fields', () => {
    const line = errorLine('SHARD_TIMEOUT', { shard: 'shard0', ms: 5000 });
    expect(String(line)).toBe(
      '-ERR nearcache: shard shard0 did not answer within 5000 ms; outcome unknown\r\n',
    );
  });

  it('stays one line whatever it is given', () => {
    const line = errorLine('SHARD_LOST', { shard: 'a\r\nb', reason: '\n+OK\r\n' }).toString('latin1');
    expect(line.slice(0, -2)).not.toMatch(/[\r\n]/);
    expect(line.endsWith('\r\n')).toBe(true);
  });

  it('leaves no placeholder behind', () => {
    for (const { code } of ERRORS)
      expect(String(errorLine(code)).replace('{hash tag}', '')).not.toMatch(/[{}]/);
  });
});
