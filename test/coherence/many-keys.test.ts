// R16, I13: MGET and EXISTS are served key by key, and all the same no reply is a mixture that Redis never had.
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';

import { childFrames } from '../support/frame-reader.ts';
import type { Stop } from '../support/frame-gate.ts';
import { encodeRequest } from '../support/raw-client.ts';
import type { RawClient } from '../support/raw-client.ts';
import { invalidation, request, say, Sidecar, text, until } from '../support/sidecar.ts';

let sidecar: Sidecar;
let app: RawClient;
let other: RawClient;

beforeAll(async () => {
  sidecar = await Sidecar.start({ flags: '--max-staleness 30s --slow-command-timeout 2s' });
});
beforeEach(async () => {
  await say(sidecar.direct, 'FLUSHALL');
  app = await sidecar.app();
  other = await sidecar.app();
});
afterEach(() => sidecar.endSessions());
afterAll(() => sidecar.stop());

async function set(...pairs: string[]): Promise<void> {
  expect(await say(sidecar.direct, 'MSET', ...pairs)).toBe('+OK');
}

async function invalidated(...pairs: string[]): Promise<void> {
  const before = await sidecar.metric('nearcache_cache_invalidations_total');
  await set(...pairs);
  await until('the invalidations are processed', async () => {
    return (await sidecar.metric('nearcache_cache_invalidations_total')) >= before + pairs.length / 2;
  });
}

async function torn(): Promise<number> {
  return sidecar.metric('nearcache_cache_torn_reads_total');
}

async function values(client: RawClient): Promise<string[]> {
  return childFrames(await client.readFrame()).map(text);
}

/** `left` is cached, `right` is not, and the read of `right` waits before Redis. */
async function halfCached(...read: string[]): Promise<Stop> {
  await set('left', 'l1', 'right', 'r1');
  await sidecar.warm(other, 'GET', 'left');
  return stopped(read, 'right');
}

/** The read of what is missing waits before Redis, which has told how long that lives, and so will tell of a change. */
async function stopped(read: string[], ...missing: string[]): Promise<Stop> {
  const ran = await sidecar.runs('pttl');
  const stop = sidecar.gate.stopAt('up', request('MGET'));
  app.request(read);
  expect(await stop.reached).toBe(String(encodeRequest(['MGET', ...missing])));
  await until('Redis tracks what is missing', async () => {
    return (await sidecar.runs('pttl')) === ran + missing.length;
  });
  return stop;
}

test('what is cached as a whole is one state of Redis, even while it changes', async () => {
  await set('left', '1', 'right', '1');
  for (const key of ['left', 'right']) await sidecar.warm(app, 'GET', key);
  const runs = await sidecar.runs('mget');
  const first = sidecar.gate.stopAt('down', invalidation('left'));
  await set('left', '2', 'right', '2');
  await first.reached;
  app.request(['MGET', 'left', 'right']);
  expect(await values(app)).toEqual(['1', '1']);
  // Now nearcache has heard of one of the two.
  const second = sidecar.gate.stopAt('down', invalidation('right'));
  first.release();
  await second.reached;
  await sidecar.settled();
  app.request(['MGET', 'left', 'right']);
  await sidecar.settled();
  expect(app.rest()).toHaveLength(0);
  second.release();
  expect(await values(app)).toEqual(['2', '2']);
  expect(await sidecar.runs('mget')).toBe(runs + 2);
  app.request(['MGET', 'left', 'right']);
  expect(await values(app)).toEqual(['2', '2']);
});

test('a cached part that has changed when the rest comes makes the whole be read again', async () => {
  const before = await torn();
  const stop = await halfCached('MGET', 'left', 'right');
  await invalidated('left', 'l2', 'right', 'r2');
  stop.release();
  expect(await values(app)).toEqual(['l2', 'r2']);
  expect(await torn()).toBe(before + 1);
});

