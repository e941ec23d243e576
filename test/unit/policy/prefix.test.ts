import { expect, test } from 'vitest';
import { parsePrefix, printPrefix } from '../../../src/policy/prefix.ts';

test.each([
  ['session:', Buffer.from('session:')],
  ['', Buffer.alloc(0)],
  ['ü', Buffer.from([0xc3, 0xbc])],
  ['a\\x2c\\xfFz', Buffer.from([0x61, 0x2c, 0xff, 0x7a])],
  ['\\\\x41', Buffer.from('\\x41')],
  ['\\\\', Buffer.from('\\')],
])('%s is read', (text, bytes) => {
  expect(parsePrefix(text)).toEqual(bytes);
});

test.each(['\\', 'a\\q', '\\x4', '\\xg0', '\\\\\\', '\\X41'])('%s is refused', (text) => {
  expect(parsePrefix(text)).toBeUndefined();
});

test.each([
  [Buffer.from('user:{1}'), 'user:{1}'],
  [Buffer.from('a b,c;d\\e\n'), 'a\\x20b\\x2cc\\x3bd\\x5ce\\x0a'],
  [Buffer.from([0, 0x7f, 0x80, 0xff]), '\\x00\\x7f\\x80\\xff'],
])('%s is printed in visible ASCII', (bytes, text) => {
  expect(printPrefix(bytes)).toBe(text);
});
