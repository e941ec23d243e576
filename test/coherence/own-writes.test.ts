// R5: a write of this nearcache takes its keys out of the cache from its dispatch to its reply, whoever reads meanwhile.
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';

import type { RawClient } from '../support/raw-client.ts';
import { invalidation, request, say, Sidecar, text } from '../support/sidecar.ts';

let sidecar: Sidecar;
let reader: RawClient;
let writer: RawClient;

beforeAll(async () => {
  sidecar = await Sidecar.start({ flags: '--max-staleness 30s' });
});
beforeEach(async () => {
  reader = await sidecar.app();
  writer = await sidecar.app();
});
afterEach(() => sidecar.endSessions());
afterAll(() => sidecar.stop());

/** What `client` gets for GET while the invalidation is held back, which must not be anything, and after it. */
async function readsAfter(push: { release(): void }, client: RawClient, key: string): Promise<string> {
  client.request(['GET', key]);
  await sidecar.settled();
  expect(client.rest()).toHaveLength(0);
  push.release();
  return text(await client.readFrame());
}

test('no session reads the old value once a write was acknowledged, though its invalidation is on its way', async () => {
  await say(writer, 'SET', 'k', '1');
  await sidecar.warm(reader, 'GET', 'k');
  const push = sidecar.gate.stopAt('down', invalidation('k'));
  expect(await say(writer, 'SET', 'k', '2')).toBe('+OK');
  await push.reached;
  expect(await readsAfter(push, reader, 'k')).toBe('2');
});

test('every key that a write names is taken out', async () => {
  for (const key of ['m1', 'm2', 'm3']) {
    await say(writer, 'SET', key, '1');
    await sidecar.warm(reader, 'GET', key);
  }
  const push = sidecar.gate.stopAt('down', invalidation('m1'));
  expect(await say(writer, 'MSET', 'm1', '2', 'm2', '2', 'm3', '2')).toBe('+OK');
  await push.reached;
  for (const key of ['m1', 'm2', 'm3']) reader.request(['GET', key]);
  await sidecar.settled();
  expect(reader.rest()).toHaveLength(0);
  push.release();
  expect((await reader.readFrames(3)).map(text)).toEqual(['2', '2', '2']);
});

test('what is read while a transaction is on its way does not outlive it', async () => {
  await say(writer, 'SET', 't', '1');
  await sidecar.warm(reader, 'GET', 't');
  expect(await say(writer, 'WATCH', 'nothing')).toBe('+OK');
  expect(await say(writer, 'MULTI')).toBe('+OK');
  expect(await say(writer, 'SET', 't', '2')).toBe('+QUEUED');
  const exec = sidecar.gate.stopAt('up', request('EXEC'));
  const push = sidecar.gate.stopAt('down', invalidation('t'));
  writer.request(['EXEC']);
  await exec.reached;
  // The old value, rightly: nothing was acknowledged yet. It must not be kept.
  for (let i = 0; i < 2; i++) expect(await say(reader, 'GET', 't')).toBe('1');
  exec.release();
  expect(String(await writer.readFrame())).toBe('*1\r\n+OK\r\n');
  await push.reached;
  expect(await readsAfter(push, writer, 't')).toBe('2');
});

test('a transaction that was not carried out leaves its keys open again', async () => {
  await say(writer, 'SET', 'watched', '1');
  await say(writer, 'SET', 'kept', '1');
  expect(await say(writer, 'WATCH', 'watched')).toBe('+OK');
  expect(await say(writer, 'MULTI')).toBe('+OK');
  expect(await say(writer, 'SET', 'kept', '2')).toBe('+QUEUED');
  await say(sidecar.direct, 'SET', 'watched', '2');
  expect(await say(writer, 'EXEC')).toBe('nil');
  expect(await sidecar.warm(reader, 'GET', 'kept')).toBe('1');
});

test('a transaction that arrives whole takes its keys out too', async () => {
  await say(writer, 'SET', 'block', '1');
  await sidecar.warm(reader, 'GET', 'block');
  const push = sidecar.gate.stopAt('down', invalidation('block'));
  writer.send('MULTI\r\nSET block 2\r\nEXEC\r\n');
  expect((await writer.readFrames(3)).map(String)).toEqual(['+OK\r\n', '+QUEUED\r\n', '*1\r\n+OK\r\n']);
  await push.reached;
  expect(await readsAfter(push, reader, 'block')).toBe('2');
});

const writesByManyNames: string[][] = [
  ['GETDEL', 'x'],
  ['GETSET', 'x', '2'],
  ['SET', 'x', '2', 'GET'],
  ['BITFIELD', 'x', 'SET', 'u8', '0', '50'],
  ['SORT', 'list', 'STORE', 'x'],
  ['RENAME', 'y', 'x'],
  ['COPY', 'y', 'x', 'REPLACE'],
];

test.each(writesByManyNames.map((write) => [write.join(' '), write] as const))(
  '%s takes x out',
  async (_, write) => {
    await say(writer, 'DEL', 'list');
    await say(writer, 'RPUSH', 'list', '1');
    await say(writer, 'MSET', 'x', '1', 'y', '2');
    await sidecar.warm(reader, 'GETRANGE', 'x', '0', '-1');
    const push = sidecar.gate.stopAt('down', invalidation('x'));
    await writer.call(...write);
    await push.reached;
    reader.request(['GETRANGE', 'x', '0', '-1']);
    await sidecar.settled();
    expect(reader.rest()).toHaveLength(0);
    push.release();
    expect(text(await reader.readFrame())).not.toBe('1');
  },
);

test('a written value is not put into the cache: the writer of another program is still heard', async () => {
  await say(writer, 'SET', 'through', '1');
  await sidecar.warm(reader, 'GET', 'through');
  await say(writer, 'SET', 'through', '2');
  await say(sidecar.direct, 'SET', 'through', '3');
  await sidecar.caughtUp();
  expect(await say(reader, 'GET', 'through')).toBe('3');
});
