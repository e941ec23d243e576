import { describe, expect, it } from 'vitest';

import type { RequestLimits } from '../../../src/protocol/limits.ts';
import { DEFAULT_REQUEST_LIMITS } from '../../../src/protocol/limits.ts';
import { BIG, MORE, REQUEST, RequestDecoder } from '../../../src/protocol/request-decoder.ts';
import {
  argsOf,
  decodeChunks,
  type Decoded,
  type DecodingOptions,
  waysToCut,
} from '../../support/decoding.ts';
import { MALFORMED } from '../../support/malformed-requests.ts';

interface Case {
  title: string;
  bytes: string;
  expected: Decoded[];
  options?: DecodingOptions;
}

const stranger: DecodingOptions = { authenticated: false };
const long = 'v'.repeat(20_000);

const CASES: Case[] = [
  { title: 'decodes a command without arguments', bytes: '*1\r\n$4\r\nPING\r\n', expected: [['PING']] },
  {
    title: 'decodes pipelined commands one after another',
    bytes: '*2\r\n$3\r\nGET\r\n$1\r\na\r\n*3\r\n$3\r\nSET\r\n$1\r\nb\r\n$2\r\nhi\r\n',
    expected: [
      ['GET', 'a'],
      ['SET', 'b', 'hi'],
    ],
  },
  { title: 'decodes empty arguments', bytes: '*2\r\n$0\r\n\r\n$0\r\n\r\n', expected: [['', '']] },
  {
    title: 'leaves line ends and NUL inside an argument alone',
    bytes: '*2\r\n$4\r\nECHO\r\n$6\r\n\r\n\0$1\n\r\n',
    expected: [['ECHO', '\r\n\0$1\n']],
  },
  {
    title: 'keeps bytes above 127 apart',
    bytes: '*2\r\n$3\r\nGET\r\n$2\r\n\xfe\xff\r\n',
    expected: [['GET', '\xfe\xff']],
  },
  {
    title: 'reads counts and lengths of two to six digits',
    bytes: `*12\r\n${'$1\r\nx\r\n'.repeat(11)}$20000\r\n${long}\r\n`,
    expected: [[...Array<string>(11).fill('x'), long]],
  },
  {
    title: 'keeps apart more arguments than it first has room for',
    bytes: `*40\r\n${numbers(40)
      .map((text) => `$2\r\n${text}\r\n`)
      .join('')}`,
    expected: [numbers(40)],
  },
  {
    title: 'keeps apart more words than it first has room for',
    bytes: `${numbers(40).join(' ')}\r\n`,
    expected: [numbers(40)],
  },
  {
    title: 'does not look at the two bytes behind an argument, as Redis does not',
    bytes: '*2\r\n$4\r\nECHOxx$2\r\nhiyy*1\r\n$4\r\nPINGzz',
    expected: [['ECHO', 'hi'], ['PING']],
  },
  {
    title: 'does not look at the byte behind a carriage return, as Redis does not',
    bytes: '*1\rX$4\rYPING\r\n',
    expected: [['PING']],
  },
  {
    title: 'consumes counts of nought and below without an answer',
    bytes: '*0\r\n*-1\r\n*-9223372036854775808\r\n*1\r\n$4\r\nPING\r\n',
    expected: ['empty', 'empty', 'empty', ['PING']],
  },
  {
    title: 'consumes empty and blank lines without an answer',
    bytes: '\r\n\n  \t \r\nPING\n',
    expected: ['empty', 'empty', 'empty', ['PING']],
  },
  {
    title: 'decodes inline requests between multibulk ones',
    bytes: 'GET a\r\n*1\r\n$4\r\nPING\r\nSET "b c" \'d\'\n',
    expected: [['GET', 'a'], ['PING'], ['SET', 'b c', 'd']],
  },
  {
    title: 'takes a carriage return within an inline line for a blank',
    bytes: 'PING\rhi\r\n',
    expected: [['PING', 'hi']],
  },
  { title: 'decodes an inline request whose name is empty', bytes: '""\r\n', expected: [['']] },
  {
    title: 'decodes an inline line of exactly the limit',
    bytes: `${'x'.repeat(65_535)}\r\n`,
    expected: [['x'.repeat(65_535)]],
  },
  {
    title: 'does not limit the arguments of an inline request before AUTH, as Redis does not',
    bytes: '1 2 3 4 5 6 7 8 9 10 11\r\n',
    expected: [['1', '2', '3', '4', '5', '6', '7', '8', '9', '10', '11']],
    options: stranger,
  },
  {
    title: 'accepts ten arguments and 16 KiB before AUTH',
    bytes: `*10\r\n${'$1\r\nx\r\n'.repeat(9)}$16384\r\n${long.slice(0, 16_384)}\r\n`,
    expected: [[...Array<string>(9).fill('x'), long.slice(0, 16_384)]],
    options: stranger,
  },
  {
    title: 'accepts more than ten arguments after AUTH',
    bytes: `*11\r\n${'$1\r\nx\r\n'.repeat(11)}`,
    expected: [Array<string>(11).fill('x')],
  },
  {
    title: 'obeys a smaller limit on arguments',
    bytes: '*2\r\n',
    expected: [{ error: 'invalid multibulk length' }],
    options: { limits: { argsMax: 1 } },
  },
  {
    title: 'obeys a smaller limit on an argument',
    bytes: '*1\r\n$4\r\nPING\r\n*1\r\n$5\r\n',
    expected: [['PING'], { error: 'invalid bulk length' }],
    options: { limits: { bulkBytes: 4 } },
  },
  {
    title: 'obeys a smaller limit on a line',
    bytes: 'PING\r\nPING!\r\n',
    expected: [['PING'], { error: 'too big inline request' }],
    options: { limits: { inlineBytes: 5 } },
  },
];

