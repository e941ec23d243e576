// DESIGN rule 4: a session that ends while a blocking command is outstanding takes its pinned connection with it.
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';

import type { RawClient } from '../../support/raw-client.ts';
import { say, Sidecar } from '../../support/sidecar.ts';

let sidecar: Sidecar;

beforeAll(async () => {
  // Long, so that a connection which is cleaned, and would be given up after this time, is not taken for a destroyed one.
  // Renamed, BRPOP is a blocking command that nearcache's table does not know.
  sidecar = await Sidecar.start({
    redisArgs: ['--rename-command', 'BRPOP', 'wait.pop'],
    flags: '--command-timeout 60s --connect-timeout 60s',
  });
});
afterEach(() => sidecar.endSessions());
afterAll(() => sidecar.stop());

const ways: [string, (app: RawClient) => void][] = [
  ['closes', (app) => app.socket.end()],
  ['resets', (app) => app.socket.resetAndDestroy()],
];

test.each(ways)(
  'an element that comes after a waiting app %s its connection stays in the list',
  async (_, end) => {
    const app = await sidecar.app();
    const other = await sidecar.app();
    app.request(['BLPOP', 'jobs', '0']);
    await sidecar.blockedClients(1);
    end(app);
    await sidecar.blockedClients(0);
    expect(await say(other, 'RPUSH', 'jobs', 'one')).toBe(':1');
    expect(await say(other, 'RPOP', 'jobs')).toBe('one');
  },
);

test('a blocking command that the table does not know loses no element either when its connection is reset', async () => {
  const app = await sidecar.app();
  app.request(['WAIT.POP', 'unknown', '0']);
  await sidecar.blockedClients(1);
  app.socket.resetAndDestroy();
  await sidecar.blockedClients(0);
  expect(await say(sidecar.direct, 'RPUSH', 'unknown', 'one')).toBe(':1');
  expect(await say(sidecar.direct, 'RPOP', 'unknown')).toBe('one');
});

test('a pinned connection whose blocking command was answered is used again', async () => {
  const app = await sidecar.app();
  await say(app, 'RPUSH', 'ready', 'a', 'b');
  expect(String(await app.call('BLPOP', 'ready', '0'))).toContain('a');
  const opened = await sidecar.metric('nearcache_shard_pinned_opened_total');
  expect(String(await app.call('BLPOP', 'ready', '0'))).toContain('b');
  expect(await sidecar.metric('nearcache_shard_pinned_opened_total')).toBe(opened);
});
