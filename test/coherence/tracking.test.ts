// R7, R17: the link that fills is one on which Redis has confirmed tracking, of a primary, and no app can change it.
import { afterEach, expect, test } from 'vitest';

import { startRedis } from '../support/redis-server.ts';
import { say, Sidecar, until } from '../support/sidecar.ts';

let sidecar: Sidecar;

afterEach(() => sidecar.stop());

/** What Redis knows of nearcache's shared connection, without what changes with each command. */
async function sharedLink(): Promise<string> {
  const list = String(await sidecar.direct.call('CLIENT', 'LIST'));
  const line =
    list.split('\n').find((each) => / name=nearcache .* flags=t.* user=default /.test(each)) ?? list;
  const wanted = /^(id|name|flags|db|sub|psub|ssub|multi|user|redir|resp)=/;
  return line
    .split(' ')
    .filter((field) => wanted.test(field))
    .join(' ');
}

async function isCoherent(key: string): Promise<void> {
  const app = await sidecar.app();
  await say(sidecar.direct, 'SET', key, 'old');
  await sidecar.warm(app, 'GET', key);
  await say(sidecar.direct, 'SET', key, 'new');
  await sidecar.caughtUp();
  expect(await say(app, 'GET', key)).toBe('new');
}

test('where tracking is refused nothing is cached', async () => {
  sidecar = await Sidecar.start({
    user: 'plain:pw',
    prepare: async (direct) => {
      await direct.call('ACL', 'SETUSER', 'plain', 'on', '>pw', '+@all', '-client|tracking', '~*', '&*');
    },
  });
  const app = await sidecar.app();
  for (const value of ['1', '2', '3']) {
    await say(sidecar.direct, 'SET', 'k', value);
    expect(await say(app, 'GET', 'k')).toBe(value);
    expect(await say(app, 'GET', 'k')).toBe(value);
  }
  expect(await sidecar.runs('get')).toBe(6);
  await expect
    .poll(() => sidecar.nearcache.logs, { timeout: 10_000 })
    .toContain('near-cache is off on this link');
});

test('the invalidations of the shared connection itself are wanted, too', async () => {
  sidecar = await Sidecar.start();
  const app = await sidecar.app();
  await say(app, 'SET', 'k', '1');
  await sidecar.warm(app, 'GET', 'k');
  // The script writes over the link that has read the key; with NOLOOP nobody would hear of it.
  await say(app, 'EVAL', "redis.call('SET', 'k', '2')", '0');
  expect(await say(app, 'GET', 'k')).toBe('2');
  await sidecar.warm(app, 'GET', 'k');
  await say(sidecar.direct, 'SET', 'k', '3');
  await sidecar.caughtUp();
  expect(await say(app, 'GET', 'k')).toBe('3');
});

test('nothing is cached from a replica, and hits begin when it is made a primary', async () => {
  const primary = await startRedis();
  sidecar = await Sidecar.start({
    flags: '--max-staleness 200ms',
    prepare: async (direct) => {
      await direct.call('REPLICAOF', '127.0.0.1', String(primary.port));
    },
  });
  const app = await sidecar.app();
  const runs = await sidecar.runs('get');
  for (let i = 0; i < 3; i++) await app.call('GET', 'k');
  expect(await sidecar.runs('get')).toBe(runs + 3);
  await say(sidecar.direct, 'REPLICAOF', 'NO', 'ONE');
  await sidecar.warm(app, 'GET', 'k');
  await primary.stop();
});

test('a primary that is made a replica is not trusted any more', async () => {
  const primary = await startRedis();
  sidecar = await Sidecar.start({ flags: '--max-staleness 200ms' });
  const app = await sidecar.app();
  await sidecar.warm(app, 'GET', 'k');
  await say(sidecar.direct, 'REPLICAOF', '127.0.0.1', String(primary.port));
  await until('its role is known', async () => sidecar.nearcache.logs.includes('the server is a replica'));
  const runs = await sidecar.runs('get');
  for (let i = 0; i < 3; i++) await app.call('GET', 'k');
  expect(await sidecar.runs('get')).toBe(runs + 3);
  await primary.stop();
});

test('what an app does to its own connection does not reach the shared one', async () => {
  sidecar = await Sidecar.start({
    prepare: async (direct) => {
      await direct.call('ACL', 'SETUSER', 'other', 'on', '>pw', '+@all', '~*', '&*');
    },
  });
  await isCoherent('before');
  const link = await sharedLink();
  const commands: string[][] = [
    ['CLIENT', 'TRACKING', 'ON', 'NOLOOP'],
    ['CLIENT', 'TRACKING', 'OFF'],
    ['CLIENT', 'CACHING', 'YES'],
    ['CLIENT', 'NO-EVICT', 'ON'],
    ['CLIENT', 'SETNAME', 'app'],
    ['CLIENT', 'REPLY', 'ON'],
    ['HELLO', '3'],
    ['HELLO', '2'],
    ['HELLO', '2', 'AUTH', 'other', 'pw'],
    ['AUTH', 'other', 'pw'],
    ['AUTH', 'other', 'wrong'],
    ['READONLY'],
    ['RESET'],
    ['SELECT', '3'],
    ['SUBSCRIBE', 'channel'],
    ['PSUBSCRIBE', 'pattern*'],
    ['SSUBSCRIBE', 'shard channel'],
    ['WATCH', 'k'],
    ['MULTI'],
    ['MONITOR'],
    ['QUIT'],
  ];
  for (const command of commands) {
    const app = await sidecar.app();
    await app.call(...command);
    expect(await sharedLink(), command.join(' ')).toBe(link);
  }
  const silent = await sidecar.app();
  silent.request(['CLIENT', 'REPLY', 'OFF']);
  silent.request(['SET', 'silent', '1']);
  await until('it has run', async () => (await say(sidecar.direct, 'GET', 'silent')) === '1');
  await isCoherent('after');
});
