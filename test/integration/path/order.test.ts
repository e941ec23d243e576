// DESIGN rule 1: a session's commands run in the order it sent them, also when they take different links.
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';

import { encodeRequest } from '../../support/raw-client.ts';
import { request, say, Sidecar, text } from '../../support/sidecar.ts';

let sidecar: Sidecar;

beforeAll(async () => {
  // Renamed, GETRANGE is a command that nearcache's table does not know: it runs on a pinned connection.
  sidecar = await Sidecar.start({ redisArgs: ['--rename-command', 'GETRANGE', 'peek'] });
});
afterEach(() => sidecar.endSessions());
afterAll(() => sidecar.stop());

test('a write behind a blocking pop runs after the pop has been served', async () => {
  const app = await sidecar.app();
  const other = await sidecar.app();
  app.send(Buffer.concat([encodeRequest(['BLPOP', 'queue', '0']), encodeRequest(['SET', 'done', '1'])]));
  await sidecar.blockedClients(1);
  await sidecar.settled();
  // On the shared connection, so behind a SET that had overtaken the BLPOP.
  expect(await say(other, 'TTL', 'done')).toBe(':-2');
  expect(await say(other, 'RPUSH', 'queue', 'x')).toBe(':1');
  expect(String(await app.readFrame())).toBe('*2\r\n$5\r\nqueue\r\n$1\r\nx\r\n');
  expect(String(await app.readFrame())).toBe('+OK\r\n');
});

test('a cached read behind a blocking pop is not answered before it', async () => {
  const app = await sidecar.app();
  const other = await sidecar.app();
  await say(other, 'SET', 'seen', '1');
  await sidecar.warm(other, 'GET', 'seen');
  app.send(Buffer.concat([encodeRequest(['BLPOP', 'queue2', '0']), encodeRequest(['GET', 'seen'])]));
  await sidecar.blockedClients(1);
  expect(await say(other, 'SET', 'seen', '2')).toBe('+OK');
  expect(await say(other, 'RPUSH', 'queue2', 'x')).toBe(':1');
  expect(String(await app.readFrame())).toBe('*2\r\n$6\r\nqueue2\r\n$1\r\nx\r\n');
  expect(text(await app.readFrame())).toBe('2');
});

test('a command on a pinned connection waits for the write on the shared one before it', async () => {
  const app = await sidecar.app();
  const other = await sidecar.app();
  // A pinned connection is there already, so that a command which does not wait is fast.
  await app.call('PEEK', 'order', '0', '-1');
  const stop = sidecar.gate.stopAt('up', request('SET', 'order'));
  app.send(
    Buffer.concat([encodeRequest(['SET', 'order', 'ab']), encodeRequest(['PEEK', 'order', '0', '-1'])]),
  );
  await stop.reached;
  for (let i = 0; i < 5; i++) {
    await other.call('WATCH', 'unused');
    await other.call('UNWATCH');
  }
  stop.release();
  expect((await app.readFrames(2)).map(text)).toEqual(['+OK', 'ab']);
});

test('a write on the shared connection waits for the transaction on the pinned one before it', async () => {
  const app = await sidecar.app();
  const other = await sidecar.app();
  expect(await say(app, 'WATCH', 'total')).toBe('+OK');
  expect(await say(app, 'MULTI')).toBe('+OK');
  expect(await say(app, 'APPEND', 'total', 'a')).toBe('+QUEUED');
  const stop = sidecar.gate.stopAt('up', request('EXEC'));
  app.send(Buffer.concat([encodeRequest(['EXEC']), encodeRequest(['APPEND', 'total', 'b'])]));
  await stop.reached;
  await sidecar.settled();
  expect(await say(other, 'STRLEN', 'total')).toBe(':0');
  stop.release();
  expect(String(await app.readFrame())).toBe('*1\r\n:1\r\n');
  expect(text(await app.readFrame())).toBe(':2');
  expect(await say(sidecar.direct, 'GET', 'total')).toBe('ab');
});
