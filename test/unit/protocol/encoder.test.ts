import { describe, expect, it } from 'vitest';

import {
  bulkReply,
  encodeReply,
  encodeRequest,
  errorReply,
  integerReply,
  type ReplyValue,
} from '../../../src/protocol/encoder.ts';

const simple = (text: string): ReplyValue => ({ type: 'simple', text });

describe('encodeRequest', () => {
  it('writes strings as UTF-8 and buffers as they are', () => {
    expect(encodeRequest(['SET', 'ä', Buffer.from([0xff, 13, 10])])).toEqual(
      Buffer.concat([
        Buffer.from('*3\r\n$3\r\nSET\r\n$2\r\nä\r\n$3\r\n'),
        Buffer.from([0xff, 13, 10]),
        Buffer.from('\r\n'),
      ]),
    );
  });
});

describe('errorReply', () => {
  it('keeps a client’s bytes from ending the line', () => {
    expect(errorReply("ERR Protocol error: expected '$', got '\r\n'").toString('latin1')).toBe(
      "-ERR Protocol error: expected '$', got '  '\r\n",
    );
  });

  it('writes one byte a char, so that a client’s bytes come back as they were', () => {
    expect(errorReply("ERR unknown command '\xff\xfe'").toString('latin1')).toBe(
      "-ERR unknown command '\xff\xfe'\r\n",
    );
  });

  it('writes a char of more than one byte as a question mark, never as a line end', () => {
    expect(errorReply('ERR \u010d\u010a').toString('latin1')).toBe('-ERR ??\r\n');
  });
});

describe('encodeReply', () => {
  it.each<[ReplyValue, string, string]>([
    [simple('OK'), '+OK', '+OK'],
    [simple('a\r\nb'), '+a  b', '+a  b'],
    [{ type: 'error', text: 'ERR x\ny' }, '-ERR x y', '-ERR x y'],
    [{ type: 'integer', value: -7 }, ':-7', ':-7'],
    [{ type: 'integer', value: 9_223_372_036_854_775_807n }, ':9223372036854775807', ':9223372036854775807'],
    [{ type: 'bulk', bytes: 'ä' }, '$2 Ã¤', '$2 Ã¤'],
    [{ type: 'bulk', bytes: Buffer.from([255]) }, '$1 \xff', '$1 \xff'],
    [{ type: 'verbatim', text: 'a:b' }, '$3 a:b', '=7 txt:a:b'],
    [{ type: 'double', value: 1.5 }, '$3 1.5', ',1.5'],
    [{ type: 'double', value: Infinity }, '$3 inf', ',inf'],
    [{ type: 'double', value: -Infinity }, '$4 -inf', ',-inf'],
    [{ type: 'double', value: NaN }, '$3 nan', ',nan'],
    [{ type: 'boolean', value: true }, ':1', '#t'],
    [{ type: 'boolean', value: false }, ':0', '#f'],
    [{ type: 'nil' }, '$-1', '_'],
    [{ type: 'nil-array' }, '*-1', '_'],
    [{ type: 'array', items: [simple('a'), { type: 'nil' }] }, '*2 +a $-1', '*2 +a _'],
    [{ type: 'set', items: [simple('a')] }, '*1 +a', '~1 +a'],
    [{ type: 'push', items: [simple('a')] }, '*1 +a', '>1 +a'],
    [{ type: 'map', entries: [[simple('a'), { type: 'map', entries: [] }]] }, '*2 +a *0', '%1 +a %0'],
  ])('encodes %o in both protocols', (value, resp2, resp3) => {
    const text = (proto: 2 | 3): string =>
      encodeReply(value, proto).toString('latin1').replaceAll('\r\n', ' ').trimEnd();
    expect([text(2), text(3)]).toEqual([resp2, resp3]);
  });

  it('has short forms for a bulk and an integer', () => {
    expect(bulkReply('abc').toString()).toBe('$3\r\nabc\r\n');
    expect(integerReply(12).toString()).toBe(':12\r\n');
  });
});
