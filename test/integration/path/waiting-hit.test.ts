// DESIGN rule 3: a hit that waits behind unanswered commands is looked up again when its turn comes.
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';

import { encodeRequest } from '../../support/raw-client.ts';
import type { RawClient } from '../../support/raw-client.ts';
import { request, say, Sidecar, text, until } from '../../support/sidecar.ts';

/** Longer than a head waits before what is known is asked for as well. */
const LONG_MS = 80;

let sidecar: Sidecar;
let app: RawClient;

beforeAll(async () => {
  sidecar = await Sidecar.start({ flags: '--max-staleness 5s --cache-reread off' });
});
beforeEach(async () => {
  app = await sidecar.app();
});
afterEach(() => sidecar.endSessions());
afterAll(() => sidecar.stop());

async function set(key: string, value: string): Promise<void> {
  expect(await say(sidecar.direct, 'SET', key, value)).toBe('+OK');
}

test('a hit behind a miss is not older than what the miss reads', async () => {
  await set('b', '1');
  await sidecar.warm(app, 'GET', 'b');
  const stop = sidecar.gate.stopAt('up', request('GET', 'a'));
  app.send(Buffer.concat([encodeRequest(['GET', 'a']), encodeRequest(['GET', 'b'])]));
  await stop.reached;
  await set('b', '2');
  await set('a', '2');
  stop.release();
  expect((await app.readFrames(2)).map(text)).toEqual(['2', '2']);
});

test('a hit that waited is served when nothing has happened to it', async () => {
  await set('calm', '1');
  await sidecar.warm(app, 'GET', 'calm');
  const runs = await sidecar.runs('get');
  const stop = sidecar.gate.stopAt('up', request('GET', 'absent'));
  app.send(Buffer.concat([encodeRequest(['GET', 'absent']), encodeRequest(['GET', 'calm'])]));
  await stop.reached;
  stop.release();
  expect((await app.readFrames(2)).map(text)).toEqual(['nil', '1']);
  expect(await sidecar.runs('get')).toBe(runs + 1);
});

test('a hit that waited and must be read again is read in the database it was asked in', async () => {
  await set('d', 'of database 0');
  await sidecar.warm(app, 'GET', 'd');
  expect(await say(app, 'SELECT', '1')).toBe('+OK');
  expect(await say(app, 'SET', 'd', 'of database 1')).toBe('+OK');
  expect(await say(app, 'SELECT', '0')).toBe('+OK');
  await sidecar.warm(app, 'GET', 'd');
  const stop = sidecar.gate.stopAt('up', request('GET', 'first'));
  app.send(
    Buffer.concat([
      encodeRequest(['GET', 'first']),
      encodeRequest(['GET', 'd']),
      encodeRequest(['SELECT', '1']),
    ]),
  );
  await stop.reached;
  await set('d', 'newer');
  stop.release();
  expect((await app.readFrames(3)).map(text)).toEqual(['nil', 'newer', '+OK']);
});

test('a later read of the same key is not older than a hit that had to be read again', async () => {
  await set('twice', '1');
  await sidecar.warm(app, 'STRLEN', 'twice');
  const ahead = sidecar.gate.stopAt('up', request('GET', 'slow'));
  app.send(Buffer.concat([encodeRequest(['GET', 'slow']), encodeRequest(['STRLEN', 'twice'])]));
  await ahead.reached;
  const told = await sidecar.metric('nearcache_cache_invalidations_total');
  await set('twice', '22');
  // The entry is gone then, and the first read of the key still waits for its turn.
  await until('the invalidation is processed', async () => {
    return (await sidecar.metric('nearcache_cache_invalidations_total')) > told;
  });
  app.request(['GET', 'twice']);
  app.request(['MGET', 'twice']);
  await sidecar.settled();
  const back = sidecar.gate.stopAt('down', (frame) => frame === '_\r\n');
  ahead.release();
  await back.reached;
  await sidecar.settled();
  await set('twice', '333');
  back.release();
  expect((await app.readFrames(3)).map(text)).toEqual(['nil', ':3', '333']);
  expect(String(await app.readFrame())).toBe('*1\r\n$3\r\n333\r\n');
});

test('a write behind a hit that waits does not change what the hit says', async () => {
  await set('then', 'before');
  await sidecar.warm(app, 'GET', 'then');
  const stop = sidecar.gate.stopAt('up', request('GET', 'slow2'));
  app.send(
    Buffer.concat([
      encodeRequest(['GET', 'slow2']),
      encodeRequest(['GET', 'then']),
      encodeRequest(['SET', 'then', 'after']),
      encodeRequest(['GET', 'then']),
    ]),
  );
  await stop.reached;
  stop.release();
  expect((await app.readFrames(4)).map(text)).toEqual(['nil', 'before', '+OK', 'after']);
});

/** Hits of these keys wait behind a read that is on its way; what is told meanwhile has been processed when this resolves. */
async function hitsBehindAMiss(keys: readonly string[], changed: readonly string[]): Promise<() => void> {
  for (const key of keys) {
    await set(key, `${key}1`);
    await sidecar.warm(app, 'GET', key);
  }
  const miss = `before ${keys[0]}`;
  const ahead = sidecar.gate.stopAt('up', request('GET', miss));
  app.send(
    Buffer.concat([['GET', miss], ...keys.map((key) => ['GET', key])].map((args) => encodeRequest(args))),
  );
  await ahead.reached;
  const told = await sidecar.metric('nearcache_cache_invalidations_total');
  for (const key of changed) await set(key, `${key}2`);
  await until('the invalidations are processed', async () => {
    return (await sidecar.metric('nearcache_cache_invalidations_total')) >= told + changed.length;
  });
  return () => ahead.release();
}

