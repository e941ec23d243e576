// R6: a command that may change keys it does not name is acknowledged only when the invalidations it caused are processed.
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';

import type { RawClient } from '../support/raw-client.ts';
import { invalidation, say, Sidecar, text, until } from '../support/sidecar.ts';

const set = "redis.call('SET', ARGV[1], ARGV[2]) return 'done'";
const library = `#!lua name=lib
redis.register_function('put', function(keys, args) redis.call('SET', args[1], args[2]) return 'done' end)`;

let sidecar: Sidecar;
let writer: RawClient;
let reader: RawClient;

beforeAll(async () => {
  // Renamed, APPEND is a command that nearcache's table does not know.
  sidecar = await Sidecar.start({
    redisArgs: ['--rename-command', 'APPEND', 'glue'],
    flags: '--max-staleness 30s --big-value-size 64kb',
    prepare: async (direct) => {
      await direct.call('FUNCTION', 'LOAD', library);
    },
  });
});
beforeEach(async () => {
  reader = await sidecar.app();
  writer = await sidecar.app();
});
afterEach(() => sidecar.endSessions());
afterAll(() => sidecar.stop());

/** Sends the last of `commands` while the invalidation of `key` is held back. Its reply must wait for that invalidation,
 *  and afterwards neither session may get what was cached before. */
async function isHeldBack(key: string, ...commands: string[][]): Promise<string> {
  await say(sidecar.direct, 'SET', key, 'old');
  await sidecar.warm(reader, 'GET', key);
  for (const command of commands.slice(0, -1)) await writer.call(...command);
  const push = sidecar.gate.stopAt('down', invalidation(key));
  writer.request(commands.at(-1) as string[]);
  await push.reached;
  await sidecar.settled();
  expect(writer.rest()).toHaveLength(0);
  push.release();
  const reply = String(await writer.readFrame());
  expect(await say(writer, 'GET', key)).toContain('new');
  expect(await say(reader, 'GET', key)).toContain('new');
  return reply;
}

test('EVAL', async () => {
  expect(await isHeldBack('eval', ['EVAL', set, '0', 'eval', 'new'])).toBe('$4\r\ndone\r\n');
});

test('EVAL that declares another key', async () => {
  expect(await isHeldBack('eval2', ['EVAL', set, '1', 'declared', 'eval2', 'new'])).toBe('$4\r\ndone\r\n');
});

test('EVALSHA', async () => {
  const sha = await say(sidecar.direct, 'SCRIPT', 'LOAD', set);
  expect(await isHeldBack('evalsha', ['EVALSHA', sha, '0', 'evalsha', 'new'])).toBe('$4\r\ndone\r\n');
});

test('FCALL', async () => {
  expect(await isHeldBack('fcall', ['FCALL', 'put', '0', 'fcall', 'new'])).toBe('$4\r\ndone\r\n');
});

test('a script inside a transaction on a pinned connection', async () => {
  const commands = [['WATCH', 'w'], ['MULTI'], ['EVAL', set, '0', 'exec', 'new'], ['EXEC']];
  expect(await isHeldBack('exec', ...commands)).toBe('*1\r\n$4\r\ndone\r\n');
});

test('a script inside a transaction that arrives whole', async () => {
  await say(sidecar.direct, 'SET', 'whole', 'old');
  await sidecar.warm(reader, 'GET', 'whole');
  const push = sidecar.gate.stopAt('down', invalidation('whole'));
  const script = `EVAL "return redis.call('SET', 'whole', 'new')" 0`;
  writer.send(`MULTI\r\n${script}\r\nEXEC\r\n`);
  await push.reached;
  await sidecar.settled();
  expect((await writer.readFrames(2)).map(String)).toEqual(['+OK\r\n', '+QUEUED\r\n']);
  expect(writer.rest()).toHaveLength(0);
  push.release();
  expect(String(await writer.readFrame())).toBe('*1\r\n+OK\r\n');
  expect(await say(reader, 'GET', 'whole')).toBe('new');
});

test('a command that the table does not know', async () => {
  expect(await isHeldBack('unknown', ['GLUE', 'unknown', ' and new'])).toBe(':11\r\n');
});

test('a command that the table does not know, inside a transaction', async () => {
  const commands = [['WATCH', 'w'], ['MULTI'], ['GLUE', 'unknown2', ' and new'], ['EXEC']];
  expect(await isHeldBack('unknown2', ...commands)).toBe('*1\r\n:11\r\n');
});

