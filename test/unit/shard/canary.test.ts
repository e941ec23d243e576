import { afterEach, beforeEach, expect, test } from 'vitest';

import { createLogger } from '../../../src/base/log.ts';
import type { NearCache } from '../../../src/cache/near-cache.ts';
import { Canary } from '../../../src/shard/canary.ts';
import { helloReply } from '../../support/hello-reply.ts';
import { nearCacheOf } from '../../support/near-caches.ts';
import type { ScriptedConnection } from '../../support/scripted-server.ts';
import { SharedStage } from '../../support/shared-stage.ts';
import { until } from '../../support/sidecar.ts';

const PERIOD_MS = 1000;
const WRITE = ['MULTI', 'SET c 1', 'DEL c', 'EXEC'];
const WRITTEN = '+OK\r\n+QUEUED\r\n+QUEUED\r\n*2\r\n+OK\r\n:1\r\n';

let stage: SharedStage;
let redis: ScriptedConnection;
let cache: NearCache;
let canary: Canary;

beforeEach(async () => {
  stage = await SharedStage.set();
  stage.shared.start();
  redis = await stage.greet();
  cache = nearCacheOf();
  canary = new Canary(stage.shared, () => 'c', PERIOD_MS, {
    cache,
    writer: () => stage.shared,
    clock: stage.clock,
    log: createLogger({ level: 'silent', format: 'json' }),
  });
  canary.reset(stage.clock.now());
});

afterEach(() => stage.strike());

function tick(ms: number): void {
  stage.clock.advance(ms);
  canary.tick(stage.clock.now());
}

/** One canary from its read to its judgement. */
async function fly(invalidated: readonly string[] | 'all' | undefined): Promise<void> {
  redis.send('_\r\n');
  expect(await redis.requests(4)).toEqual(WRITE);
  redis.send(WRITTEN);
  expect(await redis.requests(1)).toEqual(['HELLO']);
  if (invalidated !== undefined) canary.invalidated(invalidated);
  const before = cache.stats.canaries;
  redis.send(helloReply({}));
  await until('it is judged', () => cache.stats.canaries > before);
}

function isOn(): boolean {
  return stage.shared.generation.isTracking;
}

test.each<[string, readonly string[] | 'all']>([
  ['its key', ['c']],
  ['its key among others', ['a', 'c']],
  ['everything', 'all'],
])('an invalidation of %s is a sign of life', async (_, invalidated) => {
  tick(PERIOD_MS);
  expect(await redis.requests(1)).toEqual(['GET c']);
  await fly(invalidated);
  expect([cache.stats.canaryFailures, cache.stats.flushes, isOn()]).toEqual([0, 0, true]);
});

test.each<[string, readonly string[] | undefined]>([
  ['no invalidation', undefined],
  ['one of another key', ['c:1']],
])('%s is none: everything goes, and nothing is cached', async (_, invalidated) => {
  tick(PERIOD_MS);
  expect(await redis.requests(1)).toEqual(['GET c']);
  await fly(invalidated);
  expect([cache.stats.canaryFailures, cache.stats.flushes, isOn()]).toEqual([1, 1, false]);
});

test('one that came before the key was read does not count', async () => {
  canary.invalidated(['c']);
  tick(PERIOD_MS);
  expect(await redis.requests(1)).toEqual(['GET c']);
  await fly(undefined);
  expect(isOn()).toBe(false);
});

test('tracking is asked for anew before the next try, and when that comes back all is well', async () => {
  tick(PERIOD_MS);
  expect(await redis.requests(1)).toEqual(['GET c']);
  await fly(undefined);
  tick(PERIOD_MS);
  expect(await redis.requests(3)).toEqual(['CLIENT TRACKING OFF', 'CLIENT TRACKING ON', 'GET c']);
  redis.send('+OK\r\n+OK\r\n');
  await fly(['c']);
  expect(isOn()).toBe(true);
  tick(PERIOD_MS);
  expect(await redis.requests(1)).toEqual(['GET c']);
});

