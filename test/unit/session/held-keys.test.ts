import { beforeEach, expect, test } from 'vitest';

import type { CommandSpec } from '../../../src/command/spec.ts';
import { commandByName } from '../../../src/command/table.ts';
import { holdKeys, namesHeldKey, releaseKeys } from '../../../src/session/held-keys.ts';
import type { Session } from '../../../src/session/session.ts';
import { requestOf } from '../../support/request-of.ts';

let session: Session;

beforeEach(() => {
  session = { heldKeys: new Map<string, number>() } as unknown as Session;
});

function names(...args: string[]): boolean {
  return namesHeldKey(session, requestOf(...args), specOf(args));
}

function specOf([name]: readonly string[]): CommandSpec {
  return commandByName((name as string).toLowerCase()) as CommandSpec;
}

function hold(...args: string[]): void {
  holdKeys(session, requestOf(...args), specOf(args));
}

function release(...args: string[]): void {
  releaseKeys(session, requestOf(...args), specOf(args));
}

test('whatever names a held key is told so, be it one of many', () => {
  hold('GET', 'k\xff');
  for (const args of [
    ['GET', 'k\xff'],
    ['SET', 'k\xff', 'v'],
    ['MGET', 'a', 'k\xff'],
    ['MSET', 'a', '1', 'k\xff', '2'],
    ['RENAME', 'a', 'k\xff'],
    ['SORT', 'list', 'STORE', 'k\xff'],
  ]) {
    expect(names(...args), args.join(' ')).toBe(true);
  }
  for (const args of [['GET', 'k'], ['SET', 'a', 'k\xff'], ['MGET', 'a', 'b'], ['GET']]) {
    expect(names(...args), args.join(' ')).toBe(false);
  }
});

test('every key of a read is held until each of its holds is released', () => {
  hold('MGET', 'a', 'b', 'a');
  hold('GET', 'a');
  release('MGET', 'a', 'b', 'a');
  expect([names('GET', 'a'), names('GET', 'b')]).toEqual([true, false]);
  release('GET', 'a');
  expect(names('GET', 'a')).toBe(false);
  expect(session.heldKeys.size).toBe(0);
});
