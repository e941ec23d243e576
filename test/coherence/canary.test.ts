// R10: whether invalidations come at all is tried out; no PING would tell that tracking is off.
import { afterEach, expect, test } from 'vitest';

import type { RawClient } from '../support/raw-client.ts';
import { say, Sidecar, until } from '../support/sidecar.ts';

const INTERVAL_MS = 300;
const OFF = 'no invalidations come: the near-cache is off on this link';
const ON = 'invalidations come again: the near-cache is on';

let sidecar: Sidecar;
let app: RawClient;

afterEach(() => sidecar.stop());

async function begin(options: Parameters<typeof Sidecar.start>[0] = {}): Promise<void> {
  const flags = `--max-staleness 30s --canary-interval ${INTERVAL_MS}ms`;
  sidecar = await Sidecar.start({ flags, ...options });
  app = await sidecar.app();
}

async function canaries(): Promise<number> {
  return sidecar.metric('nearcache_cache_canaries_total');
}

async function failures(): Promise<number> {
  return sidecar.metric('nearcache_cache_canary_failures_total');
}

/** Waits until so many more canaries have come back or not. */
async function canariesLater(count: number): Promise<void> {
  const before = await canaries();
  await until('canaries have been judged', async () => (await canaries()) >= before + count);
}

function lines(text: string): number {
  return sidecar.nearcache.logs.split(text).length - 1;
}

const everyInvalidation = (frame: string): boolean => frame.startsWith('>2\r\n$10\r\ninvalidate\r\n');

test('while canaries come back the near-cache is on, and nobody notices them', async () => {
  await begin();
  await say(sidecar.direct, 'SET', 'k', 'v');
  await sidecar.warm(app, 'GET', 'k');
  const gets = await sidecar.runs('get');
  const before = await canaries();
  await canariesLater(3);
  expect(await failures()).toBe(0);
  expect(lines(OFF)).toBe(0);
  // A read, and a write that leaves nothing.
  expect(await sidecar.runs('get')).toBeGreaterThanOrEqual(gets + 3);
  expect(await sidecar.runs('set')).toBeGreaterThanOrEqual(before + 3);
  const misses = await sidecar.metric('nearcache_cache_misses_total');
  expect(await say(app, 'GET', 'k')).toBe('v');
  expect(await sidecar.metric('nearcache_cache_misses_total')).toBe(misses);
});

test('no key is left behind, whenever one looks', async () => {
  await begin();
  for (let i = 0; i < 5; i++) {
    await canariesLater(1);
    for (let look = 0; look < 50; look++) expect(await say(sidecar.direct, 'DBSIZE')).toBe(':0');
  }
});

test('when invalidations stay away the near-cache turns itself off, and on again when they come', async () => {
  await begin();
  await say(sidecar.direct, 'SET', 'k', 'old');
  await sidecar.warm(app, 'GET', 'k');
  const found = sidecar.gate.lose('down', everyInvalidation);
  const lostAt = performance.now();
  await say(sidecar.direct, 'SET', 'k', 'new');
  await until('the canary has noticed', async () => (await failures()) > 0);
  // One interval until it is sent and one until it is missed, and much time for a busy machine.
  expect(performance.now() - lostAt).toBeLessThan(2 * INTERVAL_MS + 3000);
  expect(await say(app, 'GET', 'k')).toBe('new');
  expect(await sidecar.metric('nearcache_cache_state')).toBe(0);
  await say(sidecar.direct, 'SET', 'k', 'newer');
  expect(await say(app, 'GET', 'k')).toBe('newer');
  await canariesLater(3);
  await expect.poll(() => [lines(OFF), lines(ON)], { timeout: 10_000 }).toEqual([1, 0]);
  expect(await sidecar.metric('nearcache_cache_entries')).toBe(0);

  found();
  await until('it is on again', async () => (await sidecar.metric('nearcache_cache_state')) === 1);
  await expect.poll(() => [lines(OFF), lines(ON)], { timeout: 10_000 }).toEqual([1, 1]);
  expect(await sidecar.warm(app, 'GET', 'k')).toBe('newer');
  await say(sidecar.direct, 'SET', 'k', 'newest');
  await sidecar.caughtUp();
  expect(await say(app, 'GET', 'k')).toBe('newest');
});

test('a reply that was on its way when it turned itself off is not kept', async () => {
  await begin();
  await say(sidecar.direct, 'SET', 'k', 'old');
  sidecar.gate.lose('down', everyInvalidation);
  const stop = sidecar.gate.stopAt('down', (frame) => frame === '$3\r\nold\r\n');
  app.request(['GET', 'k']);
  await stop.reached;
  await say(sidecar.direct, 'SET', 'k', 'new');
  stop.release();
  expect(String(await app.readFrame())).toBe('$3\r\nold\r\n');
  await until('the canary has noticed', async () => (await failures()) > 0);
  expect(await say(app, 'GET', 'k')).toBe('new');
});