describe('RequestDecoder', () => {
  for (const { title, bytes, expected, options } of CASES) {
    for (const [way, chunks] of waysToCut(Buffer.from(bytes, 'latin1'))) {
      it(`${title} (${way})`, () => {
        expect(decodeChunks(chunks, options)).toEqual(expected);
      });
    }
  }

  for (const { name, bytes, error, isStranger } of MALFORMED) {
    for (const [way, chunks] of waysToCut(Buffer.from(bytes, 'latin1'))) {
      it(`refuses ${name} (${way})`, () => {
        expect(decodeChunks(chunks, { authenticated: isStranger !== true })).toEqual([{ error }]);
      });
    }
  }

  it('accepts as many arguments and as long ones as Redis does', () => {
    expect(decodeChunks([Buffer.from('*2147483647\r\n$4\r\nECHO\r\n$1000\r\n')])).toEqual([]);
    expect(decodeChunks([Buffer.from('*1\r\n$4\r\nPING\r\n*2\r\n$3\r\nGET\r\n$536870912\r\nab')])).toEqual([
      ['PING'],
    ]);
  });

  it('gives the request as a view on the caller’s bytes', () => {
    const buffer = Buffer.from('xx*2\r\n$3\r\nGET\r\n$1\r\na\r\nyy');
    const decoder = new RequestDecoder(DEFAULT_REQUEST_LIMITS);
    expect(decoder.next(buffer, 2, buffer.length)).toBe(REQUEST);
    expect(decoder.request.buffer).toBe(buffer);
    expect([decoder.request.start, decoder.request.end, decoder.consumedTo]).toEqual([2, 22, 22]);
    expect(argsOf(decoder.request.copy())).toEqual(['GET', 'a']);
  });

  it('encodes an inline request anew as a multibulk', () => {
    const buffer = Buffer.from('xxset "a b"\t\\x\r\nyy');
    const decoder = new RequestDecoder(DEFAULT_REQUEST_LIMITS);
    expect(decoder.next(buffer, 2, buffer.length)).toBe(REQUEST);
    expect(decoder.consumedTo).toBe(16);
    const { request } = decoder;
    expect(request.buffer.toString('latin1', request.start, request.end)).toBe(
      '*3\r\n$3\r\nset\r\n$3\r\na b\r\n$2\r\n\\x\r\n',
    );
    expect(argsOf(request)).toEqual(['set', 'a b', '\\x']);
  });

  it('begins anew after reset', () => {
    const decoder = new RequestDecoder(DEFAULT_REQUEST_LIMITS);
    const cut = Buffer.from('*2\r\n$3\r\nGET\r\n$5\r\nab');
    expect(decoder.next(cut, 0, cut.length)).toBe(MORE);
    decoder.reset();
    const ping = Buffer.from('*1\r\n$4\r\nPING\r\n');
    expect(decoder.next(ping, 0, ping.length)).toBe(REQUEST);
    expect(argsOf(decoder.request)).toEqual(['PING']);
  });

  it('gives back the memory that one request of many arguments took', () => {
    const decoder = new RequestDecoder(DEFAULT_REQUEST_LIMITS);
    const many = Buffer.from(`*50000\r\n${'$1\r\nx\r\n'.repeat(50_000)}`);
    expect(decoder.next(many, 0, many.length)).toBe(REQUEST);
    expect(decoder.request.argc).toBe(50_000);
    expect(decoder.request.bounds.length).toBeGreaterThanOrEqual(100_000);
    const ping = Buffer.from('*1\r\n$4\r\nPING\r\n');
    decoder.next(ping, 0, ping.length);
    expect(decoder.request.bounds.length).toBe(32);
  });
});

