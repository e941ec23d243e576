import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { type Nearcache, startNearcache } from '../../src/drill/servers/nearcache-process.ts';
import { connectRaw, encodeRequest, type RawClient } from '../support/raw-client.ts';
import { type RedisServer, startRedis } from '../support/redis-server.ts';
import { say, until } from '../support/sidecar.ts';

/** Sessions that authenticate: each is served as who it is. */

let redis: RedisServer;
let nearcache: Nearcache;
let admin: RawClient;
const clients: RawClient[] = [];

afterEach(() => {
  for (const client of clients.splice(0)) client.close();
});

async function dial(target: { port: number }): Promise<RawClient> {
  const client = await connectRaw({ port: target.port });
  clients.push(client);
  return client;
}

async function appAs(user: string, password = 'pw'): Promise<RawClient> {
  const app = await dial(nearcache);
  expect(await say(app, 'AUTH', user, password)).toBe('+OK');
  return app;
}

/** How often Redis has run GET. */
async function gets(): Promise<number> {
  return Number(/cmdstat_get:calls=(\d+)/.exec(await say(admin, 'INFO', 'commandstats'))?.[1] ?? 0);
}

/** Read until the answer comes from the near-cache. */
async function warm(app: RawClient, key: string): Promise<string> {
  let answer = '';
  await until(`${key} is cached`, async () => {
    await app.call('GET', key);
    const before = await gets();
    answer = await say(app, 'GET', key);
    return (await gets()) === before;
  });
  return answer;
}

