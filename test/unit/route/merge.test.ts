import { describe, expect, it } from 'vitest';

import type { MergeRule } from '../../../src/command/spread.ts';
import { merge, type MergeContext } from '../../../src/route/merge.ts';
import { entryLimit } from '../../../src/route/merge-logs.ts';
import { requestOf } from '../../support/request-of.ts';

const MISMATCH = "-ERR nearcache: shards gave replies that do not go together for 'test'\r\n";

/** Frames are written with a blank for CR LF. */
function wire(text: string): Buffer {
  return Buffer.from(`${text} `.replaceAll(' ', '\r\n'), 'latin1');
}

function merged(rule: MergeRule, frames: readonly string[], context: Partial<MergeContext> = {}): string {
  const reply = merge(rule, frames.map(wire), { command: 'test', ...context }).toString('latin1');
  return reply === MISMATCH ? 'mismatch' : reply.slice(0, -2).replaceAll('\r\n', ' ');
}

const RULES: readonly MergeRule[] = [
  'request-order',
  'same',
  'first',
  'sum',
  'min',
  'max',
  'sum-each',
  'min-each',
  'concat',
  'union',
  'any-not-nil',
  'newest',
  'latency-latest',
  'latency-history',
  'latency-histogram',
];

describe('replies of several shards', () => {
  it.each(RULES)('are the first error, if there is one (%s)', (rule) => {
    expect(merged(rule, [':1', '-ERR a', '-ERR b'], { partOf: [0, 1, 2] })).toBe('-ERR a');
    expect(merged(rule, [':1', '!5 ERR-a'], { partOf: [0, 1] })).toBe('!5 ERR-a');
  });

  it.each(RULES.filter((rule) => rule !== 'first' && rule !== 'any-not-nil'))(
    'of different kinds are an error that names the command (%s)',
    (rule) => {
      expect(merged(rule, ['*1 $1 a', ':1'], { partOf: [0] })).toBe('mismatch');
    },
  );

  it.each<[MergeRule, readonly string[], string]>([
    ['same', ['+OK', '+OK'], '+OK'],
    ['same', ['$1 a', '$1 b'], 'mismatch'],
    ['first', ['+started', '+scheduled'], '+started'],
    ['sum', [':1', ':-2', ':4'], ':3'],
    ['sum', [':1'], ':1'],
    ['sum', [':1', '+OK'], 'mismatch'],
    ['sum', ['+OK', ':1'], 'mismatch'],
    ['min', [':4', ':2', ':3'], ':2'],
    ['max', [':4', ':5', ':3'], ':5'],
    ['sum-each', ['*4 $1 a :1 $1 b :0', '*4 $1 a :2 $1 b :3'], '*4 $1 a :3 $1 b :3'],
    ['sum-each', ['*2 $1 a :1', '*2 $1 b :1'], 'mismatch'],
    ['sum-each', ['*1 :1', '*2 :1 :1'], 'mismatch'],
    ['sum-each', ['*1 :1', '*1 $1 1'], 'mismatch'],
    ['min-each', ['*3 :1 :0 :1', '*3 :1 :1 :0'], '*3 :1 :0 :0'],
    ['concat', ['*2 $1 a $1 b', '*0', '*1 $1 c'], '*3 $1 a $1 b $1 c'],
    ['concat', ['*0', '*0'], '*0'],
    ['union', ['*2 $1 a $1 b', '*2 $1 b $1 c'], '*3 $1 a $1 b $1 c'],
    ['any-ok', ['-NOTBUSY No scripts', '+OK'], '+OK'],
    ['any-ok', ['-NOTBUSY No scripts', '-NOTBUSY No scripts'], '-NOTBUSY No scripts'],
    ['any-ok', ['-NOTBUSY No scripts', '-UNKILLABLE Sorry'], '-UNKILLABLE Sorry'],
    ['any-not-nil', ['_', '$1 a', '_'], '$1 a'],
    ['any-not-nil', ['_', '_'], '_'],
    ['newest', ['+OK', '+OK'], '+OK'],
    ['latency-history', ['*2 *2 :10 :1 *2 :30 :3', '*1 *2 :20 :2'], '*3 *2 :10 :1 *2 :20 :2 *2 :30 :3'],
  ])('go together: %s of %j is %s', (rule, frames, result) => {
    expect(merged(rule, frames)).toBe(result);
  });

  it('nested too deep are an error, not a fault', () => {
    const deep = `*1 ${'*1 '.repeat(40)}:1`;
    expect(merged('latency-latest', [deep])).toBe('mismatch');
  });

  it('give any key that is there, as chance will have it', () => {
    const frames = ['$1 a', '_', '$1 b', '$1 c'];
    const chosen = [0, 0.34, 0.999].map((number) => merged('any-not-nil', frames, { random: () => number }));
    expect(chosen).toEqual(['$1 a', '$1 b', '$1 c']);
  });
});

