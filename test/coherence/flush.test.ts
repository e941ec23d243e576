// I11: when FLUSHALL, FLUSHDB or SWAPDB is acknowledged, the cache holds nothing of any database.
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';

import type { RawClient } from '../support/raw-client.ts';
import { invalidation, request, say, Sidecar, text } from '../support/sidecar.ts';

let sidecar: Sidecar;
let app: RawClient;
let reader: RawClient;

beforeAll(async () => {
  sidecar = await Sidecar.start({ flags: '--max-staleness 30s' });
});
beforeEach(async () => {
  app = await sidecar.app();
  reader = await sidecar.app();
});
afterEach(async () => {
  sidecar.endSessions();
  await say(sidecar.direct, 'FLUSHALL');
});
afterAll(() => sidecar.stop());

test.each([['FLUSHALL'], ['FLUSHDB'], ['FLUSHALL ASYNC']])('%s', async (command) => {
  await say(app, 'SET', 'k', '1');
  await sidecar.warm(reader, 'GET', 'k');
  const push = sidecar.gate.stopAt('down', invalidation());
  expect(await say(app, ...command.split(' '))).toBe('+OK');
  await push.reached;
  reader.request(['GET', 'k']);
  await sidecar.settled();
  expect(reader.rest()).toHaveLength(0);
  push.release();
  expect(text(await reader.readFrame())).toBe('nil');
});

async function twoDatabases(): Promise<void> {
  for (const [db, value] of [
    ['1', 'of one'],
    ['0', 'of zero'],
  ] as const) {
    for (const client of [app, reader]) await say(client, 'SELECT', db);
    await say(app, 'SET', 'k', value);
    expect(await sidecar.warm(reader, 'GET', 'k')).toBe(value);
  }
}

test('SWAPDB, of which Redis says nothing at all', async () => {
  await twoDatabases();
  expect(await say(app, 'SWAPDB', '0', '1')).toBe('+OK');
  expect(await say(reader, 'GET', 'k')).toBe('of one');
  await say(reader, 'SELECT', '1');
  expect(await say(reader, 'GET', 'k')).toBe('of zero');
});

test('SWAPDB in a transaction that arrives whole', async () => {
  await twoDatabases();
  app.send('MULTI\r\nSWAPDB 0 1\r\nEXEC\r\n');
  expect(String((await app.readFrames(3)).at(-1))).toBe('*1\r\n+OK\r\n');
  expect(await say(reader, 'GET', 'k')).toBe('of one');
});

test('SWAPDB in a transaction on a pinned connection', async () => {
  await twoDatabases();
  for (const command of [['WATCH', 'other'], ['MULTI'], ['SWAPDB', '0', '1']]) await app.call(...command);
  expect(String(await app.call('EXEC'))).toBe('*1\r\n+OK\r\n');
  expect(await say(reader, 'GET', 'k')).toBe('of one');
});

test('what is read while SWAPDB is on its way does not outlive it', async () => {
  await twoDatabases();
  for (const command of [['WATCH', 'other'], ['MULTI'], ['SWAPDB', '0', '1']]) await app.call(...command);
  const exec = sidecar.gate.stopAt('up', request('EXEC'));
  app.request(['EXEC']);
  await exec.reached;
  for (let i = 0; i < 2; i++) expect(await say(reader, 'GET', 'k')).toBe('of zero');
  exec.release();
  expect(String(await app.readFrame())).toBe('*1\r\n+OK\r\n');
  expect(await say(reader, 'GET', 'k')).toBe('of one');
});

test('FLUSHALL by another program is seen as soon as Redis tells of it', async () => {
  await say(app, 'SET', 'k', '1');
  await sidecar.warm(reader, 'GET', 'k');
  await say(sidecar.direct, 'FLUSHALL');
  await sidecar.caughtUp();
  expect(await say(reader, 'GET', 'k')).toBe('nil');
});

test('DEBUG RELOAD through nearcache drops everything', async () => {
  await say(app, 'SET', 'k', '1');
  await sidecar.warm(reader, 'GET', 'k');
  const runs = await sidecar.runs('get');
  expect(await say(app, 'DEBUG', 'RELOAD')).toBe('+OK');
  expect(await say(reader, 'GET', 'k')).toBe('1');
  expect(await sidecar.runs('get')).toBe(runs + 1);
});
