import { afterAll, beforeAll, expect, test } from 'vitest';

import { encodeRequest } from '../../support/raw-client.ts';
import { say, Sidecar, text, until } from '../../support/sidecar.ts';

let sidecar: Sidecar;

beforeAll(async () => {
  sidecar = await Sidecar.start({ flags: '--connect-timeout 5s' });
});
afterAll(() => sidecar.stop());

test('while Redis is known to be away, commands that need a connection of their own fail at once too', async () => {
  const app = await sidecar.app();
  // New connections are accepted and get no answer: each would take the connect time-out to fail.
  sidecar.relay.pause();
  sidecar.relay.cut();
  await until('nearcache has given up waiting', async () =>
    (await say(app, 'GET', 'k')).includes('is unreachable'),
  );
  const start = performance.now();
  app.send(Buffer.concat([1, 2, 3, 4].map(() => encodeRequest(['BLPOP', 'q', '1']))));
  const replies = (await app.readFrames(4)).map(text);
  expect(replies).toEqual(replies.map(() => expect.stringContaining('is unreachable') as string));
  expect(performance.now() - start).toBeLessThan(4500);
  sidecar.relay.resume();
  await until('Redis is back', async () => (await say(app, 'GET', 'k')) === 'nil');
  expect(await say(app, 'BLPOP', 'q', '0.1')).toBe('nil');
});