describe('elements of several parts', () => {
  const frames = ['*3 $1 a _ $2 cc', '*2 $0  $1 e'];

  it('come back in the order of the request', () => {
    expect(merged('request-order', frames, { partOf: [0, 1, 0, 0, 1] })).toBe('*5 $1 a $0  _ $2 cc $1 e');
    expect(merged('request-order', frames, { partOf: [1, 1, 0, 0, 0] })).toBe('*5 $0  $1 e $1 a _ $2 cc');
  });

  it('may each come from another part, of any number of them', () => {
    const many = Array.from({ length: 300 }, (_, i) => `*1 $3 ${i + 100}`);
    const partOf = many.map((_, i) => many.length - 1 - i);
    const values = partOf.map((part) => `$3 ${part + 100}`);
    expect(merged('request-order', many, { partOf })).toBe(`*300 ${values.join(' ')}`);
  });

  it('may be nil in the words of RESP2', () => {
    expect(merged('request-order', ['*1 $-1', '*1 $1 a'], { partOf: [1, 0] })).toBe('*2 $1 a $-1');
  });

  it.each<[string, readonly string[], readonly number[]]>([
    ['too few', frames, [0, 1, 0, 0]],
    ['too many', frames, [0, 1, 0, 0, 1, 1]],
    ['from a part that is not there', frames, [0, 1, 0, 0, 2]],
    ['of another kind', ['*1 :1'], [0]],
    ['of a nil array', ['*-1'], []],
    ['cut off', ['*1 $9 a'], [0]],
    ['cut off as much as another has left over', ['*1 $4 a', '*2 $1 b _'], [0, 1]],
    ['of no length', ['*1 $x a'], [0]],
  ])('that are %s are an error', (_, parts, partOf) => {
    expect(merged('request-order', parts, { partOf })).toBe('mismatch');
  });

  it('are asked for in vain without their order', () => {
    expect(merged('request-order', frames)).toBe('mismatch');
  });
});

describe('logs of several shards', () => {
  const slow = [
    '*2 *6 :7 :300 :9 *1 $3 GET $1 x $0  *6 :6 :100 :9 *1 $3 GET $1 x $0 ',
    '*1 *6 :2 :200 :9 *1 $3 SET $1 y $0 ',
  ];
  const byId = (text: string): string[] =>
    [...text.matchAll(/\*6 :(\d+)/g)].map((match) => match[1] as string);

  it('begin with what is newest', () => {
    expect(byId(merged('newest', slow))).toEqual(['7', '2', '6']);
  });

  it('have as many entries as were asked for', () => {
    const reply = merged('newest', slow, { limit: 2 });
    expect(reply.startsWith('*2 ')).toBe(true);
    expect(byId(reply)).toEqual(['7', '2']);
  });

  it('know by its age when an entry of the ACL log was made', () => {
    const entry = (name: string, age: string): string => `%2 $8 username $1 ${name} $11 age-seconds ,${age}`;
    const reply = merged('newest', [
      `*2 ${entry('a', '0.5')} ${entry('b', '90')}`,
      `*1 ${entry('c', '7.25')}`,
    ]);
    expect([...reply.matchAll(/\$1 (\w)/g)].map((match) => match[1])).toEqual(['a', 'c', 'b']);
  });

  it('whose entries have no time are an error', () => {
    expect(merged('newest', ['*1 $1 a'])).toBe('mismatch');
    expect(merged('newest', ['*1 %0'])).toBe('mismatch');
  });

  it.each<[readonly string[], number]>([
    [['SLOWLOG', 'GET'], 10],
    [['SLOWLOG', 'GET', '3'], 3],
    [['SLOWLOG', 'GET', '-1'], -1],
    [['ACL', 'LOG', 'RESET'], 10],
  ])('are asked for by %j: %i entries', (args, limit) => {
    expect(entryLimit(requestOf(...args))).toBe(limit);
  });
});

describe('latency events of several shards', () => {
  it('have the last spike of all and the worst of all', () => {
    const frames = ['*2 *4 $4 fork :50 :5 :90 *4 $3 aof :10 :1 :1', '*1 *4 $4 fork :60 :6 :70'];
    expect(merged('latency-latest', frames)).toBe('*2 *4 $4 fork :60 :6 :90 *4 $3 aof :10 :1 :1');
  });

  it('have added what newer servers add up', () => {
    const frames = ['*1 *6 $4 fork :50 :5 :90 :95 :2', '*1 *6 $4 fork :60 :6 :70 :76 :3'];
    expect(merged('latency-latest', frames)).toBe('*1 *6 $4 fork :60 :6 :90 :171 :5');
  });

  it('of each command are counted together, up to each time', () => {
    const frames = [
      '%1 $3 get %2 $5 calls :5 $14 histogram_usec %2 :1 :2 :8 :5',
      '%2 $3 get %2 $5 calls :4 $14 histogram_usec %2 :4 :3 :16 :4 $3 set %2 $5 calls :1 $14 histogram_usec %1 :2 :1',
    ];
    expect(merged('latency-histogram', frames)).toBe(
      '%2 $3 get %2 $5 calls :9 $14 histogram_usec %4 :1 :2 :4 :5 :8 :8 :16 :9 ' +
        '$3 set %2 $5 calls :1 $14 histogram_usec %1 :2 :1',
    );
  });
});
