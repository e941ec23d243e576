// R4, DESIGN rules 2 and 3, I2: whose answer a reader may share, and whose not.
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';

import type { RawClient } from '../support/raw-client.ts';
import { request, say, Sidecar, text, until } from '../support/sidecar.ts';

const D = 600;

let sidecar: Sidecar;
let first: RawClient;
let second: RawClient;

beforeAll(async () => {
  sidecar = await Sidecar.start({ flags: `--max-staleness ${D}ms --link-dead-timeout 20s` });
});
beforeEach(async () => {
  first = await sidecar.app();
  second = await sidecar.app();
  // Reads are shared only while the link is fresh enough to fill.
  await sidecar.warm(first, 'GET', 'fresh');
});
afterEach(() => sidecar.endSessions());
afterAll(() => sidecar.stop());

async function set(key: string, value: string): Promise<void> {
  expect(await say(sidecar.direct, 'SET', key, value)).toBe('+OK');
}

function reply(value: string): (frame: string) => boolean {
  return (frame) => frame === `$${value.length}\r\n${value}\r\n`;
}

async function invalidations(): Promise<number> {
  return sidecar.metric('nearcache_cache_invalidations_total');
}

test('who asks for what is on its way shares its answer', async () => {
  await set('shared', 'one');
  const runs = await sidecar.runs('get');
  const stop = sidecar.gate.stopAt('up', request('GET', 'shared'));
  first.request(['GET', 'shared']);
  await stop.reached;
  second.request(['GET', 'shared']);
  await sidecar.settled();
  stop.release();
  expect(text(await first.readFrame())).toBe('one');
  expect(text(await second.readFrame())).toBe('one');
  expect(await sidecar.runs('get')).toBe(runs + 1);
});

test('who comes after an invalidation does not share a read from before it', async () => {
  await set('told', 'one');
  const runs = await sidecar.runs('get');
  const stop = sidecar.gate.stopAt('up', request('GET', 'told'));
  first.request(['GET', 'told']);
  await stop.reached;
  // Redis has seen the PTTL and so tells of the write.
  const before = await invalidations();
  await set('told', 'two');
  await until('the invalidation is processed', async () => (await invalidations()) > before);
  second.request(['GET', 'told']);
  await sidecar.settled();
  stop.release();
  expect(text(await first.readFrame())).toBe('two');
  expect(text(await second.readFrame())).toBe('two');
  expect(await sidecar.runs('get')).toBe(runs + 2);
});

test('who comes after a write of this nearcache does not share a read from before it', async () => {
  await set('written', 'one');
  const old = sidecar.gate.stopAt('down', reply('one'));
  first.request(['GET', 'written']);
  await old.reached;
  const writer = await sidecar.app();
  await say(writer, 'WATCH', 'nothing');
  await say(writer, 'MULTI');
  await say(writer, 'SET', 'written', 'two');
  expect(String(await writer.call('EXEC'))).toBe('*1\r\n+OK\r\n');
  second.request(['GET', 'written']);
  await sidecar.settled();
  old.release();
  expect(text(await first.readFrame())).toBe('one');
  expect(text(await second.readFrame())).toBe('two');
});

test('who waits for a newer answer does not share a read that is older than it', async () => {
  await set('a', 'a1');
  const old = sidecar.gate.stopAt('down', reply('a1'));
  const later = sidecar.gate.stopAt('up', request('GET', 'b'));
  first.request(['GET', 'a']);
  await old.reached;
  second.request(['GET', 'b']);
  await later.reached;
  await say(sidecar.direct, 'MSET', 'a', 'a2', 'b', 'b2');
  second.request(['GET', 'a']);
  await sidecar.settled();
  later.release();
  old.release();
  expect(text(await first.readFrame())).toBe('a1');
  expect((await second.readFrames(2)).map(text)).toEqual(['b2', 'a2']);
});