test('a cached part that has not changed is not read again', async () => {
  const before = await torn();
  const stop = await halfCached('MGET', 'left', 'right', 'left');
  stop.release();
  expect(await values(app)).toEqual(['l1', 'r1', 'l1']);
  expect(await torn()).toBe(before);
  expect(await sidecar.runs('get')).toBeGreaterThan(0);
});

test('a cached part that expires before the rest comes makes the whole be read again', async () => {
  await set('right', 'r1');
  await say(sidecar.direct, 'SET', 'left', 'l1', 'PX', '300');
  await sidecar.warm(other, 'GET', 'left');
  const stop = sidecar.gate.stopAt('up', request('MGET'));
  app.request(['MGET', 'left', 'right']);
  await stop.reached;
  await until('it has expired', async () => (await say(sidecar.direct, 'PTTL', 'left')) === ':-2');
  stop.release();
  expect(await values(app)).toEqual(['nil', 'r1']);
});

test('everybody who shares such a read gets the whole of one state', async () => {
  const stop = await halfCached('MGET', 'left', 'right');
  await other.call('HELLO', '3');
  other.request(['MGET', 'left', 'right']);
  await sidecar.settled();
  await invalidated('left', 'l2', 'right', 'r2');
  stop.release();
  expect(await values(app)).toEqual(['l2', 'r2']);
  expect(await values(other)).toEqual(['l2', 'r2']);
});

test('who comes after an invalidation of any of its keys does not share it', async () => {
  const stop = await halfCached('MGET', 'left', 'right');
  await invalidated('right', 'r2');
  const runs = await sidecar.runs('mget');
  other.request(['MGET', 'left', 'right']);
  await sidecar.settled();
  stop.release();
  expect(await values(app)).toEqual(['l1', 'r2']);
  expect(await values(other)).toEqual(['l1', 'r2']);
  expect(await sidecar.runs('mget')).toBe(runs + 2);
});

test('… nor if it is another key than the first', async () => {
  await set('left', 'l1', 'right', 'r1', 'third', 't1');
  await sidecar.warm(other, 'GET', 'left');
  const stop = await stopped(['MGET', 'left', 'right', 'third'], 'right', 'third');
  await invalidated('third', 't2');
  const runs = await sidecar.runs('mget');
  other.request(['MGET', 'left', 'right', 'third']);
  await sidecar.settled();
  stop.release();
  expect(await values(app)).toEqual(['l1', 'r1', 't2']);
  expect(await values(other)).toEqual(['l1', 'r1', 't2']);
  expect(await sidecar.runs('mget')).toBe(runs + 2);
});

test('who waits for a newer answer does not share a read that is older than it', async () => {
  await set('a', 'a1', 'b', 'b1');
  const old = sidecar.gate.stopAt('down', (frame) => frame.includes('a1'));
  const later = sidecar.gate.stopAt('up', request('GET', 'newer'));
  other.request(['MGET', 'a', 'b']);
  await old.reached;
  app.request(['GET', 'newer']);
  await later.reached;
  await set('a', 'a2', 'b', 'b2', 'newer', 'n2');
  app.request(['MGET', 'a', 'b']);
  await sidecar.settled();
  later.release();
  old.release();
  expect(await values(other)).toEqual(['a1', 'b1']);
  expect(text(await app.readFrame())).toBe('n2');
  expect(await values(app)).toEqual(['a2', 'b2']);
});

test('a write behind a partly cached read does not change what that read says', async () => {
  const stop = await halfCached('MGET', 'left', 'right');
  app.request(['SET', 'left', 'own']);
  app.request(['MGET', 'left', 'right']);
  await invalidated('left', 'l2');
  stop.release();
  expect(await values(app)).toEqual(['l2', 'r1']);
  expect(text(await app.readFrame())).toBe('+OK');
  expect(await values(app)).toEqual(['own', 'r1']);
});

