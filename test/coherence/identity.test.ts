// R1: an entry answers one command with its exact arguments, for one database and one user; keys are raw bytes, and one
// index serves all databases, since an invalidation names none.
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';

import type { RawClient } from '../support/raw-client.ts';
import { say, Sidecar } from '../support/sidecar.ts';

let sidecar: Sidecar;
let app: RawClient;

beforeAll(async () => {
  sidecar = await Sidecar.start({
    prepare: async (direct) => {
      await direct.call('ACL', 'SETUSER', 'mine', 'on', '>pw', '+@all', '~mine:*', '&*');
    },
  });
});
beforeEach(async () => {
  app = await sidecar.app();
});
afterEach(async () => {
  sidecar.endSessions();
  await say(sidecar.direct, 'SELECT', '0');
});
afterAll(() => sidecar.stop());

test('the same key of two databases is two values', async () => {
  await say(sidecar.direct, 'SET', 'db', 'zero');
  await say(sidecar.direct, 'SELECT', '1');
  await say(sidecar.direct, 'SET', 'db', 'one');
  await sidecar.warm(app, 'GET', 'db');
  expect(await say(app, 'SELECT', '1')).toBe('+OK');
  expect(await sidecar.warm(app, 'GET', 'db')).toBe('one');
  expect(await say(app, 'SELECT', '0')).toBe('+OK');
  expect(await say(app, 'GET', 'db')).toBe('zero');
});

test('a write in another database drops the key in all of them, because Redis says no more about it', async () => {
  for (const db of ['1', '0']) {
    await say(app, 'SELECT', db);
    await say(app, 'SET', 'every', 'old');
    await sidecar.warm(app, 'GET', 'every');
  }
  await say(sidecar.direct, 'SELECT', '5');
  await say(sidecar.direct, 'SET', 'every', 'elsewhere');
  // The push for database 5 has untracked the key: these writes send none.
  for (const db of ['1', '0']) {
    await say(sidecar.direct, 'SELECT', db);
    await say(sidecar.direct, 'SET', 'every', 'new');
  }
  await sidecar.caughtUp();
  for (const db of ['1', '0']) {
    await say(app, 'SELECT', db);
    expect(await say(app, 'GET', 'every')).toBe('new');
  }
});

test('two users do not share what only one of them may read', async () => {
  const user = await sidecar.app();
  expect(await say(user, 'AUTH', 'mine', 'pw')).toBe('+OK');
  await say(app, 'SET', 'secret', 's');
  await say(app, 'SET', 'mine:k', 'm');
  await sidecar.warm(app, 'GET', 'secret');
  await sidecar.warm(app, 'GET', 'mine:k');
  expect(await say(user, 'GET', 'secret')).toContain('-NOPERM');
  expect(await sidecar.warm(user, 'GET', 'mine:k')).toBe('m');
  expect(await say(user, 'AUTH', 'mine', 'wrong')).toContain('-WRONGPASS');
  expect(await say(app, 'GET', 'secret')).toBe('s');
});

test('arguments that differ have answers that differ', async () => {
  await say(app, 'SET', 'text', 'abcdef');
  expect(await sidecar.warm(app, 'GETRANGE', 'text', '0', '1')).toBe('ab');
  expect(await sidecar.warm(app, 'GETRANGE', 'text', '0', '2')).toBe('abc');
  expect(await sidecar.warm(app, 'GETRANGE', 'text', '1', '2')).toBe('bc');
  expect(await say(app, 'GETRANGE', 'text', '0', '1')).toBe('ab');
});

test('commands that differ have answers that differ, in whatever case they are written', async () => {
  await say(app, 'SET', 'word', 'abc');
  expect(await sidecar.warm(app, 'GET', 'word')).toBe('abc');
  expect(await sidecar.warm(app, 'STRLEN', 'word')).toBe(':3');
  expect(await sidecar.warm(app, 'TYPE', 'word')).toBe('+string');
  const runs = await sidecar.runs('get');
  expect(await say(app, 'gEt', 'word')).toBe('abc');
  app.send('get word\r\n');
  expect(String(await app.readFrame())).toBe('$3\r\nabc\r\n');
  expect(await sidecar.runs('get')).toBe(runs);
});

