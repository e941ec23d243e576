import { Redis } from 'ioredis';
import { afterEach, expect, it } from 'vitest';

import { callRedis } from '../../src/drill/servers/redis-call.ts';
import { startSentinels } from './redis-sentinel.ts';
import type { SentinelSet } from '../../src/drill/servers/redis-sentinel.ts';

let set: SentinelSet | undefined;

afterEach(() => set?.stop());

it('starts a primary with replicas that a Sentinel client finds, behind the passwords asked for', async () => {
  set = await startSentinels({
    replicas: 2,
    masterName: 'shop',
    password: 'data',
    sentinelPassword: 'watch',
  });
  expect(set.url).toMatch(
    /^redis\+sentinel:\/\/:data@127\.0\.0\.1:\d+,127\.0\.0\.1:\d+,127\.0\.0\.1:\d+\/shop$/,
  );
  const sentinels = set.sentinels.map(({ host, port }) => ({ host, port }));
  const client = new Redis({ sentinels, name: 'shop', password: 'data', sentinelPassword: 'watch' });
  await client.set('k', 'v');
  expect(await client.wait(2, 5000)).toBe(2);
  client.disconnect();
  expect(await set.primary()).toBe(set.servers[0]);
});

it('fails over when asked, more than once', async () => {
  set = await startSentinels({ replicas: 1 });
  const first = await set.primary();
  const second = await set.failover();
  expect(second).not.toBe(first);
  expect(await callRedis(second, ['ROLE'])).toContain('master');
  await set.settled();
  expect(await set.failover()).toBe(first);
});

it('fails over when the primary is killed, and takes the old one back as a replica', async () => {
  set = await startSentinels();
  const old = await set.killPrimary();
  const now = await set.switchedFrom(old);
  expect(await set.primary()).toBe(now);
  await old.restart();
  await set.settled();
  expect(await callRedis(old, ['ROLE'])).toContain('slave');
});

it('fails over when the primary freezes, and a frozen sentinel does not hide it', async () => {
  set = await startSentinels();
  await set.sentinels[0]?.kill('SIGSTOP');
  const old = await set.pausePrimary();
  const now = await set.switchedFrom(old);
  expect(now).not.toBe(old);
  expect(await set.primary()).toBe(now);
});