test('nor does a write of one who shares the read', async () => {
  const stop = await halfCached('MGET', 'left', 'right');
  other.request(['MGET', 'left', 'right']);
  other.request(['SET', 'left', 'own']);
  await sidecar.settled();
  await invalidated('left', 'l2');
  stop.release();
  expect(await values(app)).toEqual(['l2', 'r1']);
  expect(await values(other)).toEqual(['l2', 'r1']);
  expect(text(await other.readFrame())).toBe('+OK');
});

test('a read of several keys behind a write of one of them sees the write', async () => {
  for (let i = 0; i < 20; i++) {
    await set('left', 'l1', 'right', 'r1');
    for (const key of ['left', 'right']) await sidecar.warm(app, 'GET', key);
    app.send(
      Buffer.concat([encodeRequest(['SET', 'right', `own${i}`]), encodeRequest(['MGET', 'left', 'right'])]),
    );
    expect(text(await app.readFrame())).toBe('+OK');
    expect(await values(app)).toEqual(['l1', `own${i}`]);
  }
});

test('nothing of a key is served or kept while a write of it is on its way, whoever asks', async () => {
  await set('left', 'l1', 'right', 'r1');
  for (const key of ['left', 'right']) await sidecar.warm(app, 'GET', key);
  const stop = sidecar.gate.stopAt('up', request('SORT', 'numbers'));
  expect(await say(other, 'SORT', 'numbers', 'STORE', 'left')).toContain('did not answer within 2000 ms');
  await stop.reached;
  app.request(['MGET', 'left', 'right']);
  app.request(['EXISTS', 'left', 'right']);
  await sidecar.settled();
  expect(app.rest()).toHaveLength(0);
  stop.release();
  expect(await values(app)).toEqual(['nil', 'r1']);
  expect(text(await app.readFrame())).toBe(':1');
});

test('a hit over several keys that waits for its turn is one state of Redis of then', async () => {
  await set('left', 'l1', 'right', 'r1');
  for (const key of ['left', 'right']) await sidecar.warm(app, 'GET', key);
  await sidecar.warm(app, 'EXISTS', 'left');
  await sidecar.warm(app, 'EXISTS', 'right');
  const stop = sidecar.gate.stopAt('up', request('GET', 'slow'));
  for (const read of [
    ['GET', 'slow'],
    ['MGET', 'left', 'right'],
    ['EXISTS', 'left', 'right', 'left'],
  ]) {
    app.request(read);
  }
  await stop.reached;
  await say(sidecar.direct, 'MULTI');
  await say(sidecar.direct, 'SET', 'left', 'l2');
  await say(sidecar.direct, 'DEL', 'right');
  await sidecar.direct.call('EXEC');
  stop.release();
  expect(text(await app.readFrame())).toBe('nil');
  expect(await values(app)).toEqual(['l2', 'nil']);
  expect(text(await app.readFrame())).toBe(':2');
});

test('EXISTS does not count a key that was deleted meanwhile', async () => {
  await set('left', 'l1');
  await sidecar.warm(app, 'EXISTS', 'left');
  const stop = sidecar.gate.stopAt('up', request('EXISTS', 'right'));
  app.request(['EXISTS', 'left', 'right']);
  await stop.reached;
  await say(sidecar.direct, 'DEL', 'left');
  await say(sidecar.direct, 'SET', 'right', 'r');
  stop.release();
  expect(text(await app.readFrame())).toBe(':1');
});

test('a permission that is taken away ends what was read with it, once Redis has said so to an MGET', async () => {
  await say(sidecar.direct, 'ACL', 'SETUSER', 'joe', 'on', '>pw', '+@all', '~*', '&*');
  await set('open', 'o', 'secret', 's');
  expect(await say(app, 'AUTH', 'joe', 'pw')).toBe('+OK');
  await sidecar.warm(app, 'GET', 'secret');
  await say(sidecar.direct, 'ACL', 'SETUSER', 'joe', 'resetkeys', '~open');
  expect(await say(app, 'MGET', 'open', 'other')).toMatch(/^-NOPERM/);
  expect(await say(app, 'GET', 'secret')).toMatch(/^-NOPERM/);
});
