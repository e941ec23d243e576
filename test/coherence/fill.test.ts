// R3, R4: a read may fill only if nothing has happened to its key between its dispatch and its reply.
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';

import type { RawClient } from '../support/raw-client.ts';
import { invalidation, request, say, Sidecar, text, until } from '../support/sidecar.ts';

let sidecar: Sidecar;
let reader: RawClient;
let writer: RawClient;

beforeAll(async () => {
  sidecar = await Sidecar.start({ flags: '--max-staleness 30s --retry-reads off' });
  await say(sidecar.direct, 'DEBUG', 'SET-ACTIVE-EXPIRE', '0');
});
beforeEach(async () => {
  reader = await sidecar.app();
  writer = await sidecar.app();
});
afterEach(() => sidecar.endSessions());
afterAll(() => sidecar.stop());

/** Runs commands as a transaction on a pinned connection: they pass the shared one, whatever that one holds back. */
async function runApart(...commands: string[][]): Promise<void> {
  expect(await say(writer, 'WATCH', 'nothing')).toBe('+OK');
  expect(await say(writer, 'MULTI')).toBe('+OK');
  for (const command of commands) expect(await say(writer, ...command)).toBe('+QUEUED');
  expect(String(await writer.call('EXEC'))).toMatch(/^\*\d/);
}

test('a value that was written between its PTTL and its GET does not get the old time to live', async () => {
  await say(sidecar.direct, 'SET', 'raced', 'old');
  const read = sidecar.gate.stopAt('up', request('GET', 'raced'));
  const ttl = sidecar.gate.stopAt('down', (frame) => frame === ':-1\r\n');
  reader.request(['GET', 'raced']);
  await Promise.all([read.reached, ttl.reached]);
  await say(sidecar.direct, 'SET', 'raced', 'new', 'PX', '200');
  ttl.release();
  read.release();
  expect(text(await reader.readFrame())).toBe('new');
  await until('it has expired', async () => (await say(sidecar.direct, 'GET', 'raced')) === 'nil');
  expect(await say(reader, 'GET', 'raced')).toBe('nil');
});

test('a reply that was on its way during a write of this nearcache does not fill', async () => {
  await say(sidecar.direct, 'SET', 'flying', '1');
  const old = sidecar.gate.stopAt('down', (frame) => frame === '$1\r\n1\r\n');
  const push = sidecar.gate.stopAt('down', invalidation('flying'));
  reader.request(['GET', 'flying']);
  await old.reached;
  await runApart(['SET', 'flying', '2']);
  old.release();
  expect(text(await reader.readFrame())).toBe('1');
  await push.reached;
  writer.request(['GET', 'flying']);
  await sidecar.settled();
  expect(writer.rest()).toHaveLength(0);
  push.release();
  expect(text(await writer.readFrame())).toBe('2');
});

test('a reply that was on its way during a flush of this nearcache does not fill', async () => {
  await say(sidecar.direct, 'SET', 'flushed', '1');
  const old = sidecar.gate.stopAt('down', (frame) => frame === '$1\r\n1\r\n');
  const push = sidecar.gate.stopAt('down', invalidation());
  reader.request(['GET', 'flushed']);
  await old.reached;
  await runApart(['FLUSHALL']);
  old.release();
  expect(text(await reader.readFrame())).toBe('1');
  await push.reached;
  writer.request(['GET', 'flushed']);
  await sidecar.settled();
  expect(writer.rest()).toHaveLength(0);
  push.release();
  expect(text(await writer.readFrame())).toBe('nil');
});

test('a reader that comes after a write does not get the reply of a read that began before it', async () => {
  await say(sidecar.direct, 'SET', 'joined', '1');
  const old = sidecar.gate.stopAt('down', (frame) => frame === '$1\r\n1\r\n');
  reader.request(['GET', 'joined']);
  await old.reached;
  await runApart(['SET', 'joined', '2']);
  writer.request(['GET', 'joined']);
  await sidecar.settled();
  old.release();
  expect(text(await reader.readFrame())).toBe('1');
  expect(text(await writer.readFrame())).toBe('2');
});

test('a read that its client gave up fills for the others', async () => {
  await say(sidecar.direct, 'SET', 'left', '1');
  const reply = sidecar.gate.stopAt('down', (frame) => frame === '$1\r\n1\r\n');
  reader.request(['GET', 'left']);
  await reply.reached;
  const closed = await sidecar.metric('nearcache_sessions_closed_total');
  reader.socket.resetAndDestroy();
  await until('nearcache knows', async () => {
    return (await sidecar.metric('nearcache_sessions_closed_total')) > closed;
  });
  reply.release();
  await until('it is filled', async () => (await sidecar.metric('nearcache_cache_entries')) > 0);
  const runs = await sidecar.runs('get');
  expect(await say(writer, 'GET', 'left')).toBe('1');
  expect(await sidecar.runs('get')).toBe(runs);
});

test('a read whose link is lost leaves nothing behind that later reads wait for', async () => {
  await say(sidecar.direct, 'SET', 'dropped', '1');
  const reply = sidecar.gate.stopAt('down', (frame) => frame === '$1\r\n1\r\n');
  reader.request(['GET', 'dropped']);
  await reply.reached;
  sidecar.relay.cut();
  expect(text(await reader.readFrame())).toContain('was lost');
  expect(await sidecar.warm(writer, 'GET', 'dropped')).toBe('1');
});