describe('RequestDecoder with a request over the limit', () => {
  const limits: RequestLimits = { ...DEFAULT_REQUEST_LIMITS, bigBytes: 100 };
  const body = 'v'.repeat(150);
  const set = `*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$150\r\n${body}\r\n`;
  const ping = '*1\r\n$4\r\nPING\r\n';

  function next(bytes: string): [number, string[]] {
    const decoder = new RequestDecoder(limits);
    const buffer = Buffer.from(bytes);
    const result = decoder.next(buffer, 0, buffer.length);
    return [result, argsOf(decoder.request)];
  }

  it('says so as soon as an argument is announced that is too long, with the arguments before it', () => {
    expect(next('*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$150\r')).toEqual([MORE, []]);
    expect(next('*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$150\r\n')).toEqual([BIG, ['SET', 'k']]);
    expect(next('*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$100\r\n')).toEqual([MORE, []]);
  });

  it('says so when the bytes held are too many although each argument is short', () => {
    const half = `*40\r\n$4\r\nMGET\r\n${'$1\r\nk\r\n'.repeat(12)}`;
    expect(half.length).toBe(99);
    expect(next(`${half}$`)).toEqual([MORE, []]);
    expect(next(`${half}$1`)).toEqual([BIG, ['MGET', ...Array<string>(12).fill('k')]]);
  });

  it('takes a request that is here whole however large it is', () => {
    expect(next(set)).toEqual([REQUEST, ['SET', 'k', body]]);
  });

  it('waits for the command name before it says so', () => {
    expect(next(`*2\r\n$95\r\n${'x'.repeat(95)}`)).toEqual([MORE, []]);
    expect(next(`*2\r\n$95\r\n${'x'.repeat(95)}\r\n`)).toEqual([BIG, ['x'.repeat(95)]]);
  });

  it('does not collect a command name that is itself too long: no argument is known then', () => {
    expect(next('*2\r\n$101\r\nxx')).toEqual([BIG, []]);
  });

  for (const [way, chunks] of waysToCut(Buffer.from(ping + set + ping))) {
    it(`finds where it ends and what follows (${way})`, () => {
      const [first, big, last] = decodeChunks(chunks, { limits });
      expect([first, last]).toEqual([['PING'], ['PING']]);
      expect(big).toEqual(way === 'byte by byte' ? { big: ['SET', 'k'], bytes: set } : ['SET', 'k', body]);
    });
  }

  it('skims several in a row', () => {
    const bytes = Buffer.from(set + set + ping);
    const chunks = [bytes.subarray(0, 60), bytes.subarray(60, 230), bytes.subarray(230)];
    expect(decodeChunks(chunks, { limits })).toEqual([
      { big: ['SET', 'k'], bytes: set },
      { big: ['SET', 'k'], bytes: set },
      ['PING'],
    ]);
  });

  it('refuses a malformed argument behind a big one in Redis’s words', () => {
    const begin = `*5\r\n$3\r\nSET\r\n$150\r\n${body}\r\n`;
    for (const [rest, error] of [
      ['$-1\r\n', 'invalid bulk length'],
      ['$01\r\n', 'invalid bulk length'],
      [`$${'1'.repeat(40)}\r\n`, 'invalid bulk length'],
      ['x\r\n', "expected '$', got 'x'"],
      ['\r\n', "expected '$', got '\r'"],
      [`$${'1'.repeat(65_536)}`, 'too big bulk count string'],
      [`$1\0\r\n${'1'.repeat(65_536)}`, 'too big bulk count string'],
    ] as const) {
      const chunks = [Buffer.from(begin.slice(0, 30)), Buffer.from(begin.slice(30)), Buffer.from(rest)];
      expect(decodeChunks(chunks, { limits })).toEqual([{ error }]);
      const inOne = [Buffer.from(begin.slice(0, 30)), Buffer.from(begin.slice(30) + rest)];
      expect(decodeChunks(inOne, { limits })).toEqual([{ error }]);
    }
  });

  it('keeps the limit of strangers while it skims', () => {
    const chunks = [Buffer.from('*3\r\n$3\r\nSET\r\n$150\r\n'), Buffer.from(`${body}\r\n$16385\r\n`)];
    expect(decodeChunks(chunks, { limits, authenticated: false })).toEqual([
      { error: 'unauthenticated bulk length' },
    ]);
  });
});

function numbers(count: number): string[] {
  return Array.from({ length: count }, (_, index) => String(index + 10));
}
