import { expect, test } from 'vitest';

import { Entry, type EntryId } from '../../../src/cache/entry.ts';
import { Generation } from '../../../src/cache/generation.ts';

const id: EntryId = { key: 'k', commandId: 7, db: 2, identity: 1, rest: '$1\r\n0\r\n' };

function entry(reply = '$1\r\nv\r\n'): Entry {
  return new Entry(id, Buffer.from(reply), new Generation(), 100);
}

test('an entry answers exactly what it was read for', () => {
  expect(entry().answers({ ...id })).toBe(true);
});

test.each([
  ['another command', { commandId: 8 }],
  ['another database', { db: 3 }],
  ['another user', { identity: 2 }],
  ['other arguments', { rest: '$1\r\n1\r\n' }],
])('an entry does not answer for %s', (_, change) => {
  expect(entry().answers({ ...id, ...change })).toBe(false);
});

test('its size counts key, arguments, reply and a RESP2 form of its own', () => {
  const one = entry();
  const alone = one.bytes;
  expect(alone).toBeGreaterThan(one.reply.length + id.key.length + id.rest.length);
  expect(entry('$10\r\n0123456789\r\n').bytes).toBe(alone + 10);
  one.resp2 = one.reply;
  expect(one.bytes).toBe(alone);
  one.resp2 = Buffer.from('*1\r\n$1\r\nv\r\n');
  expect(one.bytes).toBe(alone + one.resp2.length);
});
