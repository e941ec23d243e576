// DESIGN rule 6: a big request holds nobody up, and a big reply waits for no client.
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';

import { say, Sidecar, text, until } from '../../support/sidecar.ts';

const MB = 1_048_576;

let sidecar: Sidecar;

beforeAll(async () => {
  sidecar = await Sidecar.start({
    isGated: false,
    flags: '--big-value-size 64kb --max-output-size 4mb',
  });
});
afterEach(() => sidecar.endSessions());
afterAll(() => sidecar.stop());

/** Bytes of unfinished requests that Redis holds for its clients. */
async function unfinishedBytes(): Promise<number> {
  const list = String(await sidecar.direct.call('CLIENT', 'LIST'));
  return Math.max(...[...list.matchAll(/ qbuf=(\d+)/g)].map(([, bytes]) => Number(bytes)));
}

test('half a request is not sent, so the commands of others pass it', async () => {
  const app = await sidecar.app();
  const other = await sidecar.app();
  app.send('*3\r\n$3\r\nSET\r\n$4\r\nhalf\r\n$10\r\n01234');
  await sidecar.settled();
  expect(await say(other, 'SET', 'k', 'v')).toBe('+OK');
  expect(await say(other, 'GET', 'k')).toBe('v');
  app.send('56789\r\n');
  expect(text(await app.readFrame())).toBe('+OK');
  expect(await say(other, 'GET', 'half')).toBe('0123456789');
});

test('a request over the limit goes to Redis as it comes, on a connection of its own', async () => {
  const app = await sidecar.app();
  const other = await sidecar.app();
  app.send(`*3\r\n$3\r\nSET\r\n$3\r\nbig\r\n$${MB}\r\n`);
  app.send(Buffer.alloc(MB / 2, 'x'));
  await until('Redis holds the first half', async () => (await unfinishedBytes()) > MB / 4);
  expect(await say(other, 'INCR', 'n')).toBe(':1');
  app.send(Buffer.alloc(MB / 2, 'y'));
  app.send('\r\n');
  expect(text(await app.readFrame())).toBe('+OK');
  expect(await say(other, 'STRLEN', 'big')).toBe(`:${MB}`);
});

test('a cached value that a streamed request has replaced is not served after its reply', async () => {
  const app = await sidecar.app();
  const other = await sidecar.app();
  await say(other, 'SET', 'swapped', 'small');
  await sidecar.warm(other, 'STRLEN', 'swapped');
  expect(await say(app, 'SET', 'swapped', 'z'.repeat(MB / 2))).toBe('+OK');
  expect(await say(other, 'STRLEN', 'swapped')).toBe(`:${MB / 2}`);
});

test('a client that does not read a big reply is closed while others are served', async () => {
  const other = await sidecar.app();
  await say(sidecar.direct, 'SET', 'huge', 'h'.repeat(32 * MB));
  const app = await sidecar.app();
  app.socket.pause();
  app.request(['GET', 'huge']);
  await until('it is closed', async () => {
    expect(await say(other, 'TTL', 'k')).toBe(':-1');
    return (await sidecar.metric('nearcache_sessions_closed_total{reason="output"}')) === 1;
  });
  expect(await sidecar.metric('nearcache_shard_connections_lost_total')).toBe(0);
  expect(await say(other, 'STRLEN', 'huge')).toBe(`:${32 * MB}`);
});
