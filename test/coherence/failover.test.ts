// A primary that Sentinels watch loses its place: its links may be as healthy as ever (coherence spec §8, R11).
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';

import { eventually } from '../../src/drill/servers/eventually.ts';
import { type Nearcache, startNearcache } from '../../src/drill/servers/nearcache-process.ts';
import { callRedis } from '../../src/drill/servers/redis-call.ts';
import { Client } from './history/client.ts';
import { SentinelBackend } from './history/sentinel-backend.ts';

const STALENESS_MS = 400;

let backend: SentinelBackend;
let nearcache: Nearcache;
let client: Client;

beforeEach(async () => {
  backend = await SentinelBackend.start(() => 0.5);
  // A link that says nothing is not given up for it.
  const flags = `--max-staleness ${STALENESS_MS}ms --topology-refresh 100ms --link-dead-timeout 1m --command-timeout 20s`;
  nearcache = await startNearcache({ upstream: backend.upstream, flags: flags.split(' ') });
  // Until the Sentinels have named the primary, nothing can be sent to it.
  client = await eventually('a primary', () => Client.connect(nearcache.port, { proto: 3, db: 0 }));
});

afterEach(async () => {
  client?.close();
  await nearcache?.kill();
  await backend?.stop();
});

/** What GET k answers, and whether Redis was asked. */
async function get(): Promise<{ value: unknown; isHit: boolean }> {
  const before = backend.reads.mark(0, ['GET', 'k']);
  const { reply } = await client.call('GET', 'k');
  return { value: reply, isHit: before !== undefined && before === backend.reads.mark(0, ['GET', 'k']) };
}

test('nothing is served from the cache when no majority of the Sentinels has confirmed the primary within D', async () => {
  await client.call('SET', 'k', '1');
  await eventually('a hit', async () => ((await get()).isHit ? true : undefined));
  for (const sentinel of backend.set.sentinels.slice(1)) await sentinel.kill('SIGSTOP');
  await delay(STALENESS_MS + 200);
  for (let i = 0; i < 5; i++) expect(await get()).toEqual({ value: '1', isHit: false });
});

test('after a failover nothing more is asked of the old primary, nor kept of what it said', async () => {
  await client.call('SET', 'k', 'old');
  await eventually('a hit', async () => ((await get()).isHit ? true : undefined));
  const old = await backend.set.pausePrimary();
  const primary = await backend.set.switchedFrom(old);
  await callRedis(primary, ['SET', 'k', 'new']);
  expect(await Promise.race([get(), delay(15_000)])).toMatchObject({ value: 'new' });
  await old.kill('SIGCONT');
  await delay(STALENESS_MS * 2);
  expect((await get()).value).toBe('new');
}, 90_000);
