import { describe, expect, it } from 'vitest';
import { HashTag } from '../../../src/route/hash-tag.ts';

/** The part of `key` that decides, where the key is in the middle of other bytes. */
function located(characters: string, key: string): string {
  const tag = new HashTag(characters);
  const bytes = Buffer.from(`{}${key}{}`, 'latin1');
  tag.locate(bytes, 2, bytes.length - 2);
  return bytes.toString('latin1', tag.start, tag.end);
}

describe('a hash tag', () => {
  it.each([
    ['{user}.name', 'user'],
    ['name.{user}', 'user'],
    ['a{b}c{d}', 'b'],
    ['{{user}}', '{user'],
    ['}{user}', 'user'],
    ['{\xff\0}', '\xff\0'],
  ])('makes the part between the first opening and the next closing character decide: %j', (key, part) => {
    expect(located('{}', key)).toBe(part);
  });

  it.each(['user', '', '{}', '{}{user}', '{user', 'user}', '}user{', '{', '}'])(
    'leaves a key whole that has no such part: %j',
    (key) => {
      expect(located('{}', key)).toBe(key);
    },
  );

  it('may open and close with the same character', () => {
    expect(located('$$', 'a$b$c')).toBe('b');
    expect(located('$$', 'a$b')).toBe('a$b');
    expect(located('$$', '$$a$')).toBe('$$a$');
  });

  it('without characters leaves every key whole', () => {
    expect(located('', '{user}.name')).toBe('{user}.name');
  });

  it.each(['{', '{}}', 'é}', '\n\x80'])('takes two ASCII characters or none, not %j', (characters) => {
    expect(() => new HashTag(characters)).toThrow("A hash tag is '' or two ASCII characters");
  });
});
