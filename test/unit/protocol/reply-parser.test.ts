import { describe, expect, it } from 'vitest';

import { parseReply, type Reply } from '../../../src/protocol/reply-parser.ts';

function parse(lines: string): Reply {
  const frame = Buffer.from(`x${lines.replaceAll(' ', '\r\n')}\r\nx`, 'latin1');
  return parseReply(frame, 1, frame.length - 1);
}

describe('parseReply', () => {
  it.each<[string, Reply]>([
    ['+OK', 'OK'],
    ['-ERR', { error: 'ERR' }],
    [':-12', -12],
    ['$3 a\xffb', 'a\xffb'],
    ['$0 ', ''],
    ['$-1', undefined],
    ['*-1', undefined],
    ['_', undefined],
    ['#t', true],
    ['#f', false],
    [',1.5', 1.5],
    [',inf', Infinity],
    [',-inf', -Infinity],
    ['(123456789012345678901', '123456789012345678901'],
    ['=7 txt:abc', 'abc'],
    ['!3 ERR', { error: 'ERR' }],
    ['*2 :1 *1 $1 a', [1, ['a']]],
    ['~1 :1', [1]],
    ['>2 +invalidate *1 $1 k', ['invalidate', ['k']]],
    ['|1 +ttl :1 $1 a', 'a'],
    ['*1 |1 +ttl :1 $1 a', ['a']],
    [
      '%3 $6 server $5 redis $2 id :7 $7 modules *0',
      new Map<Reply, Reply>([
        ['server', 'redis'],
        ['id', 7],
        ['modules', []],
      ]),
    ],
  ])('reads %j', (lines, value) => {
    expect(parse(lines)).toEqual(value);
  });

  it.each(['$5 ab', '*2 :1', '%1 +a', '=9 txt:', '?', '$x', '*x'])(
    'throws for %j, which is no whole frame',
    (lines) => {
      expect(() => parse(lines)).toThrow(RangeError);
    },
  );

  it('throws for a line that is cut', () => {
    expect(() => parseReply(Buffer.from(':12\r\n'), 0, 4)).toThrow(RangeError);
    expect(() => parseReply(Buffer.from(':12'), 0, 3)).toThrow(RangeError);
  });

  it('throws rather than follow a frame without end', () => {
    expect(() => parse(`${'*1 '.repeat(100_000)}:1`)).toThrow(RangeError);
    expect(() => parse(`${'|0 '.repeat(100_000)}:1`)).toThrow(RangeError);
  });
});
