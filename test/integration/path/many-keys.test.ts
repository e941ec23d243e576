// MGET and EXISTS by way of the near-cache: the bytes that Redis would have sent, and no more reads than needed.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';

import { connectRaw, encodeRequest } from '../../support/raw-client.ts';
import type { RawClient } from '../../support/raw-client.ts';
import { request, say, Sidecar, text, until } from '../../support/sidecar.ts';

let sidecar: Sidecar;
let app: RawClient;

beforeAll(async () => {
  sidecar = await Sidecar.start({
    flags: '--max-staleness 30s --cache-negative-ttl 1m --link-dead-timeout 20s --retry-reads off',
  });
});
beforeEach(async () => {
  await say(sidecar.direct, 'FLUSHALL');
  await sidecar.caughtUp();
  for (const [key, value] of [
    ['a', 'of a'],
    ['b', ''],
    ['\xff\x00\r\n', 'of bytes'],
  ] as const) {
    await say(sidecar.direct, 'SET', key, value);
  }
  await say(sidecar.direct, 'RPUSH', 'list', 'x');
  app = await sidecar.app();
});
afterEach(() => sidecar.endSessions());
afterAll(() => sidecar.stop());

async function runs(): Promise<number> {
  return (await sidecar.runs('get')) + (await sidecar.runs('mget')) + (await sidecar.runs('exists'));
}

const manyKeys = (count: number): string[] =>
  Array.from({ length: count }, (_, i) => (i % 2 ? `k${i}` : 'a'));

describe.each(['2', '3'])('in RESP%s', (proto) => {
  test.each<[string, string[], boolean]>([
    ['values', ['MGET', 'a', 'b'], true],
    ['one key', ['MGET', 'a'], true],
    ['a missing key', ['MGET', 'missing'], true],
    ['a key twice', ['MGET', 'a', 'a', 'b', 'a'], true],
    ['a missing key twice', ['MGET', 'missing', 'a', 'missing'], true],
    ['a key of any bytes', ['MGET', '\xff\x00\r\n', 'a'], true],
    ['an empty key', ['MGET', '', 'a'], true],
    ['a list', ['MGET', 'list', 'a'], false],
    ['1,024 keys', ['MGET', ...manyKeys(1024)], true],
    ['1,025 keys', ['MGET', ...manyKeys(1025)], false],
    ['no key', ['MGET'], false],
    ['one key that exists', ['EXISTS', 'a'], true],
    ['one that does not', ['EXISTS', 'missing'], true],
    ['a key twice, which counts two', ['EXISTS', 'a', 'a'], true],
    ['keys of all kinds', ['EXISTS', 'a', 'missing', 'list', 'b', 'a'], true],
    ['1,025 keys to count', ['EXISTS', ...manyKeys(1025)], false],
    ['no key to count', ['EXISTS'], false],
  ])('%s: as Redis answers', async (_, read, isCached) => {
    const direct = await connectRaw({ port: sidecar.redis.port });
    for (const client of [direct, app]) await client.call('HELLO', proto);
    const truth = await direct.call(...read);
    direct.close();
    for (let i = 0; i < 3; i++) expect((await app.call(...read)).equals(truth)).toBe(true);
    const before = await runs();
    expect((await app.call(...read)).equals(truth)).toBe(true);
    expect(await runs()).toBe(isCached ? before : before + (read.length > 1 ? 1 : 0));
  });
});

test('an MGET finds what GETs have read, and a GET what an MGET has', async () => {
  for (const key of ['a', 'missing']) await sidecar.warm(app, 'GET', key);
  const before = await runs();
  expect(String(await app.call('MGET', 'missing', 'a'))).toBe('*2\r\n$-1\r\n$4\r\nof a\r\n');
  expect(await runs()).toBe(before);
  await app.call('MGET', 'b', 'a', 'nothing');
  const between = await runs();
  expect(await say(app, 'GET', 'b')).toBe('');
  expect(await say(app, 'GET', 'nothing')).toBe('nil');
  expect(await runs()).toBe(between);
});

test('an EXISTS of many finds what those of one have read, and the other way', async () => {
  for (const key of ['a', 'missing']) await sidecar.warm(app, 'EXISTS', key);
  const before = await runs();
  expect(await say(app, 'EXISTS', 'missing', 'a', 'a')).toBe(':2');
  expect(await runs()).toBe(before);
  expect(await say(app, 'EXISTS', 'b', 'nothing')).toBe(':1');
  const between = await runs();
  expect([await say(app, 'EXISTS', 'b'), await say(app, 'EXISTS', 'nothing')]).toEqual([':1', ':0']);
  expect(await runs()).toBe(between);
});

test('that an MGET has no value for a key of another type is not that GET has none', async () => {
  expect(String(await app.call('MGET', 'list', 'a'))).toBe('*2\r\n$-1\r\n$4\r\nof a\r\n');
  expect(await say(app, 'GET', 'list')).toMatch(/^-WRONGTYPE/);
  expect(String(await app.call('MGET', 'list', 'a'))).toBe('*2\r\n$-1\r\n$4\r\nof a\r\n');
});

test('only what is missing is asked for', async () => {
  await sidecar.warm(app, 'GET', 'a');
  const stop = sidecar.gate.stopAt('up', request('MGET'));
  app.request(['MGET', 'b', 'a', 'missing', 'b']);
  expect(await stop.reached).toBe(String(encodeRequest(['MGET', 'b', 'missing', 'b'])));
  stop.release();
  expect(String(await app.readFrame())).toBe('*4\r\n$0\r\n\r\n$4\r\nof a\r\n$-1\r\n$0\r\n\r\n');
});

