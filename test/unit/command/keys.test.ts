import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  blockingTimeoutMs,
  canRideShared,
  extractKeys,
  KeyList,
  mayBlock,
  readsUnnamedKeys,
} from '../../../src/command/keys.ts';
import type { CommandSpec } from '../../../src/command/spec.ts';
import { allCommands, commandByName, resolve } from '../../../src/command/table.ts';
import { traps } from '../../support/command-grammar.ts';
import { requestOf } from '../../support/request-of.ts';

function parse(line: string): { spec: CommandSpec; request: ReturnType<typeof requestOf> } {
  const request = requestOf(...line.split(' '));
  return { spec: resolve(request) as CommandSpec, request };
}

describe('extractKeys', () => {
  it.each([
    ['GET a', 'keys', [1]],
    ['OBJECT ENCODING a', 'keys', [2]],
    ['MSET a 1 b 2', 'keys', [1, 3]],
    ['BLPOP a b 0', 'keys', [1, 2]],
    ['BITOP AND d a b', 'keys', [2, 3, 4]],
    ['LCS a b LEN', 'keys', [1, 2]],
    ['ZUNIONSTORE d 2 a b WEIGHTS 1 2', 'keys', [1, 3, 4]],
    ['BLMPOP 0 2 a b LEFT', 'keys', [3, 4]],
    ['XREAD COUNT 1 BLOCK 0 STREAMS a b 0 0', 'keys', [6, 7]],
    ['SORT a STORE x BY y STORE d', 'keys', [1, 7]],
    ['GEORADIUS a 0 0 1 m STORE x STOREDIST d', 'keys', [1, 9]],
    ['EVAL return 2 a b c', 'unknown', [3, 4]],
    ['EVALSHA sha 0', 'unknown', []],
    ['EVALSHA_RO sha 0', 'keys', []],
    ['MIGRATE h 1 a 0 1', 'unknown', [3]],
    ['DEBUG OBJECT a', 'unknown', []],
    ['XINFO NEWER a', 'unknown', []],
    ['PUBLISH a m', 'keys', []],
    ['SPUBLISH a m', 'keys', []],
    ['SSUBSCRIBE a b', 'keys', []],
    ['PING', 'keys', []],
    ['GET', 'invalid', []],
    ['ZUNION 3 a b', 'invalid', []],
    ['LCS a', 'invalid', []],
  ])('reads %s', (line, result, indices) => {
    const { spec, request } = parse(line);
    const list = new KeyList();
    expect(extractKeys(spec, request, list)).toBe(result);
    expect([...list.indices.subarray(0, list.count)]).toEqual(indices);
  });

  it('takes the keys of MIGRATE behind KEYS when the key itself is empty', () => {
    for (const auth of [[], ['AUTH', 'keys'], ['AUTH2', 'u', 'keys']]) {
      const request = requestOf('MIGRATE', 'h', '1', '', '0', '1', ...auth, 'KEYS', 'a', 'b');
      const list = new KeyList();
      expect(extractKeys(resolve(request) as CommandSpec, request, list)).toBe('unknown');
      expect([...list.indices.subarray(0, list.count)]).toEqual([7 + auth.length, 8 + auth.length]);
    }
  });

  it('grows the list for as many keys as there are, and overwrites it the next time', () => {
    const list = new KeyList();
    const many = requestOf('DEL', ...Array.from({ length: 5000 }, (_, i) => `k${i}`));
    extractKeys(commandByName('del') as CommandSpec, many, list);
    expect(list.count).toBe(5000);
    expect(list.indices[4999]).toBe(5000);
    const one = requestOf('GET', 'k');
    extractKeys(commandByName('get') as CommandSpec, one, list);
    expect(list.count).toBe(1);
  });

  it('never names an argument that is not there, whatever the arguments are', () => {
    const words = fc.array(fc.oneof(fc.constantFrom(...traps), fc.constant('k')), { maxLength: 12 });
    const list = new KeyList();
    fc.assert(
      fc.property(fc.constantFrom(...allCommands()), words, (spec, rest) => {
        const request = requestOf(...spec.name.split('|'), ...rest);
        const result = extractKeys(spec, request, list);
        const found = [...list.indices.subarray(0, list.count)];
        for (const index of found) expect(index > 0 && index < request.argc).toBe(true);
        if (result === 'invalid') expect(found).toEqual([]);
      }),
      { numRuns: 20_000 },
    );
  });
});

describe('mayBlock', () => {
  it.each([
    ['BLPOP k 0', true],
    ['WAIT 1 0', true],
    ['WAITAOF 1 0 0', true],
    ['XREAD BLOCK 0 STREAMS k $', true],
    ['XREAD COUNT 1 block 5 STREAMS k $', true],
    ['XREAD COUNT 1 STREAMS BLOCK 0', false],
    ['XREADGROUP GROUP BLOCK BLOCK STREAMS k >', false],
    ['LPOP k', false],
  ])('of %s is %s', (line, expected) => {
    const { spec, request } = parse(line);
    expect(mayBlock(spec, request)).toBe(expected);
  });
});

describe('blockingTimeoutMs', () => {
  it.each([
    ['BLPOP a b 1.5', 1500],
    ['BRPOP a 0.0001', 1],
    ['BLMOVE a b LEFT RIGHT 2', 2000],
    ['BRPOPLPUSH a b 3', 3000],
    ['BZPOPMIN a 0', 0],
    ['BLMPOP 0.25 1 a LEFT', 250],
    ['BZMPOP 4 1 a MIN', 4000],
    ['XREAD BLOCK 20 STREAMS a $', 20],
    ['XREADGROUP GROUP g c BLOCK 30 STREAMS a >', 30],
    ['XREAD BLOCK 20 COUNT 1 BLOCK 0 STREAMS a $', 0],
    ['WAIT 1 40', 40],
    ['WAITAOF 1 1 50', 50],
    ['BLPOP a x', 0],
    ['BLPOP a -1', 0],
    ['BLPOP a nan', 0],
    ['BLPOP a inf', 0],
    ['BLPOP', 0],
    ['XREAD STREAMS a $', 0],
    ['XREAD BLOCK', 0],
  ])('of %s is %i', (line, expected) => {
    const { spec, request } = parse(line);
    expect(blockingTimeoutMs(spec, request)).toBe(expected);
  });
});

describe('readsUnnamedKeys', () => {
  it.each([
    ['SORT_RO k', false],
    ['SORT_RO k BY nosort GET #', false],
    ['SORT_RO k BY w_*', true],
    ['SORT_RO k LIMIT 0 5 GET #  GET o_*->name', true],
    ['SORT k STORE a*b', false],
    ['SORT k STORE by GET *', true],
    ['SORT_RO w_*', false],
    ['GET *', false],
  ])('of %s is %s', (line, expected) => {
    const { spec, request } = parse(line);
    expect(readsUnnamedKeys(spec, request)).toBe(expected);
  });
});

describe('canRideShared', () => {
  it.each('get set eval flushall ping echo blpop xread publish sort function|load config|set'.split(' '))(
    'lets %s into a transaction on the shared connection',
    (name) => {
      expect(canRideShared(commandByName(name) as CommandSpec)).toBe(true);
    },
  );

  it.each(
    (
      'watch unwatch multi exec discard subscribe psubscribe ssubscribe unsubscribe monitor hello auth select reset quit ' +
      'client client|reply client|tracking client|id wait waitaof debug asking readonly sync script|kill shutdown xgroup'
    ).split(' '),
  )('keeps %s out of it', (name) => {
    expect(canRideShared(commandByName(name) as CommandSpec)).toBe(false);
  });
});
