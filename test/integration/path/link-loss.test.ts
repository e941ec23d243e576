// DESIGN rule 7 and coherence rule R8: what a lost link has read is not served, and is gone before the next link fills.
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';

import type { RawClient } from '../../support/raw-client.ts';
import { request, say, Sidecar, text, until } from '../../support/sidecar.ts';

let sidecar: Sidecar;
let app: RawClient;

beforeAll(async () => {
  sidecar = await Sidecar.start({ flags: '--max-staleness 30s --connect-timeout 20s --stale-if-error 0' });
});
beforeEach(async () => {
  app = await sidecar.app();
});
afterEach(() => {
  sidecar.relay.resume();
  sidecar.endSessions();
});
afterAll(() => sidecar.stop());

/** Cuts the link and resolves once nearcache knows. */
async function cut(): Promise<void> {
  const lost = await losses();
  sidecar.relay.cut();
  await until('nearcache knows that the link is lost', async () => (await losses()) > lost);
}

function losses(): Promise<number> {
  return sidecar.metric('nearcache_shard_connections_lost_total');
}

test('nothing is served from the cache while the link is down, nor what is old after it', async () => {
  await say(app, 'SET', 'k', '1');
  await sidecar.warm(app, 'GET', 'k');
  // The next connection is accepted and gets no answer.
  sidecar.relay.pause();
  await cut();
  expect(await say(sidecar.direct, 'SET', 'k', '2')).toBe('+OK');
  app.request(['GET', 'k']);
  await sidecar.settled();
  expect(app.rest()).toHaveLength(0);
  sidecar.relay.resume();
  expect(text(await app.readFrame())).toBe('2');
});

test('a link that Redis closes just before a write takes its entries with it', async () => {
  await say(app, 'SET', 'killed', '1');
  await sidecar.warm(app, 'GET', 'killed');
  const lost = await losses();
  sidecar.direct.request(['CLIENT', 'KILL', 'TYPE', 'normal']);
  sidecar.direct.request(['SET', 'killed', '2']);
  await sidecar.direct.readFrames(2);
  await until('nearcache knows that the link is lost', async () => (await losses()) > lost);
  expect(await say(app, 'GET', 'killed')).toBe('2');
  expect(await sidecar.warm(app, 'GET', 'killed')).toBe('2');
});

test('the entries of a lost link are dropped before anything else is read', async () => {
  for (let i = 0; i < 10; i++) await sidecar.warm(app, 'GET', `entry${i}`);
  expect(await sidecar.metric('nearcache_cache_entries')).toBeGreaterThanOrEqual(10);
  await cut();
  await until('the link is back', async () => (await sidecar.metric('nearcache_shard_up')) === 1);
  expect(await sidecar.metric('nearcache_cache_entries')).toBe(0);
});

test('a write whose link is lost leaves its key neither cached nor closed', async () => {
  await say(app, 'SET', 'unsure', '1');
  await sidecar.warm(app, 'GET', 'unsure');
  const stop = sidecar.gate.stopAt('up', request('SET', 'unsure'));
  app.request(['SET', 'unsure', '2']);
  await stop.reached;
  await cut();
  expect(text(await app.readFrame())).toContain('outcome unknown');
  stop.release();
  expect(await sidecar.warm(app, 'GET', 'unsure')).toBe('1');
});

test('a script whose link is lost lets the reads of its session hit again', async () => {
  await say(app, 'SET', 'other', '1');
  const stop = sidecar.gate.stopAt('up', request('EVAL'));
  app.request(['EVAL', 'return 1', '0']);
  await stop.reached;
  await cut();
  expect(text(await app.readFrame())).toContain('outcome unknown');
  stop.release();
  expect(await sidecar.warm(app, 'GET', 'other')).toBe('1');
});