test('a request that was streamed, whose keys nobody has read', async () => {
  expect(await isHeldBack('streamed', ['SET', 'streamed', `new${'x'.repeat(100_000)}`])).toBe('+OK\r\n');
});

test('a request that was broken off in the middle has not run, and takes nothing out of the near-cache', async () => {
  const connections = async (): Promise<number> =>
    (await say(sidecar.direct, 'CLIENT', 'LIST')).split('\n').length;
  await say(sidecar.direct, 'SET', 'kept', 'v');
  await sidecar.warm(reader, 'GET', 'kept');
  const streamed = await sidecar.metric('nearcache_streamed_requests_total');
  writer.send(`*3\r\n$3\r\nSET\r\n$6\r\nbroken\r\n$200000\r\n${'x'.repeat(100_000)}`);
  await until(
    'it is streamed',
    async () => (await sidecar.metric('nearcache_streamed_requests_total')) > streamed,
  );
  const open = await connections();
  writer.close();
  await until('its connection is gone', async () => (await connections()) < open);
  const reads = await sidecar.runs('get');
  expect(await say(reader, 'GET', 'kept')).toBe('v');
  expect(await sidecar.runs('get')).toBe(reads);
});

test('a key that a script declares is closed while the script runs', async () => {
  await say(sidecar.direct, 'SET', 'declared', 'old');
  await sidecar.warm(reader, 'GET', 'declared');
  const run = sidecar.gate.stopAt('up', (frame) => frame.includes('EVAL'));
  writer.request(['EVAL', set, '1', 'declared', 'declared', 'new']);
  await run.reached;
  reader.request(['GET', 'declared']);
  await sidecar.settled();
  expect(reader.rest()).toHaveLength(0);
  run.release();
  expect(text(await reader.readFrame())).toBe('new');
  expect(text(await writer.readFrame())).toBe('done');
});

test('a reply that waits for its barrier is released when the link is lost, and nothing old is served then', async () => {
  await say(sidecar.direct, 'SET', 'lost', 'old');
  await sidecar.warm(reader, 'GET', 'lost');
  const push = sidecar.gate.stopAt('down', invalidation('lost'));
  writer.request(['EVAL', set, '0', 'lost', 'new']);
  await push.reached;
  await sidecar.settled();
  sidecar.relay.cut();
  expect(text(await writer.readFrame())).toBe('done');
  expect(await say(writer, 'GET', 'lost')).toBe('new');
});

test('with a second user a script is acknowledged only when that user reads nothing old either', async () => {
  await say(sidecar.direct, 'ACL', 'SETUSER', 'second', 'on', '>pw', '+@all', '~*', '&*');
  expect(await say(reader, 'AUTH', 'second', 'pw')).toBe('+OK');
  await say(sidecar.direct, 'SET', 'both', 'old');
  await sidecar.warm(reader, 'GET', 'both');
  // Only the second user's link is told: the first has not read the key.
  const push = sidecar.gate.stopAt('down', invalidation('both'));
  expect(await say(writer, 'EVAL', set, '0', 'both', 'new')).toBe('done');
  await push.reached;
  reader.request(['GET', 'both']);
  await sidecar.settled();
  expect(reader.rest()).toHaveLength(0);
  push.release();
  expect(text(await reader.readFrame())).toBe('new');
});

test('a script of a user who has no shared connection is acknowledged only when nobody reads anything old', async () => {
  const single = await Sidecar.start({ flags: '--max-identities 0 --max-staleness 30s' });
  try {
    await say(single.direct, 'ACL', 'SETUSER', 'passing', 'on', '>pw', '+@all', '~*', '&*');
    const [own, passing] = [await single.app(), await single.app()];
    expect(await say(passing, 'AUTH', 'passing', 'pw')).toBe('+OK');
    await say(single.direct, 'SET', 'k', 'old');
    await single.warm(own, 'GET', 'k');
    const push = single.gate.stopAt('down', invalidation('k'));
    expect(await say(passing, 'EVAL', set, '0', 'k', 'new')).toBe('done');
    await push.reached;
    own.request(['GET', 'k']);
    await single.settled();
    expect(own.rest()).toHaveLength(0);
    push.release();
    expect(text(await own.readFrame())).toBe('new');
  } finally {
    await single.stop();
  }
});
