import { expect, test } from 'vitest';

import { ownId, sameId } from '../../../src/cache/entry-id.ts';
import type { EntryId } from '../../../src/cache/store.ts';
import { idOf } from '../../support/store-entry.ts';

function keyAndArgs({ bytes, keyStart, keyEnd, argsStart, argsEnd }: EntryId): [string, string] {
  return [bytes.latin1Slice(keyStart, keyEnd), bytes.latin1Slice(argsStart, argsEnd)];
}

test('a copy asks the same, and keeps asking it when the bytes it was made of change', () => {
  const id = idOf('key\xff', { args: '$1\r\nx\r\n', commandId: 7, db: 3, fence: 9 });
  const own = ownId(id);
  expect(sameId(own, id)).toBe(true);
  id.bytes.fill('!');
  expect(keyAndArgs(own)).toEqual(['key\xff', '$1\r\nx\r\n']);
  expect([own.commandId, own.db, own.fence]).toEqual([7, 3, 9]);
  expect(own.bytes).toHaveLength('key\xff$1\r\nx\r\n'.length);
});

test('a call without further arguments has a copy, whatever stands behind its key', () => {
  const id = idOf('k');
  expect(keyAndArgs(ownId(id))).toEqual(['k', '']);
  expect(sameId(ownId(id), id)).toBe(true);
  expect(keyAndArgs(ownId(idOf('')))).toEqual(['', '']);
});

test.each<[string, EntryId]>([
  ['command', idOf('key', { args: 'args', commandId: 2 })],
  ['database', idOf('key', { args: 'args', db: 1 })],
  ['link', idOf('key', { args: 'args', fence: 2 })],
  ['key', idOf('kez', { args: 'args' })],
  ['longer key', idOf('key2', { args: 'args' })],
  ['arguments', idOf('key', { args: 'argz' })],
  ['more arguments', idOf('key', { args: 'args2' })],
  ['no arguments', idOf('key')],
  ['border between key and arguments', idOf('keya', { args: 'rgs' })],
])('another %s is another question', (_, other) => {
  const id = idOf('key', { args: 'args' });
  expect(sameId(id, other)).toBe(false);
  expect(sameId(other, id)).toBe(false);
  expect(sameId(ownId(id), ownId(other))).toBe(false);
});

test('the same is asked from wherever it stands', () => {
  const id = idOf('key', { args: 'args' });
  const far = { ...id, bytes: Buffer.from(`${'-'.repeat(100)}keyargs`), keyStart: 100, keyEnd: 103 };
  expect(sameId(id, { ...far, argsStart: 103, argsEnd: 107 })).toBe(true);
});
