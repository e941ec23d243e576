// R13: between WATCH and EXEC nothing comes from the cache, so that no update can be lost.
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';

import type { RawClient } from '../support/raw-client.ts';
import { invalidation, say, Sidecar, text } from '../support/sidecar.ts';

let sidecar: Sidecar;
let app: RawClient;

beforeAll(async () => {
  sidecar = await Sidecar.start({ flags: '--max-staleness 30s --retry-reads off' });
});
beforeEach(async () => {
  app = await sidecar.app();
});
afterEach(() => sidecar.endSessions());
afterAll(() => sidecar.stop());

test('a read after WATCH is at least as new as the WATCH, so the update built on it is not lost', async () => {
  await say(sidecar.direct, 'SET', 'balance', '1');
  await sidecar.warm(app, 'GET', 'balance');
  const push = sidecar.gate.stopAt('down', invalidation('balance'));
  await say(sidecar.direct, 'SET', 'balance', '10');
  await push.reached;
  expect(await say(app, 'WATCH', 'balance')).toBe('+OK');
  const read = Number(await say(app, 'GET', 'balance'));
  expect(await say(app, 'MULTI')).toBe('+OK');
  expect(await say(app, 'SET', 'balance', String(read + 1))).toBe('+QUEUED');
  expect(String(await app.call('EXEC'))).toBe('*1\r\n+OK\r\n');
  expect(await say(sidecar.direct, 'GET', 'balance')).toBe('11');
  push.release();
});

test('a read inside MULTI is queued, not answered', async () => {
  await say(sidecar.direct, 'SET', 'queued', '1');
  await sidecar.warm(app, 'GET', 'queued');
  expect(await say(app, 'MULTI')).toBe('+OK');
  expect(await say(app, 'GET', 'queued')).toBe('+QUEUED');
  expect(String(await app.call('EXEC'))).toBe('*1\r\n$1\r\n1\r\n');
});

test('a read inside a transaction that arrives whole comes from Redis', async () => {
  await say(sidecar.direct, 'SET', 'inside', '1');
  await sidecar.warm(app, 'GET', 'inside');
  const push = sidecar.gate.stopAt('down', invalidation('inside'));
  await say(sidecar.direct, 'SET', 'inside', '2');
  await push.reached;
  app.send('MULTI\r\nGET inside\r\nEXEC\r\n');
  await sidecar.settled();
  push.release();
  expect((await app.readFrames(3)).map(String).at(-1)).toBe('*1\r\n$1\r\n2\r\n');
});

test('what is read inside a transaction does not fill', async () => {
  const fills = await sidecar.metric('nearcache_cache_fills_total');
  await say(app, 'WATCH', 'other');
  await say(app, 'GET', 'unfilled');
  await say(app, 'MULTI');
  await say(app, 'GET', 'unfilled');
  await app.call('EXEC');
  app.send('MULTI\r\nGET unfilled\r\nEXEC\r\n');
  await app.readFrames(3);
  expect(await sidecar.metric('nearcache_cache_fills_total')).toBe(fills);
});

test.each([['UNWATCH'], ['EXEC'], ['DISCARD']])('after %s reads hit again', async (end) => {
  await say(sidecar.direct, 'SET', 'again', '1');
  await say(app, 'WATCH', 'again');
  if (end !== 'UNWATCH') await say(app, 'MULTI');
  await app.call(end);
  expect(await sidecar.warm(app, 'GET', 'again')).toBe('1');
});

test('an EXEC with a stale WATCH fails, whatever the cache holds', async () => {
  await say(sidecar.direct, 'SET', 'guarded', '1');
  await say(app, 'WATCH', 'guarded');
  await say(app, 'GET', 'guarded');
  await say(sidecar.direct, 'SET', 'guarded', '2');
  await say(app, 'MULTI');
  await say(app, 'SET', 'guarded', 'mine');
  expect(await say(app, 'EXEC')).toBe('nil');
  expect(await say(app, 'GET', 'guarded')).toBe('2');
});

test('counters that are raised by WATCH, GET, SET and EXEC from many sessions lose no step', async () => {
  const sessions = await Promise.all(Array.from({ length: 4 }, () => sidecar.app()));
  await say(sidecar.direct, 'SET', 'steps', '0');
  const raise = async (session: RawClient): Promise<number> => {
    let done = 0;
    for (let i = 0; i < 30; i++) {
      await session.call('GET', 'steps');
      await session.call('WATCH', 'steps');
      const next = String(Number(text(await session.call('GET', 'steps'))) + 1);
      await session.call('MULTI');
      await session.call('SET', 'steps', next);
      if (text(await session.call('EXEC')) !== 'nil') done++;
    }
    return done;
  };
  const done = await Promise.all(sessions.map(raise));
  expect(await say(app, 'GET', 'steps')).toBe(String(done.reduce((sum, each) => sum + each, 0)));
});
