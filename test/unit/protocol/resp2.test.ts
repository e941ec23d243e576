import { describe, expect, it } from 'vitest';

import { type Resp2How, type Resp2Row, toResp2 } from '../../../src/protocol/resp2.ts';

const plain: Resp2How = { shape: 'plain', argc: 2, inExec: false };

/** Lines are written with a blank between them. */
function wire(lines: string): Buffer {
  return Buffer.from(`${lines.replaceAll(' ', '\r\n')}\r\n`, 'latin1');
}

function convert(lines: string, how: Partial<Resp2How> = {}): string {
  const frame = Buffer.concat([Buffer.from('|1'), wire(lines), Buffer.from('|1\r\n')]);
  const converted = toResp2(frame, 2, frame.length - 4, { ...plain, ...how });
  return converted.toString('latin1').replaceAll('\r\n', ' ').trimEnd();
}

describe('toResp2 by the structural rule', () => {
  it.each([
    ['nil', '_', '$-1'],
    ['nested nil', '*2 _ *1 _', '*2 $-1 *1 $-1'],
    ['a map', '%2 $1 a :1 $1 b :2', '*4 $1 a :1 $1 b :2'],
    ['an empty map', '%0', '*0'],
    ['maps in maps', '%1 %1 +a +b %2 +c ~0 +d %0', '*2 *2 +a +b *4 +c *0 +d *0'],
    ['a map of five, whose count gets one more digit', `%5${' :1'.repeat(10)}`, `*10${' :1'.repeat(10)}`],
    ['a set', '~2 $1 a $1 b', '*2 $1 a $1 b'],
    ['a double', ',0.10000000000000001', '$19 0.10000000000000001'],
    ['doubles that no number prints so', '*4 ,1e+22 ,-inf ,-nan ,inf', '*4 $5 1e+22 $4 -inf $4 -nan $3 inf'],
    ['a true', '#t', ':1'],
    ['a false', '#f', ':0'],
    ['a big number', '(1234567999999999999999999999999999999', '$37 1234567999999999999999999999999999999'],
    ['a verbatim text', '=8 txt:a,b!', '$4 a,b!'],
    ['an empty verbatim text', '=4 txt:', '$0 '],
    ['an answer of the push type', '>3 $9 subscribe $1 a :1', '*3 $9 subscribe $1 a :1'],
    ['a push within EXEC', '*2 >3 $9 subscribe $1 a :1 +OK', '*2 *3 $9 subscribe $1 a :1 +OK'],
    ['an attribute', '|1 $3 ttl :3600 $1 a', '$1 a'],
    ['attributes within', '*2 |1 +a %1 +b ~1 _ :1 |0 _', '*2 :1 $-1'],
    ['an attribute of an attribute', '|1 |1 +a *1 +b +c :1 $1 a', '$1 a'],
    ['a blob error', '!5 ERR:x', '-ERR:x'],
  ])('converts %s', (_, resp3, resp2) => {
    expect(convert(resp3)).toBe(resp2.trimEnd());
  });

  it('joins the lines of a blob error, since a RESP2 error is one line', () => {
    const frame = Buffer.from('!8\r\nERR a\r\nb\r\n');
    expect(toResp2(frame, 0, frame.length, plain).toString()).toBe('-ERR a  b\r\n');
  });

  it.each([
    '+OK',
    '-ERR:x',
    ':1',
    '$3 abc',
    '$0 ',
    '$-1',
    '*-1',
    '*0',
    '*2 *2 $1 a :1 *0',
    '$9 _\r\n%1\r\n,1',
  ])('leaves %j as it is', (frame) => {
    expect(convert(frame)).toBe(frame.replaceAll('\r\n', ' ').trimEnd());
  });

  it('does not look into bulks', () => {
    expect(convert('*2 $4 _\r\n_ ~1 $4 #t\r\n')).toBe('*2 $4 _ _ *1 $4 #t');
  });

  it('converts arrays of any depth', () => {
    expect(convert(`${'*1 '.repeat(8000)}_`)).toBe(`${'*1 '.repeat(8000)}$-1`);
  });

  it('grows beyond what it expected', () => {
    expect(convert(`*5000${' _'.repeat(5000)}`)).toBe(`*5000${' $-1'.repeat(5000)}`);
  });

  it('throws for a cut frame rather than answer with a part of it', () => {
    for (const lines of ['*2 :1', '%1 +a', '$5 ab', '+O', '*1 =9 txt:', '~1 !5 a', '|1 +a :1']) {
      const frame = wire(lines).subarray(0, -1);
      expect(() => toResp2(frame, 0, frame.length, plain)).toThrow(RangeError);
    }
  });
});