test('one is out at a time, and the next an interval after it was sent', async () => {
  tick(PERIOD_MS - 1);
  tick(1);
  tick(PERIOD_MS);
  expect(await redis.requests(1)).toEqual(['GET c']);
  await fly(['c']);
  tick(0);
  expect(await redis.requests(1)).toEqual(['GET c']);
  redis.send('_\r\n');
  expect(await redis.requests(4)).toEqual(WRITE);
});

test.each([
  ['its read is refused for now', '-BUSY a script runs\r\n', ''],
  ['its write is refused for now', '_\r\n', '+OK\r\n-READONLY no\r\n-READONLY no\r\n-EXECABORT no\r\n'],
  ['its write is refused as a whole', '_\r\n', '+OK\r\n+QUEUED\r\n+QUEUED\r\n-OOM no\r\n'],
])('%s: that says nothing, and the next one tries', async (_, read, write) => {
  tick(PERIOD_MS);
  expect(await redis.requests(1)).toEqual(['GET c']);
  redis.send(read);
  if (write !== '') expect(await redis.requests(4)).toEqual(WRITE);
  redis.send(write);
  await until('it is over', () => stage.shared.inFlight === 0);
  tick(PERIOD_MS);
  expect(await redis.requests(1)).toEqual(['GET c']);
  expect([cache.stats.canaries, isOn()]).toEqual([0, true]);
});

test.each([
  ['read', '-NOPERM no\r\n', '', false],
  ['write', '_\r\n', '+OK\r\n-NOPERM no\r\n-NOPERM no\r\n-EXECABORT no\r\n', true],
])('a user who may not %s it has no further one', async (_, read, write, isCached) => {
  tick(PERIOD_MS);
  expect(await redis.requests(1)).toEqual(['GET c']);
  redis.send(read);
  if (write !== '') expect(await redis.requests(4)).toEqual(WRITE);
  redis.send(write);
  await until('it is over', () => stage.shared.inFlight === 0);
  expect(isOn()).toBe(isCached);
  for (let i = 0; i < 3; i++) tick(PERIOD_MS);
  expect(stage.shared.inFlight).toBe(0);
});

test('a link that is lost takes its canary along, and the next link has one of its own', async () => {
  tick(PERIOD_MS);
  expect(await redis.requests(1)).toEqual(['GET c']);
  redis.reset();
  redis = await stage.greet();
  canary.reset(stage.clock.now());
  tick(PERIOD_MS);
  expect(await redis.requests(1)).toEqual(['GET c']);
  await fly(['c']);
  expect([cache.stats.canaries, cache.stats.canaryFailures]).toEqual([1, 0]);
});

test('the write of a canary whose link was lost meanwhile says nothing about the next link', async () => {
  const own = await SharedStage.set();
  own.shared.start();
  const writer = await own.greet();
  const { clock } = stage;
  const log = createLogger({ level: 'silent', format: 'json' });
  canary = new Canary(stage.shared, () => 'c', PERIOD_MS, { cache, writer: () => own.shared, clock, log });
  canary.reset(clock.now());
  tick(PERIOD_MS);
  expect(await redis.requests(1)).toEqual(['GET c']);
  redis.send('_\r\n');
  expect(await writer.requests(4)).toEqual(WRITE);
  redis.reset();
  redis = await stage.greet();
  canary.reset(clock.now());
  tick(PERIOD_MS);
  expect(await redis.requests(1)).toEqual(['GET c']);
  writer.send(WRITTEN);
  await until('it is written', () => own.shared.inFlight === 0);
  redis.send('_\r\n');
  expect(await writer.requests(4)).toEqual(WRITE);
  expect(stage.shared.inFlight).toBe(0);
  await own.strike();
});

test('a link that does not track anyway has none', () => {
  stage.shared.generation.isTracking = false;
  tick(PERIOD_MS);
  expect(stage.shared.inFlight).toBe(0);
});