/** Once released, Redis runs so many GETs before the app's link has delivered the first value. */
async function runsTogether(release: () => void, value: string, count: number): Promise<void> {
  const runs = await sidecar.runs('get');
  const first = sidecar.gate.stopAt('down', (frame) => frame === `$${value.length}\r\n${value}\r\n`);
  release();
  await first.reached;
  await until('Redis has run all', async () => (await sidecar.runs('get')) === runs + count);
  first.release();
}

test('hits that waited and are known no more are asked for together, not one round trip after another', async () => {
  const release = await hitsBehindAMiss(['x', 'y', 'z'], ['x', 'y', 'z']);
  await runsTogether(release, 'x2', 4);
  expect((await app.readFrames(4)).map(text)).toEqual(['nil', 'x2', 'y2', 'z2']);
});

test('what is still known is asked for as well when it has waited for long', async () => {
  const release = await hitsBehindAMiss(['long', 'known'], ['long']);
  await delay(LONG_MS);
  await runsTogether(release, 'long2', 3);
  expect((await app.readFrames(3)).map(text)).toEqual(['nil', 'long2', 'known1']);
});

test('who is asked for behind another does not share a read that is older than it', async () => {
  const release = await hitsBehindAMiss(['newer', 'older'], ['newer', 'older']);
  const other = await sidecar.app();
  other.request(['GET', 'older']);
  await sidecar.settled();
  await delay(LONG_MS);
  const back = sidecar.gate.stopAt('down', (frame) => frame === '_\r\n');
  release();
  await back.reached;
  expect(await say(sidecar.direct, 'MSET', 'older', 'older3', 'newer', 'newer3')).toBe('+OK');
  back.release();
  expect((await app.readFrames(3)).map(text)).toEqual(['nil', 'newer3', 'older3']);
});

test('a later read that is not cached is not older than a hit of its key that had to be read again', async () => {
  const release = await hitsBehindAMiss(['raw'], ['raw']);
  app.request(['OBJECT', 'ENCODING', 'raw']);
  await sidecar.settled();
  const back = sidecar.gate.stopAt('down', (frame) => frame === '_\r\n');
  release();
  await back.reached;
  await set('raw', '3');
  back.release();
  expect((await app.readFrames(3)).map(text)).toEqual(['nil', '3', 'int']);
});

test('a session that is late has reads sent rather than wait for them', async () => {
  for (const key of ['mine', 'yours']) {
    await set(key, `${key}1`);
    await sidecar.warm(app, 'GET', key);
  }
  const release = await hitsBehindAMiss(['late'], []);
  app.request(['SET', 'late', '2']);
  await delay(20 * LONG_MS);
  release();
  expect((await app.readFrames(3)).map(text)).toEqual(['nil', 'late1', '+OK']);
  const [gets, mgets] = [await sidecar.runs('get'), await sidecar.runs('mget')];
  const back = sidecar.gate.stopAt('down', (frame) => frame === '_\r\n');
  const commands = [
    ['GET', 'nothing'],
    ['GET', 'mine'],
    ['SET', 'mine', 'mine2'],
    ['GET', 'yours'],
    ['MGET', 'yours', 'nowhere'],
  ];
  app.send(Buffer.concat(commands.map((args) => encodeRequest(args))));
  await back.reached;
  await until('Redis has run all', async () => (await sidecar.runs('mget')) === mgets + 1);
  expect(await sidecar.runs('get')).toBe(gets + 3);
  back.release();
  expect((await app.readFrames(4)).map(text)).toEqual(['nil', 'mine1', '+OK', 'yours1']);
  expect(String(await app.readFrame())).toBe('*2\r\n$6\r\nyours1\r\n$-1\r\n');
});

test('what waits behind a shared read that may be read for again is not sent before that is answered', async () => {
  await set('held', 'held1');
  await sidecar.warm(app, 'GET', 'held');
  const other = await sidecar.app();
  const ahead = sidecar.gate.stopAt('up', request('GET', 'leading'));
  app.request(['GET', 'leading']);
  await ahead.reached;
  other.request(['GET', 'ends']);
  await sidecar.settled();
  await delay(4 * LONG_MS);
  const commands = [
    ['GET', 'ends'],
    ['GET', 'held'],
    ['SET', 'held', 'mine'],
  ];
  app.send(Buffer.concat(commands.map((args) => encodeRequest(args))));
  await delay(20 * LONG_MS);
  // Shorter than the second reader was later than the first, so that it has to be read for again.
  expect(await say(sidecar.direct, 'SET', 'ends', 'ends1', 'PX', String(3 * LONG_MS))).toBe('+OK');
  const back = sidecar.gate.stopAt('down', (frame) => /^:\d{1,3}\r\n$/.test(frame));
  ahead.release();
  expect(text(await app.readFrame())).toBe('nil');
  await back.reached;
  await sidecar.settled();
  expect(await say(sidecar.direct, 'MSET', 'ends', 'ends2', 'held', 'held2')).toBe('+OK');
  back.release();
  expect((await app.readFrames(3)).map(text)).toEqual(['ends2', 'held2', '+OK']);
});

test('a hit that waits is answered though a large reply is already behind it', async () => {
  const release = await hitsBehindAMiss(['small'], []);
  app.request(['ECHO', 'e'.repeat(400_000)]);
  await sidecar.settled();
  release();
  const frames = await app.readFrames(3);
  expect(frames.slice(0, 2).map(text)).toEqual(['nil', 'small1']);
  expect(frames[2]?.length).toBe(400_011);
});
