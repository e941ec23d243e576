// DESIGN rule 11: client ids are nearcache's own, and stand for the right connection where Redis has to hear one.
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';

import { connectRaw } from '../../support/raw-client.ts';
import type { RawClient } from '../../support/raw-client.ts';
import { say, Sidecar, text, until } from '../../support/sidecar.ts';

let sidecar: Sidecar;

beforeAll(async () => {
  sidecar = await Sidecar.start();
  // Ids at Redis run ahead of nearcache's, so that one taken for the other names nobody or a stranger.
  for (let i = 0; i < 20; i++) {
    const passer = await connectRaw({ port: sidecar.redis.port });
    await passer.call('PING');
    passer.close();
  }
});
afterEach(() => sidecar.endSessions());
afterAll(() => sidecar.stop());

async function idOf(app: RawClient): Promise<string> {
  return (await say(app, 'CLIENT', 'ID')).slice(1);
}

test('each session has an id of its own, which CLIENT LIST and HELLO tell too', async () => {
  const [a, b] = [await sidecar.app(), await sidecar.app()];
  const [idA, idB] = [await idOf(a), await idOf(b)];
  expect(idA).not.toBe(idB);
  expect(await say(a, 'CLIENT', 'LIST', 'ID', idB)).toContain(`id=${idB} `);
  expect(String(await b.call('HELLO', '3'))).toContain(`$2\r\nid\r\n:${idB}\r\n`);
});

test('CLIENT UNBLOCK by a session id unblocks what that session waits for', async () => {
  const [a, b] = [await sidecar.app(), await sidecar.app()];
  const id = await idOf(a);
  a.request(['BLPOP', 'nothing', '0']);
  await sidecar.blockedClients(1);
  expect(await say(b, 'CLIENT', 'UNBLOCK', id)).toBe(':1');
  expect(text(await a.readFrame())).toBe('nil');
});

test('CLIENT UNBLOCK by an id that only Redis knows unblocks nobody', async () => {
  const b = await sidecar.app();
  const stranger = await connectRaw({ port: sidecar.redis.port });
  const strangerId = (await say(stranger, 'CLIENT', 'ID')).slice(1);
  stranger.request(['BLPOP', 'nothing', '0']);
  await sidecar.blockedClients(1);
  expect(await say(b, 'CLIENT', 'UNBLOCK', strangerId)).toBe(':0');
  stranger.close();
  await sidecar.blockedClients(0);
});

test('CLIENT KILL by a session id ends that session and no connection of nearcache', async () => {
  const [a, b] = [await sidecar.app(), await sidecar.app()];
  expect(await say(b, 'CLIENT', 'KILL', 'ID', await idOf(a))).toBe(':1');
  await a.closed;
  expect(await say(b, 'SET', 'k', 'v')).toBe('+OK');
  expect(await sidecar.metric('nearcache_shard_connections_lost_total')).toBe(0);
});

test('CLIENT TRACKING REDIRECT by a session id sends the invalidations to that session', async () => {
  const [reader, hears] = [await sidecar.app(), await sidecar.app()];
  const id = await idOf(hears);
  await hears.call('SUBSCRIBE', '__redis__:invalidate');
  expect(await say(reader, 'CLIENT', 'TRACKING', 'ON', 'REDIRECT', id)).toBe('+OK');
  await say(reader, 'GET', 'told');
  expect(await say(sidecar.direct, 'SET', 'told', '1')).toBe('+OK');
  expect(String(await hears.readFrame())).toBe(
    '*3\r\n$7\r\nmessage\r\n$20\r\n__redis__:invalidate\r\n*1\r\n$4\r\ntold\r\n',
  );
});

test('CLIENT TRACKING REDIRECT is answered at once when the connections that it needs rest in the pool', async () => {
  const apps = await Promise.all([sidecar.app(), sidecar.app()]);
  const [reader, hears] = apps;
  for (const app of apps) app.request(['BLPOP', 'none', '0']);
  await sidecar.blockedClients(2);
  await say(sidecar.direct, 'RPUSH', 'none', 'a', 'b');
  await Promise.all(apps.map((app) => app.readFrame()));
  await until(
    'two rest',
    async () => ((await sidecar.metric('nearcache_shard_pinned_idle_connections')) ?? 0) >= 2,
  );
  const id = await idOf(hears);
  await hears.call('SUBSCRIBE', '__redis__:invalidate');
  expect(await say(reader, 'CLIENT', 'TRACKING', 'ON', 'REDIRECT', id)).toBe('+OK');
});