test('those who ask the same at once share one read', async () => {
  await sidecar.warm(app, 'GET', 'a');
  const others = await Promise.all(Array.from({ length: 20 }, () => sidecar.app()));
  for (const other of others.slice(10)) await other.call('HELLO', '3');
  for (const read of [
    ['MGET', 'b', 'missing'],
    ['MGET', 'a', 'list', 'new'],
  ]) {
    const before = await sidecar.runs('mget');
    const stop = sidecar.gate.stopAt('up', request('MGET'));
    for (const other of others) other.request(read);
    await stop.reached;
    await sidecar.settled();
    stop.release();
    const replies = await Promise.all(others.map(async (other) => String(await other.readFrame())));
    const [resp2, resp3] = [replies[0] as string, replies[10] as string];
    expect(replies).toEqual([...Array<string>(10).fill(resp2), ...Array<string>(10).fill(resp3)]);
    expect(resp3.replaceAll('_\r\n', '$-1\r\n')).toBe(resp2);
    expect(await sidecar.runs('mget')).toBe(before + 1);
  }
});

test('they stand in line behind what was asked before them, and others behind them', async () => {
  await sidecar.warm(app, 'GET', 'a');
  const reads = [
    ['GET', 'slow'],
    ['MGET', 'a', 'b'],
    ['EXISTS', 'a', 'slow'],
    ['GET', 'a'],
    ['MGET', 'a'],
    ['STRLEN', 'a'],
    ['MGET', 'missing', 'slow'],
    ['EXISTS', 'a'],
  ];
  app.send(Buffer.concat(reads.map(encodeRequest)));
  expect((await app.readFrames(reads.length)).map(String)).toEqual([
    '$-1\r\n',
    '*2\r\n$4\r\nof a\r\n$0\r\n\r\n',
    ':1\r\n',
    '$4\r\nof a\r\n',
    '*1\r\n$4\r\nof a\r\n',
    ':4\r\n',
    '*2\r\n$-1\r\n$-1\r\n',
    ':1\r\n',
  ]);
});

test('values over the limit of an item are not kept, and the others are', async () => {
  await sidecar.direct.call('SET', 'large', Buffer.alloc(2_000_000, 'x'));
  for (let i = 0; i < 2; i++) expect(await app.call('MGET', 'a', 'large', 'b')).toHaveLength(2_000_032);
  const before = await runs();
  expect(String(await app.call('MGET', 'b', 'a'))).toBe('*2\r\n$0\r\n\r\n$4\r\nof a\r\n');
  expect(await runs()).toBe(before);
});

test('a partly cached MGET of more than is put together here is passed through', async () => {
  const value = Buffer.alloc(4_000_000, 'v');
  for (const key of ['x', 'y', 'z']) await sidecar.direct.call('SET', key, value);
  await sidecar.warm(app, 'GET', 'a');
  app.request(['MGET', 'a', 'x', 'y', 'z']);
  const truth = await sidecar.direct.call('MGET', 'a', 'x', 'y', 'z');
  const reply = await app.readFrame();
  expect(reply.toString('latin1', 0, 100)).toBe(truth.toString('latin1', 0, 100));
  expect(reply.equals(truth)).toBe(true);
});

test('keys and values in any number of packets', async () => {
  const pairs = Array.from({ length: 300 }, (_, i) => [`key${i}`, Buffer.alloc(i * 10, 'v')] as const);
  await sidecar.direct.call('MSET', ...pairs.flat());
  const read = ['MGET', ...pairs.map(([key]) => key)];
  const truth = await sidecar.direct.call(...read);
  for (let i = 0; i < 3; i++) expect((await app.call(...read)).equals(truth)).toBe(true);
  const before = await runs();
  expect((await app.call(...read)).equals(truth)).toBe(true);
  expect(await runs()).toBe(before);
});

test('a partly cached MGET that times out is told so once, and its late reply goes to nobody', async () => {
  const hasty = await Sidecar.start({
    flags: '--max-staleness 30s --command-timeout 1s --link-dead-timeout 20s --breaker off',
  });
  try {
    const clients = [await hasty.app(), await hasty.app()] as const;
    await say(hasty.direct, 'MSET', 'a', 'of a', 'b', 'of b', 'other', 'of other');
    await hasty.warm(clients[0], 'GET', 'a');
    const stop = hasty.gate.stopAt('down', (frame) => frame.startsWith('*1\r\n'));
    for (const client of clients) client.request(['MGET', 'a', 'b']);
    for (const client of clients) {
      expect(text(await client.readFrame())).toContain('did not answer within 1000 ms');
    }
    for (const client of clients) client.request(['GET', 'other']);
    await hasty.settled();
    stop.release();
    for (const client of clients) expect(text(await client.readFrame())).toBe('of other');
    await hasty.settled();
    for (const client of clients) expect(client.rest()).toHaveLength(0);
    expect(String(await clients[1].call('MGET', 'a', 'b'))).toBe('*2\r\n$4\r\nof a\r\n$4\r\nof b\r\n');
  } finally {
    await hasty.stop();
  }
});

test('a lost link tells all who share an MGET, and the next one works', async () => {
  await sidecar.warm(app, 'GET', 'a');
  const other = await sidecar.app();
  const stop = sidecar.gate.stopAt('up', request('MGET'));
  for (const client of [app, other]) client.request(['MGET', 'a', 'b']);
  await stop.reached;
  await sidecar.settled();
  sidecar.relay.cut();
  for (const client of [app, other])
    expect(text(await client.readFrame())).toMatch(/^-ERR nearcache: .*was lost/);
  await until('the link is back', async () => {
    return String(await app.call('MGET', 'a', 'b')) === '*2\r\n$4\r\nof a\r\n$0\r\n\r\n';
  });
  // Its keys are free again: a write of one goes.
  expect(await say(app, 'SET', 'a', 'new')).toBe('+OK');
});
