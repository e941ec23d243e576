import { beforeEach, expect, test } from 'vitest';

import type { CommandSpec } from '../../../src/command/spec.ts';
import { commandByName } from '../../../src/command/table.ts';
import {
  HeldKeys,
  type HeldRead,
  holdKeys,
  namesHeldKey,
  releaseKeys,
} from '../../../src/session/held-keys.ts';
import type { Session } from '../../../src/session/session.ts';
import { requestOf } from '../../support/request-of.ts';

let session: Session;
/** How often the session was told that it may go on. */
let wakings: number;

beforeEach(() => {
  wakings = 0;
  const parts = { held: new HeldKeys(), wake: () => wakings++ };
  session = parts as unknown as Session;
});

function names(...args: string[]): boolean {
  return namesHeldKey(session, requestOf(...args), specOf(args));
}

function specOf([name]: readonly string[]): CommandSpec {
  return commandByName((name as string).toLowerCase()) as CommandSpec;
}

function readOf(...args: string[]): HeldRead {
  return { request: requestOf(...args), spec: specOf(args) };
}

test('whatever names a held key is told so, be it one of many', () => {
  holdKeys(session, readOf('GET', 'k\xff'));
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
  holdKeys(session, readOf('MGET', 'a', 'b', 'a'));
  holdKeys(session, readOf('GET', 'a'));
  releaseKeys(session, readOf('MGET', 'a', 'b', 'a'));
  expect([names('GET', 'a'), names('GET', 'b')]).toEqual([true, false]);
  releaseKeys(session, readOf('GET', 'a'));
  expect(names('GET', 'a')).toBe(false);
  expect([session.held.reads.size, wakings]).toEqual([0, 2]);
});
