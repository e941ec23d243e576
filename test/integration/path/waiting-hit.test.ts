// DESIGN rule 3: a hit that waits behind unanswered commands is looked up again when its turn comes.
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';

import { encodeRequest } from '../../support/raw-client.ts';
import type { RawClient } from '../../support/raw-client.ts';
import { request, say, Sidecar, text, until } from '../../support/sidecar.ts';

let sidecar: Sidecar;
let app: RawClient;

beforeAll(async () => {
  sidecar = await Sidecar.start({ flags: '--max-staleness 5s' });
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
  await sidecar.warm(app, 'GET', 'twice');
  const ahead = sidecar.gate.stopAt('up', request('GET', 'slow'));
  app.send(Buffer.concat([encodeRequest(['GET', 'slow']), encodeRequest(['GET', 'twice'])]));
  await ahead.reached;
  const told = await sidecar.metric('nearcache_cache_invalidations_total');
  await set('twice', '2');
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
  await set('twice', '3');
  back.release();
  expect(text(await app.readFrame())).toBe('nil');
  expect(text(await app.readFrame())).toBe('3');
  expect(text(await app.readFrame())).toBe('3');
  expect(String(await app.readFrame())).toBe('*1\r\n$1\r\n3\r\n');
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
