import { describe, expect, it } from 'vitest';

import { splitInline } from '../../../src/protocol/inline.ts';

function split(line: string): string[] | undefined {
  return splitInline(Buffer.from(line, 'latin1'))?.map((arg) => arg.toString('latin1'));
}

describe('splitInline', () => {
  it.each<[string, string, string[]]>([
    ['splits at blanks', 'GET  a\tb ', ['GET', 'a', 'b']],
    ['gives no argument for a blank line', ' \t\v\f\r ', []],
    ['gives no argument for an empty line', '', []],
    ['keeps empty quotes as empty arguments', `"" ''`, ['', '']],
    ['keeps blanks within quotes', `"a b" 'c d'`, ['a b', 'c d']],
    ['lets a word go on into quotes', `a"b c"`, ['ab c']],
    ['lets quotes of the other kind stand', `"it's" 'say "x"'`, ["it's", 'say "x"']],
    ['reads the escapes of double quotes', '"\\n\\r\\t\\b\\a"', ['\n\r\t\b\x07']],
    ['takes an unknown escape for itself', '"\\q\\"\\\\"', ['q"\\']],
    ['reads hexadecimal escapes of either case', '"\\x41\\xfF\\x00"', ['A\xff\0']],
    ['takes an incomplete hexadecimal escape for itself', '"\\x4" "\\xg1" "\\x"', ['x4', 'xg1', 'x']],
    ['knows one escape in single quotes', `'it\\'s \\x41 \\n'`, ["it's \\x41 \\n"]],
    ['leaves backslashes outside quotes alone', 'a\\nb \\"c d"', ['a\\nb', '\\c d']],
    ['skips a vertical tab between words but not within one', '\va\vb\f c', ['a\vb\f', 'c']],
    ['ends a quoted word at a vertical tab', '"a"\vb', ['a', 'b']],
    ['keeps bytes above 127', '\xfe "\xff"', ['\xfe', '\xff']],
  ])('%s', (_, line, expected) => {
    expect(split(line)).toEqual(expected);
  });

  it.each(['"', "'", '"a', "'a", 'a "b', '"a"b', "'a'b", `"a"'b'`, '"a\\"', '"a\\', "'a\\'"])(
    'refuses %j',
    (line) => {
      expect(split(line)).toBeUndefined();
    },
  );
});