describe('sessions of several users', () => {
  beforeAll(async () => {
    redis = await startRedis();
    nearcache = await startNearcache({ upstream: redis.port, flags: ['--max-identities', '2'] });
    admin = await connectRaw({ port: redis.port });
    for (const user of ['alice', 'bob', 'carol', 'dave']) {
      await say(admin, 'ACL', 'SETUSER', user, 'on', '>pw', `~${user}:*`, '~all:*', '&*', '+@all', '-info');
    }
  });

  afterAll(async () => {
    admin.close();
    await nearcache.kill();
    await redis.stop();
  });

  beforeEach(async () => {
    for (const key of ['alice:k', 'bob:k', 'carol:k', 'all:k', 'none:k'])
      await say(admin, 'SET', key, `of ${key}`);
  });

  it('are who they say they are', async () => {
    const app = await appAs('alice');
    expect(await say(app, 'ACL', 'WHOAMI')).toBe('alice');
    expect(await say(app, 'GET', 'alice:k')).toBe('of alice:k');
    expect(await say(app, 'GET', 'bob:k')).toMatch(/^-NOPERM/);
    expect(await say(app, 'INFO')).toMatch(/^-NOPERM/);
    expect(await say(await dial(nearcache), 'ACL', 'WHOAMI')).toBe('default');
  });

  it('may change who they are, and lose what only the other may', async () => {
    const app = await appAs('alice');
    expect(await warm(app, 'alice:k')).toBe('of alice:k');
    expect(await say(app, 'AUTH', 'bob', 'pw')).toBe('+OK');
    expect(await say(app, 'GET', 'alice:k')).toMatch(/^-NOPERM/);
    expect(await say(app, 'RESET')).toBe('+RESET');
    expect(await say(app, 'ACL', 'WHOAMI')).toBe('default');
    expect(await say(app, 'GET', 'alice:k')).toBe('of alice:k');
  });

  it('are not served what was cached for another without permission', async () => {
    const [alice, nobody] = [await appAs('alice'), await dial(nearcache)];
    expect(await warm(alice, 'alice:k')).toBe('of alice:k');
    expect(await warm(nobody, 'alice:k')).toBe('of alice:k');
    const bob = await appAs('bob');
    for (let i = 0; i < 3; i++) expect(await say(bob, 'GET', 'alice:k')).toMatch(/^-NOPERM/);
    expect(await say(bob, 'GET', 'all:k')).toBe('of all:k');
  });

  it('see each other’s writes at once, cached or not', async () => {
    const [alice, bob] = [await appAs('alice'), await appAs('bob')];
    for (let i = 0; i < 20; i++) {
      await warm(bob, 'all:k');
      expect(await say(alice, 'SET', 'all:k', `${i}`)).toBe('+OK');
      expect(await say(bob, 'GET', 'all:k')).toBe(`${i}`);
    }
  });

  it('lose what is cached when their rights are taken away through nearcache', async () => {
    const app = await appAs('alice');
    await warm(app, 'alice:k');
    const operator = await dial(nearcache);
    expect(await say(operator, 'ACL', 'SETUSER', 'alice', 'resetkeys', '~all:*')).toBe('+OK');
    expect(await say(app, 'GET', 'alice:k')).toMatch(/^-NOPERM/);
    await say(operator, 'ACL', 'SETUSER', 'alice', '~alice:*');
    expect(await say(app, 'GET', 'alice:k')).toBe('of alice:k');
  });

  it('beyond the limit of identities work too, on connections of their own', async () => {
    // Two at a time; whoever has no session makes room for the next.
    const held = [await appAs('alice'), await appAs('bob')];
    const apps = [await appAs('carol'), await appAs('dave')] as const;
    expect(await say(apps[0], 'ACL', 'WHOAMI')).toBe('carol');
    expect(await say(apps[1], 'ACL', 'WHOAMI')).toBe('dave');
    const [carol] = apps;
    for (let i = 0; i < 3; i++) expect(await say(carol, 'GET', 'carol:k')).toBe('of carol:k');
    expect(await say(carol, 'GET', 'alice:k')).toMatch(/^-NOPERM/);
    expect(await say(carol, 'SELECT', '3')).toBe('+OK');
    expect(await say(carol, 'SET', 'carol:k', '3')).toBe('+OK');
    expect(await say(carol, 'SELECT', '0')).toBe('+OK');
    expect(await say(carol, 'GET', 'carol:k')).toBe('of carol:k');
    expect(await say(carol, 'PING')).toBe('+PONG');
    carol.send(Buffer.concat([['MULTI'], ['GET', 'carol:k'], ['EXEC']].map((args) => encodeRequest(args))));
    expect((await carol.readFrames(3)).map(String)[2]).toBe('*1\r\n$10\r\nof carol:k\r\n');
    await carol.call('HELLO', '3');
    expect(String(await carol.call('HGETALL', 'carol:none'))).toBe('%0\r\n');
    expect(String(await carol.call('SUBSCRIBE', 'ch'))).toMatch(/^>3/);
    await say(held[0] as RawClient, 'PUBLISH', 'ch', 'hello');
    expect(String(await carol.readFrame())).toContain('hello');
    for (const app of [...held, ...apps]) app.close();
    // Nothing stays behind for a user who is gone but the connection that asks about credentials.
    await until('their connections are closed', async () => {
      return !/ cmd=(?!auth ).* user=(carol|dave) /.test(await say(admin, 'CLIENT', 'LIST'));
    });
  });

  it.each([
    ['AUTH', 'alice', 'wrong'],
    ['AUTH', 'nobody', 'pw'],
    ['AUTH', 'pw'],
    ['AUTH'],
    ['AUTH', 'a', 'b', 'c'],
    ['HELLO', '3', 'AUTH', 'alice', 'wrong'],
    ['HELLO', '2', 'AUTH', 'alice', 'wrong', 'SETNAME', 'x'],
    ['HELLO', '3', 'AUTH', 'alice'],
  ])('hear Redis’s own answer to %s %s %s %s', async (...args) => {
    const words = args.filter((word) => word !== undefined);
    const [through, direct] = [await dial(nearcache), await dial(redis)];
    expect(await say(through, ...words)).toBe(await say(direct, ...words));
    expect(await say(through, 'ACL', 'WHOAMI')).toBe('default');
    // Still in RESP2.
    expect(String(await through.call('GET', 'nosuch'))).toBe('$-1\r\n');
  });

  it('keep who they were when they guess wrong', async () => {
    const app = await appAs('alice');
    expect(await say(app, 'AUTH', 'bob', 'wrong')).toMatch(/^-WRONGPASS/);
    expect(await say(app, 'ACL', 'WHOAMI')).toBe('alice');
  });

  it('end when their user is deleted', async () => {
    await say(admin, 'ACL', 'SETUSER', 'eve', 'on', '>pw', '~*', '+@all');
    const app = await appAs('eve');
    await say(app, 'GET', 'all:k');
    await say(admin, 'ACL', 'DELUSER', 'eve');
    await until('no answer any more', async () => {
      const answer = await say(app, 'GET', 'all:k').catch(() => 'closed');
      return answer === 'closed' || answer.startsWith('-');
    });
  });
});
