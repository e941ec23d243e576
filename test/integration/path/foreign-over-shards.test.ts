// A command that nearcache's table does not have, over several shards: the home shard says where its keys are.
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';

import { type Nearcache, startNearcache } from '../../../src/drill/servers/nearcache-process.ts';
import { eventually } from '../../../src/drill/servers/eventually.ts';
import { askAt, inOneWrite, keyOfEach, oneByOne, textOfReply } from '../../support/over-ring.ts';
import { connectRaw, type RawClient } from '../../support/raw-client.ts';
import { type Ring, type RingShard, startRing } from '../../support/ring-servers.ts';

/** What the servers call GETSET. */
const FOREIGN = 'legacy.getset';
const UNREACHABLE = /^-ERR nearcache: shard \S+ is unreachable /;

let ring: Ring;
let nearcache: Nearcache;
let keys: [string, string, string];
let client: RawClient;

beforeAll(async () => {
  ring = await startRing(3, { args: ['--rename-command', 'GETSET', FOREIGN] });
  nearcache = await startNearcache({ upstream: ring.upstream });
  keys = await keyOfEach(nearcache, ring);
});

afterAll(async () => {
  await nearcache.stop();
  await ring.stop();
});

beforeEach(async () => {
  client = await connectRaw(nearcache);
  await textOfReply(client.call('FLUSHALL'));
});

afterEach(() => client.close());

test('it runs where its key is, in the order of the requests', async () => {
  const lines = keys.flatMap((key) => [
    ['SET', key, 'a'],
    [FOREIGN, key, 'b'],
    ['GET', key],
  ]);
  expect(await inOneWrite(client, lines)).toEqual(
    keys.flatMap(() => ['+OK\r\n', '$1\r\na\r\n', '$1\r\nb\r\n']),
  );
  const found = await Promise.all(
    ring.shards.map(({ server }, i) => askAt(server, 'GET', keys[i] as string)),
  );
  expect(found).toEqual(keys.map(() => '$1\r\nb\r\n'));
});

test('it is part of the transaction of its shard, and of no other', async () => {
  const [a, b] = keys;
  const queued = ['+OK\r\n', '+QUEUED\r\n', '+QUEUED\r\n', '*2\r\n+OK\r\n$1\r\na\r\n'];
  expect(await oneByOne(client, [['MULTI'], ['SET', b, 'a'], [FOREIGN, b, 'b'], ['EXEC']])).toEqual(queued);
  const refused = await oneByOne(client, [
    ['MULTI'],
    ['SET', b, 'c'],
    [FOREIGN, a, 'c'],
    ['EXEC'],
    ['GET', b],
  ]);
  expect(refused[2]).toMatch(/^-CROSSSLOT .*'legacy\.getset'/);
  expect(refused.slice(3)).toEqual([expect.stringMatching(/^-EXECABORT /), '$1\r\nb\r\n']);
});

test('it runs beside watched keys of its shard, and of no other', async () => {
  const [a, b] = keys;
  const replies = await oneByOne(client, [['WATCH', b], [FOREIGN, b, 'x'], [FOREIGN, a, 'x'], ['UNWATCH']]);
  expect(replies).toEqual(['+OK\r\n', '$-1\r\n', expect.stringMatching(/^-CROSSSLOT /), '+OK\r\n']);
});

test('nobody runs it while nothing tells where its keys are', async () => {
  const [a, b] = keys;
  const { server } = ring.shards[0] as RingShard;
  await textOfReply(client.call('SET', b, 'before'));
  // Of another nearcache, so that it has not been asked yet.
  const other = await startNearcache({ upstream: ring.upstream });
  const app = await connectRaw(other);
  await server.kill('SIGKILL');
  try {
    await eventually('the home shard is away', async () =>
      (await textOfReply(app.call('GET', a))).startsWith('-ERR nearcache: ') ? true : undefined,
    );
    expect(await textOfReply(app.call(FOREIGN, b, 'x'))).toMatch(UNREACHABLE);
    const replies = await oneByOne(app, [
      ['MULTI'],
      ['SET', b, 'x'],
      [FOREIGN, b, 'y'],
      ['EXEC'],
      ['GET', b],
    ]);
    expect(replies.slice(2)).toEqual([
      expect.stringMatching(UNREACHABLE),
      expect.stringMatching(/^-EXECABORT /),
      '$6\r\nbefore\r\n',
    ]);
  } finally {
    await server.restart();
  }
  await eventually('it is told again', async () =>
    (await textOfReply(app.call(FOREIGN, b, 'y'))) === '$6\r\nbefore\r\n' ? true : undefined,
  );
  app.close();
  await other.stop();
});
