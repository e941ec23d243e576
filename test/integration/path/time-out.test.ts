// DESIGN rule 9: a command that timed out keeps its place until its reply has come and been thrown away.
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';

import { encodeRequest } from '../../support/raw-client.ts';
import type { RawClient } from '../../support/raw-client.ts';
import { say, Sidecar, text, until } from '../../support/sidecar.ts';

let sidecar: Sidecar;
let app: RawClient;

beforeAll(async () => {
  sidecar = await Sidecar.start({
    flags:
      '--command-timeout 1s --slow-command-timeout 2s --blocking-grace 1s --max-staleness 30s --link-dead-timeout 20s --breaker off',
  });
});
beforeEach(async () => {
  app = await sidecar.app();
});
afterEach(() => {
  sidecar.relay.resume();
  sidecar.endSessions();
});
afterAll(() => sidecar.stop());

test('replies that come too late reach nobody, and those behind them reach their own commands', async () => {
  const other = await sidecar.app();
  for (const key of ['a', 'b', 'c']) await say(sidecar.direct, 'SET', key, `value of ${key}`);
  sidecar.relay.pause('down');
  app.send(Buffer.concat([encodeRequest(['GETEX', 'a']), encodeRequest(['GETEX', 'b'])]));
  expect((await app.readFrames(2)).map(text)).toEqual([
    expect.stringContaining('did not answer within 1000 ms'),
    expect.stringContaining('did not answer within 1000 ms'),
  ]);
  app.request(['GETEX', 'c']);
  other.request(['GETEX', 'a']);
  await sidecar.settled();
  sidecar.relay.resume('down');
  expect(text(await app.readFrame())).toBe('value of c');
  expect(text(await other.readFrame())).toBe('value of a');
  expect(app.rest()).toHaveLength(0);
});

test('the same holds on a pinned connection', async () => {
  await say(sidecar.direct, 'SET', 'w', 'of w');
  await say(sidecar.direct, 'SET', 'x', 'of x');
  expect(await say(app, 'WATCH', 'other')).toBe('+OK');
  sidecar.relay.pause('down');
  expect(await say(app, 'GET', 'w')).toContain('did not answer within 1000 ms');
  app.request(['GET', 'x']);
  await sidecar.settled();
  sidecar.relay.resume('down');
  expect(text(await app.readFrame())).toBe('of x');
});

test('a blocking command may take its own time-out and the grace on top', async () => {
  const start = performance.now();
  expect(await say(app, 'BLPOP', 'nothing', '1.5')).toBe('nil');
  expect(performance.now() - start).toBeGreaterThan(1450);
  sidecar.relay.pause('down');
  expect(await say(app, 'BLPOP', 'nothing', '0.1')).toContain('did not answer within 1100 ms');
});

test('a command flagged slow has the long time-out', async () => {
  sidecar.relay.pause('down');
  expect(await say(app, 'KEYS', '*')).toContain('did not answer within 2000 ms');
});

test('a session that has seen a time-out goes on', async () => {
  sidecar.relay.pause('down');
  expect(await say(app, 'INCR', 'n')).toContain('did not answer');
  sidecar.relay.resume('down');
  await until('its reply was thrown away', async () => (await say(app, 'GET', 'n')) === '1');
  expect(await say(app, 'INCR', 'n')).toBe(':2');
});

test('a time-out inside MULTI ends the session, since the app was told of an error that Redis knows nothing of', async () => {
  expect(await say(app, 'MULTI')).toBe('+OK');
  sidecar.relay.pause('down');
  app.request(['SET', 'in-multi', '1']);
  expect(text(await app.readFrame())).toContain('did not answer within 1000 ms');
  await app.closed;
  sidecar.relay.resume('down');
  expect(await say(sidecar.direct, 'EXISTS', 'in-multi')).toBe(':0');
});
