// Policies by prefix: what is cached at all, and for how long.
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';

import type { RawClient } from '../../support/raw-client.ts';
import { say, Sidecar, until } from '../../support/sidecar.ts';

let sidecar: Sidecar;
let app: RawClient;

beforeAll(async () => {
  const policies = [
    'prefix=off:;cache=off',
    'prefix=off:on:;cache=on',
    'prefix=brief:;maxTtl=200ms;softTtl=100;ttlJitter=0',
    'prefix=absent:;negativeTtl=0',
    'prefix=\\xff\\x00;cache=off',
  ];
  sidecar = await Sidecar.start({
    flags: `--max-staleness 30s --cache-negative-ttl 1m ${policies.map((each) => `--policy ${each}`).join(' ')}`,
  });
});
beforeEach(async () => {
  app = await sidecar.app();
});
afterEach(() => sidecar.endSessions());
afterAll(() => sidecar.stop());

/** How often Redis is asked when an app asks three times. */
async function readsOfThree(...read: string[]): Promise<number> {
  const name = (read[0] as string).toLowerCase();
  const runs = await sidecar.runs(name);
  for (let i = 0; i < 3; i++) await app.call(...read);
  return (await sidecar.runs(name)) - runs;
}

async function results(policy: string): Promise<Record<string, number>> {
  const read = async (result: string): Promise<number> =>
    sidecar.metric(`nearcache_cache_policy_requests_total{policy="${policy}",result="${result}"}`);
  return { hit: await read('hit'), miss: await read('miss'), bypass: await read('bypass') };
}

test('keys under a policy without a cache go to Redis each time', async () => {
  await say(sidecar.direct, 'MSET', 'off:k', 'v', 'off', 'v');
  expect(await readsOfThree('GET', 'off:k')).toBe(3);
  expect(await readsOfThree('STRLEN', 'off:k')).toBe(3);
  expect(await readsOfThree('EXISTS', 'off:k')).toBe(3);
  expect(await readsOfThree('GET', 'off')).toBe(1);
  expect(await results('off:')).toEqual({ hit: 0, miss: 0, bypass: 9 });
  expect(await sidecar.metric('nearcache_cache_bypasses_total{reason="policy"}')).toBe(9);
  // Nothing of it is asked for a time to live that nobody needs.
  const ttls = await sidecar.runs('pttl');
  await readsOfThree('GET', 'off:other');
  expect(await sidecar.runs('pttl')).toBe(ttls);
});

test('the longest prefix counts', async () => {
  await say(sidecar.direct, 'SET', 'off:on:k', 'v');
  expect(await readsOfThree('GET', 'off:on:k')).toBe(1);
  expect(await results('off:on:')).toEqual({ hit: 2, miss: 1, bypass: 0 });
});

test('a prefix is raw bytes', async () => {
  await say(sidecar.direct, 'MSET', '\xff\x00k', 'v', '\xff\x01k', 'v');
  expect(await readsOfThree('GET', '\xff\x00k')).toBe(3);
  expect(await readsOfThree('GET', '\xff\x01k')).toBe(1);
});

test('a call over several keys is cached only if all of them are', async () => {
  await say(sidecar.direct, 'MSET', 'x', '1', 'off:y', '2');
  expect(await readsOfThree('MGET', 'x', 'off:y')).toBe(3);
  expect(await readsOfThree('EXISTS', 'x', 'off:y')).toBe(3);
  expect(await readsOfThree('MGET', 'x')).toBe(1);
});

test('a policy has a longest time of its own', async () => {
  await say(sidecar.direct, 'MSET', 'brief:k', 'v', 'long', 'v');
  await sidecar.warm(app, 'GET', 'long');
  await sidecar.warm(app, 'GET', 'brief:k');
  const start = performance.now();
  const runs = await sidecar.runs('get');
  await until('it is read again', async () => {
    await app.call('GET', 'brief:k');
    return (await sidecar.runs('get')) > runs;
  });
  expect(performance.now() - start).toBeLessThan(5000);
  const between = await sidecar.runs('get');
  await app.call('GET', 'long');
  expect(await sidecar.runs('get')).toBe(between);
});

test('a policy may say that absence is not remembered, and values are', async () => {
  expect(await readsOfThree('GET', 'absent:k')).toBe(3);
  expect(await readsOfThree('GET', 'other')).toBe(1);
  await say(sidecar.direct, 'SET', 'absent:k', 'v');
  await sidecar.caughtUp();
  expect(await readsOfThree('GET', 'absent:k')).toBe(1);
});
