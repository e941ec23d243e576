import { describe, expect, it } from 'vitest';
import { allCommands, resolve } from '../../../src/command/table.ts';
import type { CommandSpec } from '../../../src/command/spec.ts';
import { mayLeaveNoTrace } from '../../../src/session/lease-ends.ts';
import { requestOf } from '../../support/request-of.ts';

function judge(...words: string[]): boolean {
  const request = requestOf(...words);
  return mayLeaveNoTrace(resolve(request) as CommandSpec, request);
}

describe('a write that may leave no trace in Redis', () => {
  it.each([
    ['DEL', 'k'],
    ['UNLINK', 'k'],
    ['GETDEL', 'k'],
    ['EXPIRE', 'k', '0'],
    ['SET', 'k', 'v', 'XX'],
    ['set', 'k', 'v', 'px', '1', 'nx'],
    ['SETNX', 'k', 'v'],
    ['HDEL', 'k', 'f'],
    ['EVAL', 'x', '1', 'k'],
  ])('is %s', (...words) => {
    expect(judge(...words)).toBe(true);
  });

  it.each([
    ['SET', 'k', 'v'],
    ['SET', 'k', 'xx'],
    ['SET', 'nx', 'v', 'PX', '1'],
    ['MSET', 'k', 'v'],
    ['INCR', 'k'],
    ['GET', 'k'],
    ['EXISTS', 'k'],
    ['PING'],
  ])('is not %s', (...words) => {
    expect(judge(...words)).toBe(false);
  });

  it('is every write but a few, so that a new one is on the safe side', () => {
    const certain = allCommands().filter(
      (spec) => spec.isWrite && !mayLeaveNoTrace(spec, requestOf(spec.name)),
    );
    expect(certain.map(({ name }) => name).join(' ')).toBe(
      'append decr decrby getset incr incrby incrbyfloat mset psetex set setex',
    );
  });
});
