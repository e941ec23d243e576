import { describe, expect, test } from 'vitest';

import { type ChannelMessage, parseMessage } from '../../../src/invalidation/message.ts';

function parse(payload: string | Buffer): ChannelMessage | undefined {
  return parseMessage(Buffer.from(payload as string));
}

function concerns(message: ChannelMessage | undefined, key: string): boolean {
  return (
    message?.keys.includes(key) === true || message?.patterns.some((pattern) => pattern.fits(key)) === true
  );
}

describe('one key', () => {
  test.each([
    ['user:42', 'user:42'],
    ['é', '\xc3\xa9'],
    ['{user42}:cart', '{user42}:cart'],
    ['{}:x', '{}:x'],
    [' spaces and\nlines ', ' spaces and\nlines '],
    ['"quoted"', '"quoted"'],
    ['17', '17'],
  ])('%s', (payload, key) => {
    expect(parse(payload)).toEqual({ form: 'key', keys: [key], patterns: [], publisher: undefined });
  });

  test('of any bytes', () => {
    expect(parseMessage(Buffer.from([0xff, 0, 0x80]))?.keys).toEqual(['\xff\0\x80']);
  });
});

test('a JSON array is a list of keys, whose text means its UTF-8 bytes', () => {
  expect(parse(' ["a", "é", ""]')).toEqual({
    form: 'list',
    keys: ['a', '\xc3\xa9', ''],
    patterns: [],
    publisher: undefined,
  });
  expect(parse('[]')?.keys).toEqual([]);
});

describe('an object', () => {
  test('names keys, also of any bytes', () => {
    const message = parse('{"v":1,"keys":["a","é"],"keysBase64":["/wA="]}');
    expect([message?.form, message?.keys]).toEqual(['object', ['a', '\xc3\xa9', '\xff\0']]);
  });

  test('names all keys that begin so, and all with a hash tag', () => {
    const message = parse('{ "v": 1, "prefixes": ["user:42:", "é"], "tags": ["t"] }');
    const keys = ['user:42:', 'user:42:x', 'user:4', '\xc3\xa9x', '{t}', 'a{t}b', 't', '{t2}'];
    expect(keys.map((key) => concerns(message, key))).toEqual([
      true,
      true,
      false,
      true,
      true,
      true,
      false,
      false,
    ]);
  });

  test('says who sent it, and which of its messages it is', () => {
    expect(parse('{"v":1,"from":"p","seq":17,"keys":["a"]}')?.publisher).toEqual({
      id: 'p',
      seq: 17,
      isReset: false,
      scope: '',
    });
    const reset = parse(
      '{"v":1,"from":"p","seq":0,"reset":true,"scope":"é:","keys":["é:1"],"prefixes":["é:x"]}',
    );
    expect(reset?.publisher).toEqual({ id: 'p', seq: 0, isReset: true, scope: '\xc3\xa9:' });
  });
});

describe('what is not understood', () => {
  test.each([
    ['nothing', ''],
    ['broken JSON', '["a"'],
    ['a broken object', '{"v":1'],
    ['a byte order mark', '\ufeff["a"]'],
    ['an empty object', '{}'],
    ['another version', '{"v":2,"keys":["a"]}'],
    ['no version', '{"keys":["a"]}'],
    ['an unknown field', '{"v":1,"keys":["a"],"pattern":"*"}'],
    ['a number for a key', '[1]'],
    ['half a character', '["\\ud800"]'],
    ['no base64', '{"v":1,"keysBase64":["*"]}'],
    ['an empty tag', '{"v":1,"tags":[""]}'],
    ['a tag that no key can have', '{"v":1,"tags":["a}"]}'],
    ['a publisher without a number', '{"v":1,"from":"p"}'],
    ['a number without a publisher', '{"v":1,"seq":1}'],
    ['a scope without a publisher', '{"v":1,"scope":"a"}'],
    ['a number below 0', '{"v":1,"from":"p","seq":-1}'],
    ['half a number', '{"v":1,"from":"p","seq":1.5}'],
    ['a number that is none any more', '{"v":1,"from":"p","seq":9007199254740993}'],
    ['a nameless publisher', '{"v":1,"from":"","seq":1}'],
    ['a key beyond the scope', '{"v":1,"from":"p","seq":1,"scope":"a:","keys":["b:1"]}'],
    ['a prefix beyond the scope', '{"v":1,"from":"p","seq":1,"scope":"a:","prefixes":["a"]}'],
    ['a tag with a scope', '{"v":1,"from":"p","seq":1,"scope":"a:","tags":["t"]}'],
  ])('%s', (_, payload) => {
    expect(parse(payload)).toBeUndefined();
  });

  test('JSON in bytes that are no UTF-8', () => {
    expect(parseMessage(Buffer.from('["\xff"]', 'latin1'))).toBeUndefined();
  });

  test('more than a mebibyte', () => {
    expect(parse('x'.repeat(1024 * 1024))).toBeDefined();
    expect(parse('x'.repeat(1024 * 1024 + 1))).toBeUndefined();
  });
});