describe('toResp2 by the rows of the table', () => {
  it.each<[string, string, string, Partial<Resp2How>]>([
    ['splices pairs', '*2 *2 $1 m ,1 *2 $1 n ,2.5', '*4 $1 m $1 1 $1 n $3 2.5', { shape: 'flatten' }],
    [
      'splices pairs of bulks',
      '*2 *2 $1 f $1 v *2 $1 g $1 w',
      '*4 $1 f $1 v $1 g $1 w',
      { shape: 'flatten' },
    ],
    ['splices a single pair', '*1 *2 $1 m ,1', '*2 $1 m $1 1', { shape: 'flatten' }],
    ['splices one level only', '*1 *2 *1 $1 m ,1', '*2 *1 $1 m $1 1', { shape: 'flatten' }],
    ['splices empty arrays', '*2 *0 *0', '*0', { shape: 'flatten' }],
    ['keeps a flat array', '*2 $1 m ,1', '*2 $1 m $1 1', { shape: 'flatten' }],
    ['keeps an array that is only partly nested', '*2 *1 ,1 ,1', '*2 *1 $1 1 $1 1', { shape: 'flatten' }],
    ['keeps an empty array', '*0', '*0', { shape: 'flatten' }],
    ['keeps a nil array', '*-1', '*-1', { shape: 'flatten' }],
    ['keeps an array with a nil array', '*1 *-1', '*1 *-1', { shape: 'flatten' }],
    ['answers nil to a random member of nothing', '_', '$-1', { shape: 'flatten' }],
    ['splices around attributes', '*1 |1 +a +b *1 |0 ,1', '*1 $1 1', { shape: 'flatten' }],
    [
      'makes pairs of streams',
      '%2 $1 a *1 *2 $3 1-0 *2 $1 f $1 v $1 b *0',
      '*2 *2 $1 a *1 *2 $3 1-0 *2 $1 f $1 v *2 $1 b *0',
      { shape: 'streams' },
    ],
    [
      'gives a deleted entry a nil array',
      '%1 $1 a *2 *2 $3 1-0 _ *2 $3 2-0 *2 $1 f $1 v',
      '*1 *2 $1 a *2 *2 $3 1-0 *-1 *2 $3 2-0 *2 $1 f $1 v',
      { shape: 'streams' },
    ],
    [
      'drops attributes of streams',
      '%1 |0 +a |0 *1 |0 *2 |0 +b |0 _',
      '*1 *2 +a *1 *2 +b *-1',
      { shape: 'streams' },
    ],
    [
      'follows the rule where entries are no arrays',
      '%2 +a _ +b *1 ,1',
      '*2 *2 +a $-1 *2 +b *1 $1 1',
      { shape: 'streams' },
    ],
    ['answers a nil array without streams', '_', '*-1', { shape: 'streams' }],
    ['answers a nil array to a pop of nothing', '_', '*-1', { shape: 'nil-array' }],
    ['does the same inside EXEC', '_', '*-1', { shape: 'nil-array', inExec: true }],
    ['does not flatten ZMPOP', '*2 $1 z *1 *2 $1 m ,1', '*2 $1 z *1 *2 $1 m $1 1', { shape: 'nil-array' }],
    ['answers LPOP without a count', '_', '$-1', { shape: 'nil-array-with-count', argc: 2 }],
    ['answers LPOP with a count', '_', '*-1', { shape: 'nil-array-with-count', argc: 3 }],
    ['answers BLMOVE that waited', '_', '*-1', { shape: 'nil-array-when-waited', argc: 6 }],
    ['answers BLMOVE inside EXEC', '_', '$-1', { shape: 'nil-array-when-waited', argc: 6, inExec: true }],
    [
      'gives absent positions a nil array',
      '*3 _ *2 ,1.5 ,2 _',
      '*3 *-1 *2 $3 1.5 $1 2 *-1',
      { shape: 'nil-array-elements' },
    ],
    [
      'summarises no pending entries',
      '*4 :0 _ _ _',
      '*4 :0 $-1 $-1 *-1',
      { shape: 'pending-summary', argc: 3 },
    ],
    [
      'summarises pending entries',
      '*4 :1 $3 1-0 $3 1-0 *1 *2 $1 c $1 1',
      '*4 :1 $3 1-0 $3 1-0 *1 *2 $1 c $1 1',
      { shape: 'pending-summary', argc: 3 },
    ],
    [
      'leaves the long form of XPENDING alone',
      '*4 _ _ _ _',
      '*4 $-1 $-1 $-1 $-1',
      { shape: 'pending-summary', argc: 6 },
    ],
    ['answers a nil array to an aborted EXEC', '_', '*-1', { shape: 'exec', argc: 1 }],
  ])('%s', (_, resp3, resp2, how) => {
    expect(convert(resp3, how)).toBe(resp2);
  });

  it.each([
    'flatten',
    'streams',
    'nil-array',
    'nil-array-with-count',
    'nil-array-when-waited',
    'nil-array-elements',
    'pending-summary',
    'exec',
  ] as const)('leaves an error as it is (%s)', (shape) => {
    expect(convert('-WRONGTYPE', { shape, argc: 3, queued: [] })).toBe('-WRONGTYPE');
  });

  it('converts each element of EXEC by its own command', () => {
    const queued: Resp2Row[] = [
      { shape: 'plain', argc: 2 },
      { shape: 'nil-array-with-count', argc: 3 },
      { shape: 'nil-array-when-waited', argc: 6 },
      { shape: 'flatten', argc: 5 },
      { shape: 'streams', argc: 4 },
      { shape: 'nil-array-elements', argc: 3 },
      { shape: 'plain', argc: 2 },
    ];
    expect(convert('*7 _ _ _ *1 *2 $1 m ,1 %1 +s *0 *1 _ -ERR', { shape: 'exec', argc: 1, queued })).toBe(
      '*7 $-1 *-1 $-1 *2 $1 m $1 1 *1 *2 +s *0 *1 *-1 -ERR',
    );
  });

  it('converts elements of EXEC that it does not know by the structural rule', () => {
    expect(convert('*2 _ %0', { shape: 'exec', argc: 1, queued: [{ shape: 'exec', argc: 1 }] })).toBe(
      '*2 $-1 *0',
    );
    expect(convert('*1 _', { shape: 'exec', argc: 1 })).toBe('*1 $-1');
  });
});
