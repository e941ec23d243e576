// R14: a session that has seen a newer value by another way never gets an older one from the cache.
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';

import type { RawClient } from '../support/raw-client.ts';
import type { Stop } from '../support/frame-gate.ts';
import { invalidation, say, Sidecar, text } from '../support/sidecar.ts';

let sidecar: Sidecar;
let app: RawClient;

beforeAll(async () => {
  // Renamed, GETRANGE is a command that nearcache's table does not know: it runs on a pinned connection.
  sidecar = await Sidecar.start({
    redisArgs: ['--rename-command', 'GETRANGE', 'peek'],
    flags: '--max-staleness 30s',
  });
});
beforeEach(async () => {
  app = await sidecar.app();
});
afterEach(() => sidecar.endSessions());
afterAll(() => sidecar.stop());

/** A key that is cached as `old` while Redis has `new` and the invalidation is held back. */
async function behind(key: string): Promise<Stop> {
  await say(sidecar.direct, 'SET', key, 'old');
  await sidecar.warm(app, 'GET', key);
  const push = sidecar.gate.stopAt('down', invalidation(key));
  await say(sidecar.direct, 'SET', key, 'new');
  await push.reached;
  return push;
}

/** Reads `key` while the invalidation is held back, which must not be answered before it is let through. */
async function expectNew(push: Stop, ...read: string[]): Promise<string> {
  app.request(read);
  await sidecar.settled();
  expect(app.rest()).toHaveLength(0);
  push.release();
  return text(await app.readFrame());
}

test('after a read of a newer value on a pinned connection', async () => {
  const push = await behind('seen');
  await say(app, 'WATCH', 'other');
  expect(await say(app, 'GET', 'seen')).toBe('new');
  await say(app, 'UNWATCH');
  expect(await expectNew(push, 'GET', 'seen')).toBe('new');
});

test('after an EXEC that has read a newer value', async () => {
  const push = await behind('executed');
  await say(app, 'WATCH', 'other');
  await say(app, 'MULTI');
  await say(app, 'GET', 'executed');
  expect(String(await app.call('EXEC'))).toBe('*1\r\n$3\r\nnew\r\n');
  expect(await expectNew(push, 'GET', 'executed')).toBe('new');
});

test('after an EXEC that was refused because the key has changed', async () => {
  await say(sidecar.direct, 'SET', 'refused', 'old');
  await sidecar.warm(app, 'GET', 'refused');
  await say(app, 'WATCH', 'refused');
  const push = sidecar.gate.stopAt('down', invalidation('refused'));
  await say(sidecar.direct, 'SET', 'refused', 'new');
  await push.reached;
  await say(app, 'MULTI');
  await say(app, 'GET', 'refused');
  expect(await say(app, 'EXEC')).toBe('nil');
  expect(await expectNew(push, 'GET', 'refused')).toBe('new');
});

test('after a command of the app that tracks on its own', async () => {
  const push = await behind('tracked');
  await app.call('HELLO', '3');
  expect(await say(app, 'CLIENT', 'TRACKING', 'ON')).toBe('+OK');
  expect(await say(app, 'GET', 'tracked')).toBe('new');
  expect(await say(app, 'CLIENT', 'TRACKING', 'OFF')).toBe('+OK');
  expect(await expectNew(push, 'GET', 'tracked')).toBe('new');
});

test('after a command that the table does not know, whose reply waits for what it may have seen', async () => {
  const push = await behind('unknown');
  app.request(['PEEK', 'unknown', '0', '-1']);
  await sidecar.settled();
  expect(app.rest()).toHaveLength(0);
  push.release();
  expect(text(await app.readFrame())).toBe('new');
  expect(await say(app, 'GET', 'unknown')).toBe('new');
});

test('after a blocking pop has taken from a list', async () => {
  const other = await sidecar.app();
  await sidecar.warm(other, 'LLEN', 'queue');
  const push = sidecar.gate.stopAt('down', invalidation('queue'));
  app.request(['BLPOP', 'queue', '0']);
  await sidecar.blockedClients(1);
  await say(sidecar.direct, 'RPUSH', 'queue', 'a', 'b');
  expect(String(await app.readFrame())).toBe('*2\r\n$5\r\nqueue\r\n$1\r\na\r\n');
  await push.reached;
  expect(await expectNew(push, 'LLEN', 'queue')).toBe(':1');
});

test('a list is served from the cache while a pop waits for it', async () => {
  const other = await sidecar.app();
  await sidecar.warm(other, 'LLEN', 'empty');
  app.request(['BLPOP', 'empty', '0']);
  await sidecar.blockedClients(1);
  const runs = await sidecar.runs('llen');
  for (let i = 0; i < 3; i++) expect(await say(other, 'LLEN', 'empty')).toBe(':0');
  expect(await sidecar.runs('llen')).toBe(runs);
});

test('after an MGET that has read a newer value', async () => {
  // An MGET of what is cached is answered from the cache, so this one asks for something else besides.
  const push = await behind('together');
  app.request(['MGET', 'together', 'missing']);
  await sidecar.settled();
  expect(app.rest()).toHaveLength(0);
  push.release();
  expect(String(await app.readFrame())).toBe('*2\r\n$3\r\nnew\r\n$-1\r\n');
  expect(await say(app, 'GET', 'together')).toBe('new');
});

test('after an MGET of more keys than are looked for', async () => {
  const push = await behind('among many');
  app.request(['MGET', 'among many', ...Array.from({ length: 1024 }, (_, i) => `k${i}`)]);
  await sidecar.settled();
  expect(app.rest()).toHaveLength(0);
  push.release();
  expect(String(await app.readFrame())).toContain('new');
  expect(await say(app, 'GET', 'among many')).toBe('new');
});
