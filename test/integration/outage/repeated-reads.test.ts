// Reads whose link dies before their reply come are sent once more, writes are not.
import { expect, test } from 'vitest';

import { useOutages } from '../../support/outage-stage.ts';
import { encodeRequest, type RawClient } from '../../support/raw-client.ts';
import { request, say, text, until } from '../../support/sidecar.ts';

const stage = useOutages({ flags: '--retry-budget 1' });
const { gate, relay } = { gate: () => stage.sidecar.gate, relay: () => stage.sidecar.relay };
const UNKNOWN = /^-ERR nearcache: shard \S+ was lost \(.+\) before its reply; outcome unknown$/;

/** Send these commands in one write, and cut the link before Redis has seen the first of them. */
async function cutBefore(
  first: readonly string[],
  lines: readonly (readonly string[])[],
): Promise<RawClient> {
  const app = await stage.app();
  const held = gate().stopAt('up', request(...first));
  app.send(Buffer.concat(lines.map(encodeRequest)));
  await held.reached;
  await stage.sidecar.settled();
  const lost = await stage.metric('nearcache_shard_connections_lost_total');
  relay().cut();
  await until(
    'nearcache knows',
    async () => (await stage.metric('nearcache_shard_connections_lost_total')) > lost,
  );
  held.release();
  return app;
}

async function replies(app: RawClient, count: number): Promise<string[]> {
  return (await app.readFrames(count)).map(text);
}

test('reads of one key and of several are answered all the same', async () => {
  const direct = await stage.direct();
  await say(direct, 'MSET', 'a', '1', 'b', '2');
  await say(direct, 'HSET', 'h', 'f', 'v');
  const before = await stage.metric('nearcache_shard_retries_total');
  const app = await cutBefore(
    ['GET', 'a'],
    [
      ['GET', 'a'],
      ['GET', 'missing'],
      ['HMGET', 'h', 'f', 'g'],
      ['MGET', 'a', 'missing', 'b'],
      ['GETRANGE', 'a', '0', '-1'],
    ],
  );
  const frames = (await app.readFrames(5)).map((frame) => frame.toString('latin1'));
  expect(frames).toEqual([
    '$1\r\n1\r\n',
    '$-1\r\n',
    '*2\r\n$1\r\nv\r\n$-1\r\n',
    '*3\r\n$1\r\n1\r\n$-1\r\n$1\r\n2\r\n',
    '$1\r\n1\r\n',
  ]);
  expect(await stage.metric('nearcache_shard_retries_total')).toBe(before + 5);
});

test('writes are not, and their errors say that the outcome is unknown', async () => {
  const app = await cutBefore(
    ['INCR', 'n'],
    [
      ['INCR', 'n'],
      ['GETDEL', 'n'],
    ],
  );
  for (const reply of await replies(app, 2)) expect(reply).toMatch(UNKNOWN);
  await stage.back();
  expect(await say(await stage.direct(), 'GET', 'n')).toBe('nil');
});

test('nor is a read behind which the same session has sent a write', async () => {
  const app = await cutBefore(
    ['GET', 'before'],
    [
      ['GET', 'before'],
      ['SET', 'before', '2'],
      ['GET', 'behind'],
    ],
  );
  const [before, write, behind] = await replies(app, 3);
  expect(before).toMatch(UNKNOWN);
  expect(write).toMatch(UNKNOWN);
  expect(behind).toBe('nil');
});

test('who waits for the same read beside a writer gets an answer', async () => {
  await say(await stage.direct(), 'SET', 'same', '1');
  const reader = await stage.app();
  const writer = await stage.app();
  const held = gate().stopAt('up', request('GET', 'same'));
  reader.request(['GET', 'same']);
  await held.reached;
  writer.send(
    Buffer.concat(
      [
        ['GET', 'same'],
        ['SET', 'another', '1'],
      ].map(encodeRequest),
    ),
  );
  await stage.sidecar.settled();
  relay().cut();
  expect(text(await reader.readFrame())).toBe('1');
  for (const reply of await replies(writer, 2)) expect(reply).toMatch(UNKNOWN);
  held.release();
});

test('once only, and no more than the budget allows', async () => {
  const app = await cutBefore(
    ['GET', 'k0'],
    Array.from({ length: 40 }, (_, i) => ['GET', `k${i}`]),
  );
  const told = await replies(app, 40);
  const answered = told.filter((reply) => reply === 'nil').length;
  // Ten and one of a hundred commands: what the tests before have left of it.
  expect(answered).toBeLessThan(20);
  expect(told.filter((reply) => UNKNOWN.test(reply))).toHaveLength(40 - answered);
});

test('a read whose repetition finds nobody says so', async () => {
  const app = await stage.app();
  const held = gate().stopAt('up', request('GET', 'gone'));
  app.request(['GET', 'gone']);
  await held.reached;
  await stage.signal('SIGKILL');
  expect(text(await app.readFrame())).toMatch(/^-ERR nearcache: /);
});