test('what was read while tracking was off at Redis is not served when it is on again', async () => {
  await begin();
  const found = sidecar.gate.lose('down', everyInvalidation);
  await until('the canary has noticed', async () => (await failures()) > 0);
  for (let i = 0; i < 5; i++) expect(await say(app, 'GET', `k${i}`)).toBe('nil');
  found();
  await until('it is on again', async () => (await sidecar.metric('nearcache_cache_state')) === 1);
  for (let i = 0; i < 5; i++) {
    await sidecar.warm(app, 'GET', `k${i}`);
    await say(sidecar.direct, 'SET', `k${i}`, 'v');
    await sidecar.caughtUp();
    expect(await say(app, 'GET', `k${i}`)).toBe('v');
  }
});

test('a link that is made anew starts with a clean record', async () => {
  await begin();
  const found = sidecar.gate.lose('down', everyInvalidation);
  await until('the canary has noticed', async () => (await failures()) > 0);
  found();
  sidecar.relay.cut();
  await until('it is on again', async () => (await sidecar.metric('nearcache_cache_state')) === 1);
  const before = await failures();
  await canariesLater(2);
  expect(await failures()).toBe(before);
});

test('a user who may not read the canary is not cached, which is said once', async () => {
  await begin({
    user: 'app:pw',
    prepare: async (direct) => {
      await direct.call('ACL', 'SETUSER', 'app', 'on', '>pw', '+@all', '~app:*', '&*');
    },
  });
  await until('the canary was refused', () => lines('its user may not read the canary') > 0);
  expect(await sidecar.metric('nearcache_cache_state')).toBe(0);
  await say(sidecar.direct, 'SET', 'app:k', 'v');
  const runs = await sidecar.runs('get');
  for (let i = 0; i < 3; i++) expect(await say(app, 'GET', 'app:k')).toBe('v');
  expect(await sidecar.runs('get')).toBe(runs + 3);
  const end = performance.now() + 3 * INTERVAL_MS;
  await until('some intervals have passed', () => performance.now() > end);
  await expect.poll(() => lines('no canary on this link'), { timeout: 10_000 }).toBe(1);
});

test('a user who may only read it is cached without a canary, which is said once', async () => {
  await begin({
    user: 'app:pw',
    prepare: async (direct) => {
      await direct.call('ACL', 'SETUSER', 'app', 'on', '>pw', '+@all', '~app:*', '%R~*', '&*');
    },
  });
  await until('the canary was refused', () => lines('its user may not write the canary') > 0);
  await say(sidecar.direct, 'SET', 'app:k', 'v');
  expect(await sidecar.warm(app, 'GET', 'app:k')).toBe('v');
  expect(await canaries()).toBe(0);
  await expect.poll(() => lines('no canary on this link'), { timeout: 10_000 }).toBe(1);
});

test('each user has a canary, which the own link writes', async () => {
  await begin({
    prepare: async (direct) => {
      await direct.call(
        'ACL',
        'SETUSER',
        'joe',
        'on',
        '>pw',
        '+@read',
        '+@connection',
        '+client',
        '~joe:*',
        '%R~*',
        '&*',
      );
    },
  });
  await say(sidecar.direct, 'SET', 'joe:k', 'old');
  expect(await say(app, 'AUTH', 'joe', 'pw')).toBe('+OK');
  await sidecar.warm(app, 'GET', 'joe:k');
  await canariesLater(4);
  expect(await failures()).toBe(0);
  // Only what concerns the link of joe: its canary's key ends with the number of its user.
  sidecar.gate.lose('down', (frame) => frame.includes('nearcache:canary:') && frame.endsWith(':1\r\n'));
  await until('the canary has noticed', async () => (await failures()) > 0);
  const other = await sidecar.app();
  expect(await sidecar.warm(other, 'GET', 'k')).toBe('nil');
  const runs = await sidecar.runs('get');
  for (let i = 0; i < 3; i++) expect(await say(app, 'GET', 'joe:k')).toBe('old');
  expect(await sidecar.runs('get')).toBeGreaterThanOrEqual(runs + 3);
  await expect.poll(() => lines(OFF), { timeout: 10_000 }).toBe(1);
});

test('where there is no interval there is no canary', async () => {
  await begin({ flags: '--max-staleness 200ms --canary-interval 0' });
  await sidecar.warm(app, 'GET', 'k');
  const beats = await sidecar.metric('nearcache_shard_heartbeats_total');
  await until('some time has passed', async () => {
    return (await sidecar.metric('nearcache_shard_heartbeats_total')) > beats + 5;
  });
  expect(await sidecar.runs('set')).toBe(0);
  expect(await canaries()).toBe(0);
});
