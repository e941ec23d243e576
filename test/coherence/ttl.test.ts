// R12: nothing is served after its true expiry, though Redis may tell of that late or never; what has no expiry, and what
// does not exist, is forgotten after a while all the same.
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';

import { childFrames } from '../support/frame-reader.ts';
import type { RawClient } from '../support/raw-client.ts';
import { request, say, Sidecar, text, until } from '../support/sidecar.ts';

const MAX_TTL_MS = 600;
const NEGATIVE_TTL_MS = 200;
/** What a busy machine may be late. */
const SLACK_MS = 3000;

let sidecar: Sidecar;
let app: RawClient;

beforeAll(async () => {
  sidecar = await Sidecar.start({
    flags: `--cache-max-ttl ${MAX_TTL_MS}ms --cache-negative-ttl ${NEGATIVE_TTL_MS}ms --max-staleness 30s`,
  });
  // A key that has expired is then gone for every reader, and no invalidation tells so.
  await say(sidecar.direct, 'DEBUG', 'SET-ACTIVE-EXPIRE', '0');
});
beforeEach(async () => {
  app = await sidecar.app();
});
afterEach(() => {
  sidecar.relay.delayMs = 0;
  sidecar.endSessions();
});
afterAll(() => sidecar.stop());

/** The time by which Redis expires keys. */
async function serverMs(): Promise<number> {
  const [seconds, micros] = childFrames(await sidecar.direct.call('TIME')).map(text);
  return Number(seconds) * 1000 + Math.floor(Number(micros) / 1000);
}

/** Sets a key that expires `ms` from now; resolves with the last millisecond of its life. */
async function setFor(ms: number, key: string): Promise<number> {
  const end = (await serverMs()) + ms;
  expect(await say(sidecar.direct, 'SET', key, 'v', 'PXAT', String(end))).toBe('+OK');
  return end;
}

/** Reads until the clock of Redis has passed `end`; a read that begins after that may not find the key. Redis itself is
 *  not asked for the key: that would expire it, and tell. */
async function diesAt(end: number, ...read: string[]): Promise<void> {
  await until('it has expired', async () => {
    const isOver = (await serverMs()) > end;
    const answer = await say(app, ...read);
    if (isOver) expect(answer).toMatch(/^(nil|:0)$/);
    return isOver;
  });
}

test.each([100, 250, 500])('a value with %i ms to live is not served after them', async (ms) => {
  const end = await setFor(ms, `px${ms}`);
  await sidecar.warm(app, 'GET', `px${ms}`);
  await diesAt(end, 'GET', `px${ms}`);
});

test('the way of the reply is not added to the time to live', async () => {
  sidecar.relay.delayMs = 60;
  const end = await setFor(400, 'far');
  await sidecar.warm(app, 'GET', 'far');
  await diesAt(end, 'GET', 'far');
});

test('an expiry given to a value that is cached without one is honoured', async () => {
  await say(sidecar.direct, 'SET', 'later', 'v');
  await sidecar.warm(app, 'GET', 'later');
  const end = (await serverMs()) + 100;
  await say(sidecar.direct, 'PEXPIREAT', 'later', String(end));
  await sidecar.caughtUp();
  await sidecar.warm(app, 'GET', 'later');
  await diesAt(end, 'GET', 'later');
});

test('every command that reads a key minds its expiry', async () => {
  const end = await setFor(200, 'length');
  await sidecar.warm(app, 'STRLEN', 'length');
  await diesAt(end, 'STRLEN', 'length');
});

test('a hit that expires while it waits for its turn is not served', async () => {
  const end = await setFor(200, 'waits');
  await sidecar.warm(app, 'GET', 'waits');
  const stop = sidecar.gate.stopAt('up', request('GET', 'slow'));
  app.request(['GET', 'slow']);
  app.request(['GET', 'waits']);
  await stop.reached;
  await until('it has expired', async () => (await serverMs()) > end);
  stop.release();
  expect((await app.readFrames(2)).map(text)).toEqual(['nil', 'nil']);
});

test('a value that is about to expire is not kept', async () => {
  for (let tries = 0; tries < 20; ) {
    const runs = await sidecar.runs('get');
    await say(sidecar.direct, 'SET', 'brief', 'v', 'PX', '9');
    const first = await say(app, 'GET', 'brief');
    await app.call('GET', 'brief');
    // On a busy machine it may have ended before it was read, and that there is nothing may be kept.
    if (first !== 'v') continue;
    expect(await sidecar.runs('get')).toBe(runs + 2);
    tries++;
  }
});

test('a value without an expiry is read again after the longest time an entry may live', async () => {
  await say(sidecar.direct, 'SET', 'eternal', 'v');
  await sidecar.warm(app, 'GET', 'eternal');
  const end = performance.now() + MAX_TTL_MS;
  const runs = await sidecar.runs('get');
  await until('it is read again', async () => {
    await app.call('GET', 'eternal');
    return (await sidecar.runs('get')) > runs;
  });
  expect(performance.now()).toBeLessThan(end + SLACK_MS);
});

test('that a key does not exist is remembered, but not for long, and not once it exists', async () => {
  await sidecar.warm(app, 'GET', 'absent');
  const end = performance.now() + NEGATIVE_TTL_MS;
  const runs = await sidecar.runs('get');
  await until('it is read again', async () => {
    expect(await say(app, 'GET', 'absent')).toBe('nil');
    return (await sidecar.runs('get')) > runs;
  });
  expect(performance.now()).toBeLessThan(end + SLACK_MS);
  await say(sidecar.direct, 'SET', 'absent', 'there');
  await sidecar.caughtUp();
  expect(await say(app, 'GET', 'absent')).toBe('there');
});

test('the remaining time of a key comes from Redis each time', async () => {
  await say(sidecar.direct, 'SET', 'ask', 'v', 'PX', '100000');
  await sidecar.warm(app, 'GET', 'ask');
  for (const command of ['TTL', 'PTTL', 'OBJECT']) {
    const args = command === 'OBJECT' ? ['OBJECT', 'IDLETIME', 'ask'] : [command, 'ask'];
    const name = command === 'OBJECT' ? 'object\\|idletime' : command.toLowerCase();
    const runs = await sidecar.runs(name);
    await app.call(...args);
    await app.call(...args);
    expect(await sidecar.runs(name)).toBe(runs + 2);
  }
});