test('… nor after it has joined a newer one', async () => {
  await set('c', 'c1');
  const third = await sidecar.app();
  const old = sidecar.gate.stopAt('down', reply('c1'));
  const later = sidecar.gate.stopAt('up', request('GET', 'd'));
  first.request(['GET', 'c']);
  await old.reached;
  third.request(['GET', 'd']);
  await later.reached;
  second.request(['GET', 'd']);
  await sidecar.settled();
  await say(sidecar.direct, 'MSET', 'c', 'c2', 'd', 'd2');
  second.request(['GET', 'c']);
  await sidecar.settled();
  later.release();
  old.release();
  expect((await second.readFrames(2)).map(text)).toEqual(['d2', 'c2']);
});

test('who waits for an older answer shares a newer read', async () => {
  const runs = await sidecar.runs('get');
  const older = sidecar.gate.stopAt('up', request('GET', 'older'));
  second.request(['GET', 'older']);
  await older.reached;
  first.request(['GET', 'newer']);
  await sidecar.settled();
  second.request(['GET', 'newer']);
  await sidecar.settled();
  older.release();
  expect((await second.readFrames(2)).map(text)).toEqual(['nil', 'nil']);
  expect(await sidecar.runs('get')).toBe(runs + 2);
});

test('a read that has been stuck for longer than D is shared by nobody', async () => {
  await set('stuck', 'one');
  const old = sidecar.gate.stopAt('down', reply('one'));
  first.request(['GET', 'stuck']);
  await old.reached;
  const sentBefore = performance.now();
  await set('stuck', 'two');
  await until('D has passed', () => performance.now() > sentBefore + D);
  second.request(['GET', 'stuck']);
  await sidecar.settled();
  old.release();
  expect(text(await first.readFrame())).toBe('one');
  expect(text(await second.readFrame())).toBe('two');
});

test('who asks when the time of a key is over does not hear what it was', async () => {
  await say(sidecar.direct, 'DEBUG', 'SET-ACTIVE-EXPIRE', '0');
  await say(sidecar.direct, 'SET', 'over', 'one', 'PX', '150');
  const runs = await sidecar.runs('get');
  const old = sidecar.gate.stopAt('down', reply('one'));
  first.request(['GET', 'over']);
  await old.reached;
  second.request(['GET', 'over']);
  await sidecar.settled();
  const end = performance.now() + 200;
  await until('its time is over', () => performance.now() > end);
  const third = await sidecar.app();
  third.request(['GET', 'over']);
  await sidecar.settled();
  old.release();
  expect(text(await first.readFrame())).toBe('one');
  expect(text(await second.readFrame())).toBe('one');
  expect(text(await third.readFrame())).toBe('nil');
  expect(await sidecar.runs('get')).toBe(runs + 2);
});

test('another database, command or argument is another read', async () => {
  await set('n', '0123456789');
  const stop = sidecar.gate.stopAt('up', request('GETRANGE', 'n'));
  first.request(['GETRANGE', 'n', '0', '2']);
  await stop.reached;
  second.request(['GETRANGE', 'n', '0', '3']);
  const others: RawClient[] = [];
  for (const command of [
    ['STRLEN', 'n'],
    ['GET', 'n'],
    ['GETRANGE', 'n', '0', '2'],
  ]) {
    const other = await sidecar.app();
    others.push(other);
    if (command[0] === 'GETRANGE') expect(await say(other, 'SELECT', '1')).toBe('+OK');
    other.request(command);
  }
  await sidecar.settled();
  stop.release();
  expect(text(await first.readFrame())).toBe('012');
  expect(text(await second.readFrame())).toBe('0123');
  const replies = [];
  for (const other of others) replies.push(text(await other.readFrame()));
  expect(replies).toEqual([':10', '0123456789', '']);
});

test('a user who may not read a key does not share the answer of one who may', async () => {
  await say(sidecar.direct, 'ACL', 'SETUSER', 'poor', 'on', '>pw', '+@all', '~poor:*', '&*');
  await set('rich', 'secret');
  expect(await say(second, 'AUTH', 'poor', 'pw')).toBe('+OK');
  await sidecar.warm(second, 'GET', 'poor:own');
  const stop = sidecar.gate.stopAt('down', reply('secret'));
  first.request(['GET', 'rich']);
  await stop.reached;
  expect(await say(second, 'GET', 'rich')).toMatch(/^-NOPERM/);
  stop.release();
  expect(text(await first.readFrame())).toBe('secret');
});
