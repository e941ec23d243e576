import { afterEach, beforeEach, expect, test } from 'vitest';

import { ERRORS } from '../../src/base/errors.ts';
import { CheckedLoad } from '../support/checked-load.ts';
import { type Nearcache, startNearcache } from '../../src/drill/servers/nearcache-process.ts';
import { connectRaw, type RawClient } from '../support/raw-client.ts';
import { type RedisServer, startRedis } from '../support/redis-server.ts';

let server: RedisServer;
let nearcache: Nearcache;

beforeEach(async () => {
  // What Redis has acknowledged survives it, so that a lost or repeated write is told from a lost database. Without fsync
  // it writes before each reply; with it, it may put that off.
  server = await startRedis({ args: ['--appendonly', 'yes', '--appendfsync', 'no'] });
});

afterEach(async () => {
  await nearcache.stop();
  await server.stop();
});

/** Starts nearcache and a load on it, and waits until that works. */
async function startLoad(flags: readonly string[] = []): Promise<CheckedLoad> {
  nearcache = await startNearcache({ upstream: server.port, flags });
  const load = new CheckedLoad(nearcache.port);
  load.start();
  await worksWell(load);
  return load;
}

/** Many replies come, and no error among them. */
async function worksWell(load: CheckedLoad): Promise<void> {
  const failuresAmongMany = async (): Promise<number> => {
    const { good, failed } = load;
    await expect.poll(() => load.good, { timeout: 40_000 }).toBeGreaterThan(good + 5000);
    return load.failed - failed;
  };
  await expect.poll(failuresAmongMany, { timeout: 60_000 }).toBe(0);
}

async function failsMore(load: CheckedLoad): Promise<void> {
  const { failed } = load;
  await expect.poll(() => load.failed, { timeout: 40_000 }).toBeGreaterThan(failed + 100);
}

/** Ends the load; every request was answered, rightly or with a documented error, and in time. */
async function expectAnswers(load: CheckedLoad): Promise<void> {
  await load.stop();
  expect(load.wrong).toEqual([]);
  expect([...load.errors.keys()].filter((text) => !documentedErrors.test(text))).toEqual([]);
  expect(load.slowestMs).toBeLessThan(10_000);
  // A reply that was cut in the middle, and a transaction that Redis has forgotten, leave nothing to do but to close.
  expect([...load.closed.keys()].filter((kind) => kind !== 'big' && kind !== 'step')).toEqual([]);
}

/** What docs/errors.md has for a shard that is away, filled in, and what Redis itself says while it reads its file. */
const documentedErrors = new RegExp(
  [
    ...['SHARD_UNREACHABLE', 'SHARD_LOST', 'SHARD_TIMEOUT', 'SHARD_AWAY'].map((code) => {
      const text = ERRORS.find((row) => row.code === code)?.text ?? '';
      const literal = text.replaceAll(/[().]/g, String.raw`\$&`).replace('{shard}', 'shard0');
      return `^${literal.replace('{ms}', String.raw`[1-9]\d*`).replace('{reason}', '.+')}$`;
    }),
    '^LOADING Redis is loading the dataset in memory$',
    '^EXECABORT Transaction discarded because of previous errors\\.$',
  ].join('|'),
);

test('a Redis that dies and returns costs errors but no wrong reply', { timeout: 300_000 }, async () => {
  const load = await startLoad();

  for (let round = 0; round < 4; round++) {
    await server.kill('SIGKILL');
    await failsMore(load);
    await server.restart();
    await worksWell(load);
  }

  await expectAnswers(load);
});

test('a Redis that stands still costs errors but no wrong reply', { timeout: 300_000 }, async () => {
  const times = ['--command-timeout', '400ms', '--connect-timeout', '400ms', '--link-dead-timeout', '1s'];
  // A link is not dead while a script, its oldest command, may still run.
  const graces = ['--blocking-grace', '200ms', '--slow-command-timeout', '400ms'];
  const load = await startLoad([...times, ...graces]);

  for (const isLong of [false, true, false, true]) {
    const { length } = nearcache.logs;
    await server.kill('SIGSTOP');
    await failsMore(load);
    const isLinkLost = (): boolean => nearcache.logs.slice(length).includes('shard was lost');
    if (isLong) await expect.poll(isLinkLost, { timeout: 40_000 }).toBe(true);
    await server.kill('SIGCONT');
    await worksWell(load);
  }

  await expectAnswers(load);
});

test('what is in flight when Redis dies hears that its outcome is unknown', async () => {
  nearcache = await startNearcache({ upstream: server.port });
  const connect = (): Promise<RawClient> => connectRaw(nearcache);
  const [plain, blocked, queueing, executing] = [
    await connect(),
    await connect(),
    await connect(),
    await connect(),
  ];
  const other = await connect();
  for (const client of [queueing, executing]) {
    await client.call('MULTI');
    await client.call('INCR', 'n');
  }
  blocked.request(['BLPOP', 'queue', '0']);
  await expect.poll(() => other.call('INFO', 'clients').then(String)).toContain('blocked_clients:1');
  await server.kill('SIGSTOP');
  for (const client of [plain, queueing]) client.request(['INCR', 'n']);
  executing.request(['EXEC']);
  // nearcache answers PING itself; by the second one it has read and passed on what was sent before the first.
  for (let i = 0; i < 3; i++) await other.call('PING');
  await server.kill('SIGKILL');

  for (const client of [plain, blocked, queueing, executing]) {
    expect((await client.readFrame()).toString()).toMatch(
      /^-ERR nearcache: shard shard0 was lost \(.+\) before its reply; outcome unknown\r\n$/,
    );
  }
  // Redis has forgotten what was queued; only a new connection makes that plain to the app.
  await queueing.closed;
  for (const client of [plain, blocked, executing])
    expect(String(await client.call('PING'))).toBe('+PONG\r\n');
});