test('the border between two arguments is part of what is asked', async () => {
  await say(app, 'HSET', 'border', 'a', '1', 'b', '2', 'ab', '3', 'a\r\n$1\r\nb', '4');
  expect(String(await app.call('HMGET', 'border', 'a', 'b'))).toBe('*2\r\n$1\r\n1\r\n$1\r\n2\r\n');
  expect(String(await app.call('HMGET', 'border', 'ab'))).toBe('*1\r\n$1\r\n3\r\n');
  expect(String(await app.call('HMGET', 'border', 'a\r\n$1\r\nb'))).toBe('*1\r\n$1\r\n4\r\n');
  expect(String(await app.call('HMGET', 'border', 'a', 'b'))).toBe('*2\r\n$1\r\n1\r\n$1\r\n2\r\n');
});

test('bytes that are no UTF-8 stay apart in keys and in arguments', async () => {
  await say(app, 'SET', '\xfe', 'fe');
  await say(app, 'SET', '\xff', 'ff');
  expect(await sidecar.warm(app, 'GET', '\xfe')).toBe('fe');
  expect(await sidecar.warm(app, 'GET', '\xff')).toBe('ff');
  expect(await say(app, 'GET', '\xfe')).toBe('fe');
  await say(app, 'HSET', 'binary', '\xfe', 'field fe', '\xff', 'field ff');
  expect(await sidecar.warm(app, 'HGET', 'binary', '\xfe')).toBe('field fe');
  expect(await sidecar.warm(app, 'HGET', 'binary', '\xff')).toBe('field ff');
  expect(await say(app, 'HGET', 'binary', '\xfe')).toBe('field fe');
});

test('an invalidation of a key that is no UTF-8 drops that key', async () => {
  const key = Buffer.from([0xff, 0x00, 0xfe, 0x0d, 0x0a]);
  await say(app, 'SET', key, 'old');
  await sidecar.warm(app, 'GET', key.toString('latin1'));
  await say(sidecar.direct, 'SET', key, 'new');
  await sidecar.caughtUp();
  expect(await say(app, 'GET', key)).toBe('new');
});

test('an invalidation drops what every command has read of the key', async () => {
  await say(app, 'HSET', 'hash', 'a', '1', 'b', '2');
  const reads = [
    ['HGET', 'hash', 'a'],
    ['HGET', 'hash', 'b'],
    ['HLEN', 'hash'],
    ['HSTRLEN', 'hash', 'a'],
  ];
  for (const read of reads) await sidecar.warm(app, ...read);
  await say(sidecar.direct, 'HSET', 'hash', 'a', '10', 'b', '20', 'c', '30');
  await sidecar.caughtUp();
  const now = [];
  for (const read of reads) now.push(await say(app, ...read));
  expect(now).toEqual(['10', '20', ':3', ':2']);
});

test('one entry answers RESP2 and RESP3 sessions, each in its own protocol', async () => {
  const modern = await sidecar.app();
  await modern.call('HELLO', '3');
  await say(app, 'ZADD', 'scores', '1.5', 'm');
  const [two, three] = ['*2\r\n$1\r\nm\r\n$3\r\n1.5\r\n', '*1\r\n*2\r\n$1\r\nm\r\n,1.5\r\n'];
  const read = ['ZRANGE', 'scores', '0', '-1', 'WITHSCORES'];
  await sidecar.warm(app, ...read);
  const runs = await sidecar.runs('zrange');
  for (let i = 0; i < 2; i++) {
    expect(String(await app.call(...read))).toBe(two);
    expect(String(await modern.call(...read))).toBe(three);
  }
  expect(await sidecar.runs('zrange')).toBe(runs);
  for (const [client, nil] of [
    [app, '$-1\r\n'],
    [modern, '_\r\n'],
  ] as const) {
    expect(String(await client.call('GET', 'never set'))).toBe(nil);
    expect(String(await client.call('GET', 'never set'))).toBe(nil);
  }
});
