import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import { allCommands } from '../../src/command/table.ts';
import { type Nearcache, startNearcache } from '../../src/drill/servers/nearcache-process.ts';
import { connectRaw, encodeRequest, type RawClient } from '../support/raw-client.ts';
import { type RedisServer, startRedis } from '../support/redis-server.ts';
import { say, text } from '../support/sidecar.ts';

/** Sessions that have not said who they are, where they must: they see nothing. */

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

describe.each([
  ['Redis asks for a password that nearcache has not', 'locked'],
  ['--require-auth is set before a Redis with a password', 'required'],
  ['--require-auth is set before a Redis that lets anyone in', 'open'],
] as const)('before a session has authenticated, when %s', (_name, kind) => {
  /** A name that the command table does not have, for a command that reads. */
  const args = ['--rename-command', 'SUBSTR', 'FETCH'];

  beforeAll(async () => {
    redis = await startRedis(kind === 'open' ? { args } : { password: 'secret', args });
    admin = await connectRaw({ port: redis.port });
    if (kind !== 'open') await say(admin, 'AUTH', 'secret');
    await say(admin, 'ACL', 'SETUSER', 'alice', 'on', '>pw', '~*', '&*', '+@all');
    await say(admin, 'SET', 'k', 'classified');
    nearcache = await startNearcache({
      upstream: kind === 'required' ? `redis://:secret@127.0.0.1:${redis.port}` : redis.port,
      flags: kind === 'locked' ? [] : ['--require-auth'],
    });
  });

  afterAll(async () => {
    admin.close();
    await nearcache.kill();
    await redis.stop();
  });

  const open = new Set(['auth', 'hello', 'quit', 'reset']);
  const names = allCommands()
    .map(({ name }) => name)
    .filter((name) => !open.has(name) && name !== 'shutdown' && name !== 'substr');

  it('no command of the table gets anything but a refusal', async () => {
    const app = await dial(nearcache);
    await warmFor('alice');
    for (const name of names) {
      const spec = allCommands().find((each) => each.name === name);
      const words = name.split('|');
      const count = Math.max(0, Math.abs(spec?.arity ?? 1) - words.length);
      app.request([...words, ...Array.from({ length: count }, () => 'k')]);
    }
    const answers = (await app.readFrames(names.length)).map(String);
    const leaks = names.filter((_, index) => !/^-(NOAUTH|ERR|EXECABORT)/.test(answers[index] as string));
    expect(leaks).toEqual([]);
  });

  /** Have something in the cache to leak. */
  async function warmFor(user: string): Promise<void> {
    const app = await appAs(user);
    for (let i = 0; i < 5; i++) expect(await say(app, 'GET', 'k')).toBe('classified');
  }

  it('nothing leaks through other doors', async () => {
    await warmFor('alice');
    const attempts: (readonly string[])[][] = [
      [['GET', 'k']],
      [['MULTI'], ['GET', 'k'], ['EXEC']],
      [
        ['WATCH', 'k'],
        ['GET', 'k'],
      ],
      [['RESET'], ['GET', 'k']],
      [
        ['HELLO', '3'],
        ['GET', 'k'],
      ],
      [
        ['HELLO', '3', 'AUTH', 'alice', 'wrong'],
        ['GET', 'k'],
      ],
      [
        ['AUTH', 'alice', 'wrong'],
        ['GET', 'k'],
      ],
      [
        ['CLIENT', 'REPLY', 'OFF'],
        ['GET', 'k'],
      ],
      [
        ['SUBSCRIBE', 'ch'],
        ['GET', 'k'],
      ],
      [['MONITOR'], ['GET', 'k']],
      [['EVAL', 'return redis.call("GET", "k")', '0']],
      [
        ['BLPOP', 'k', '0'],
        ['GET', 'k'],
      ],
      [
        ['fetch', 'k', '0', '-1'],
        ['GET', 'k'],
      ],
      [['FETCH', 'k', '0', '-1']],
      [['CONFIG', 'GET', 'requirepass']],
      [['GET', 'k', 'k'], ['GET']],
      [['SORT', 'k', 'GET', '*']],
    ];
    for (const requests of attempts) {
      const app = await dial(nearcache);
      for (const request of requests) app.request(request);
      const answers = (await app.readFrames(requests.length)).map(String);
      const said = `${requests.map((words) => words.join(' ')).join(', ')}: ${answers.join('')}`;
      expect(said).not.toMatch(/: .*(classified|secret)/s);
      for (const [index, answer] of answers.entries()) {
        const isReset = requests[index]?.[0] === 'RESET';
        expect(answer, said).toMatch(isReset ? /^\+RESET/ : /^-/);
      }
      app.close();
    }
  });

  it('a large request is refused and dropped', async () => {
    const app = await dial(nearcache);
    app.request(['SET', 'k', 'x'.repeat(3_000_000)]);
    expect(await app.readFrame().then(text)).toMatch(
      /^-(NOAUTH|ERR Protocol error: unauthenticated bulk length)/,
    );
    expect(await say(admin, 'GET', 'k')).toBe('classified');
  });

  it('HELLO with AUTH opens the door, and RESET shuts it again', async () => {
    const app = await dial(nearcache);
    expect(String(await app.call('HELLO', '3', 'AUTH', 'alice', 'pw'))).toMatch(/^%7/);
    expect(await say(app, 'GET', 'k')).toBe('classified');
    expect(await say(app, 'RESET')).toBe('+RESET');
    expect(await say(app, 'GET', 'k')).toMatch(/^-NOAUTH/);
  });

  it('what one session has read in the same pipeline is not told to the next', async () => {
    const [known, stranger] = [await appAs('alice'), await dial(nearcache)];
    known.send(Buffer.concat(Array<Buffer>(50).fill(encodeRequest(['GET', 'k']))));
    stranger.send(Buffer.concat(Array<Buffer>(50).fill(encodeRequest(['GET', 'k']))));
    expect(new Set((await known.readFrames(50)).map(text))).toEqual(new Set(['classified']));
    expect(new Set((await stranger.readFrames(50)).map(text))).toEqual(
      new Set(['-NOAUTH Authentication required.']),
    );
  });
});
