// DESIGN rule 2: while a session has a write or a command of unknown keys outstanding, its later reads go behind it.
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';

import { encodeRequest } from '../../support/raw-client.ts';
import type { RawClient } from '../../support/raw-client.ts';
import { invalidation, request, say, Sidecar, text } from '../../support/sidecar.ts';

const increment = "return redis.call('INCR', ARGV[1])";

let sidecar: Sidecar;
let app: RawClient;

beforeAll(async () => {
  sidecar = await Sidecar.start({ flags: '--slow-command-timeout 2s --max-staleness 5s' });
});
beforeEach(async () => {
  app = await sidecar.app();
});
afterEach(() => sidecar.endSessions());
afterAll(() => sidecar.stop());

test('a read pipelined behind a write of its key sees the write', async () => {
  await say(app, 'SET', 'n', '0');
  for (let i = 1; i <= 50; i++) {
    await sidecar.warm(app, 'GET', 'n');
    app.send(Buffer.concat([encodeRequest(['INCR', 'n']), encodeRequest(['GET', 'n'])]));
    expect((await app.readFrames(2)).map(text)).toEqual([`:${i}`, String(i)]);
  }
});

test('a read pipelined behind a script sees what the script wrote to a key it did not declare', async () => {
  await say(app, 'SET', 'hidden', '0');
  for (let i = 1; i <= 50; i++) {
    await sidecar.warm(app, 'GET', 'hidden');
    app.send(
      Buffer.concat([encodeRequest(['EVAL', increment, '0', 'hidden']), encodeRequest(['GET', 'hidden'])]),
    );
    expect((await app.readFrames(2)).map(text)).toEqual([`:${i}`, String(i)]);
  }
});

test('a write whose client was told of a time-out still holds its key back', async () => {
  await say(app, 'SET', 'late', '1');
  await sidecar.warm(app, 'GET', 'late');
  const stop = sidecar.gate.stopAt('up', request('SORT', 'numbers'));
  // SORT … STORE is a write with the long time-out, which is short here.
  expect(await say(app, 'SORT', 'numbers', 'STORE', 'late')).toContain('did not answer within 2000 ms');
  await stop.reached;
  app.request(['GET', 'late']);
  await sidecar.settled();
  expect(app.rest()).toHaveLength(0);
  stop.release();
  expect(text(await app.readFrame())).toBe('nil');
});

test('no read of a session is answered from the cache while its timed-out script may still run', async () => {
  await say(app, 'SET', 'unrelated', '1');
  await sidecar.warm(app, 'GET', 'unrelated');
  const stop = sidecar.gate.stopAt('up', request('EVAL'));
  expect(await say(app, 'EVAL', increment, '0', 'unrelated')).toContain('did not answer within 2000 ms');
  await stop.reached;
  app.request(['GET', 'unrelated']);
  await sidecar.settled();
  expect(app.rest()).toHaveLength(0);
  stop.release();
  expect(text(await app.readFrame())).toBe('2');
});

test('the invalidation of a write may come late: the writer reads its own write all the same', async () => {
  await say(app, 'SET', 'own', '1');
  await sidecar.warm(app, 'GET', 'own');
  const stop = sidecar.gate.stopAt('down', invalidation('own'));
  expect(await say(app, 'SET', 'own', '2')).toBe('+OK');
  await stop.reached;
  app.request(['GET', 'own']);
  await sidecar.settled();
  expect(app.rest()).toHaveLength(0);
  stop.release();
  expect(text(await app.readFrame())).toBe('2');
});
