// Single-flight: of many who ask the same, one asks Redis, and what becomes of that read becomes of all.
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';

import type { RawClient } from '../../support/raw-client.ts';
import { request, say, Sidecar, text, until } from '../../support/sidecar.ts';

const MANY = 1000;

let sidecar: Sidecar;

beforeAll(async () => {
  sidecar = await Sidecar.start({
    flags: '--max-staleness 30s --link-dead-timeout 40s --max-item-size 64kb --retry-reads off',
  });
});
afterEach(() => sidecar.endSessions());
afterAll(() => sidecar.stop());

async function apps(count: number, of: Sidecar = sidecar): Promise<RawClient[]> {
  return Promise.all(Array.from({ length: count }, () => of.app()));
}

/** Everybody asks, and nearcache has read it. */
async function ask(
  clients: readonly RawClient[],
  read: readonly string[],
  of: Sidecar = sidecar,
): Promise<void> {
  const before = await of.metric('nearcache_commands_total');
  for (const client of clients) client.request(read);
  await until('nearcache has read them all', async () => {
    return (await of.metric('nearcache_commands_total')) >= before + clients.length;
  });
}

/** Everybody asks while the read of the first one is held back; then it goes on. Resolves with what each was told, and how
 *  often Redis has read. */
async function readTogether(clients: readonly RawClient[], ...read: string[]): Promise<[string[], number]> {
  const name = (read[0] as string).toLowerCase();
  const runs = await sidecar.runs(name);
  const stop = sidecar.gate.stopAt('up', request(...read));
  await ask(clients, read);
  stop.release();
  const replies = await Promise.all(clients.map(async (client) => text(await client.readFrame())));
  return [replies, (await sidecar.runs(name)) - runs];
}

test(`${MANY} sessions that miss the same key at once are one read at Redis`, async () => {
  const clients = await apps(MANY);
  const coalesced = await sidecar.metric(
    'nearcache_cache_requests_total{family="string",result="coalesced"}',
  );
  expect(await readTogether(clients, 'GET', 'nobody has it')).toEqual([Array(MANY).fill('nil'), 1]);
  await say(sidecar.direct, 'SET', 'somebody has it', 'v');
  expect(await readTogether(clients, 'GET', 'somebody has it')).toEqual([Array(MANY).fill('v'), 1]);
  const shared = await sidecar.metric('nearcache_cache_requests_total{family="string",result="coalesced"}');
  expect(shared - coalesced).toBe(2 * (MANY - 1));
});

test(`${MANY} sessions that ask for a key that has just expired are one read at Redis`, async () => {
  const clients = await apps(MANY);
  await say(sidecar.direct, 'SET', 'brief', 'v', 'PX', '300');
  await sidecar.warm(clients[0] as RawClient, 'GET', 'brief');
  await until('it has expired', async () => (await say(sidecar.direct, 'PTTL', 'brief')) === ':-2');
  await sidecar.caughtUp();
  expect(await readTogether(clients, 'GET', 'brief')).toEqual([Array(MANY).fill('nil'), 1]);
});

test('sessions of RESP2 and RESP3 share one read, each in its own words', async () => {
  const clients = await apps(4);
  for (const client of clients.slice(2)) await client.call('HELLO', '3');
  await say(sidecar.direct, 'HSET', 'hash', 'f', 'v');
  const stop = sidecar.gate.stopAt('up', request('HGETALL', 'hash'));
  await ask(clients, ['HGETALL', 'hash']);
  stop.release();
  const replies = await Promise.all(clients.map(async (client) => String(await client.readFrame())));
  const pair = '$1\r\nf\r\n$1\r\nv\r\n';
  expect(replies).toEqual([`*2\r\n${pair}`, `*2\r\n${pair}`, `%1\r\n${pair}`, `%1\r\n${pair}`]);
  expect(await sidecar.runs('hgetall')).toBe(1);
});

test('the session whose read it was may leave: the others get their answer', async () => {
  const [leader, ...followers] = (await apps(5)) as [RawClient, ...RawClient[]];
  await say(sidecar.direct, 'SET', 'left', 'v');
  const runs = await sidecar.runs('get');
  const stop = sidecar.gate.stopAt('up', request('GET', 'left'));
  leader.request(['GET', 'left']);
  await stop.reached;
  await ask(followers, ['GET', 'left']);
  const closed = await sidecar.metric('nearcache_sessions_closed_total');
  leader.socket.resetAndDestroy();
  followers.pop()?.socket.resetAndDestroy();
  await until('both have left', async () => {
    return (await sidecar.metric('nearcache_sessions_closed_total')) === closed + 2;
  });
  stop.release();
  for (const follower of followers) expect(text(await follower.readFrame())).toBe('v');
  expect(await say(followers[0] as RawClient, 'GET', 'left')).toBe('v');
  expect(await sidecar.runs('get')).toBe(runs + 1);
});

test('a lost link tells each who waits, and the next read works', async () => {
  const clients = await apps(5);
  await say(sidecar.direct, 'SET', 'lost', 'v');
  const stop = sidecar.gate.stopAt('down', (frame) => frame === '$1\r\nv\r\n');
  await ask(clients, ['GET', 'lost']);
  await stop.reached;
  sidecar.relay.cut();
  for (const client of clients) expect(text(await client.readFrame())).toMatch(/^-ERR nearcache: .*was lost/);
  expect(await sidecar.warm(clients[0] as RawClient, 'GET', 'lost')).toBe('v');
  for (const client of clients) expect(await say(client, 'GET', 'lost')).toBe('v');
});

test('a time-out is told to all who wait, and the late reply goes to none of them', async () => {
  const hasty = await Sidecar.start({
    flags: '--max-staleness 30s --command-timeout 1s --link-dead-timeout 20s --breaker off',
  });
  try {
    const clients = await apps(3, hasty);
    await say(hasty.direct, 'MSET', 'slow', 'of slow', 'next', 'of next');
    const stop = hasty.gate.stopAt('down', (frame) => frame === '$7\r\nof slow\r\n');
    for (const client of clients) client.request(['GET', 'slow']);
    for (const client of clients) {
      expect(text(await client.readFrame())).toContain('did not answer within 1000 ms');
    }
    // Nobody joins what was given up.
    const late = await hasty.app();
    late.request(['GET', 'slow']);
    for (const client of clients) client.request(['GET', 'next']);
    await hasty.settled();
    stop.release();
    for (const client of clients) expect(text(await client.readFrame())).toBe('of next');
    expect(text(await late.readFrame())).toBe('of slow');
    await hasty.settled();
    for (const client of clients) expect(client.rest()).toHaveLength(0);
  } finally {
    await hasty.stop();
  }
});

test.each([
  ['that comes in pieces', 100_000],
  ['over the limit of an item', 300_000],
  ['of megabytes', 3_000_000],
])('a large reply %s reaches each who waits whole', async (_, bytes) => {
  const clients = await apps(6);
  for (const client of clients.slice(3)) await client.call('HELLO', '3');
  const value = Buffer.alloc(bytes, 'abcdefghijklmnopqrstuvwxyz');
  await sidecar.direct.call('SET', 'large', value);
  await sidecar.direct.call('DEL', 'hash');
  await sidecar.direct.call('HSET', 'hash', 'f', value);
  const length = `$${bytes}\r\n`;
  for (const [read, inResp2, inResp3] of [
    [['GET', 'large'], '', ''],
    [['HGETALL', 'hash'], '*2\r\n$1\r\nf\r\n', '%1\r\n$1\r\nf\r\n'],
  ] as const) {
    const stop = sidecar.gate.stopAt('up', request(...read));
    // The first of RESP2 has something else to wait for, so its bytes are kept.
    clients[0]?.request(['GETEX', 'missing']);
    await ask(clients, read);
    await stop.reached;
    stop.release();
    expect(text((await clients[0]?.readFrame()) as Buffer)).toBe('nil');
    const replies = await Promise.all(clients.map(async (client) => client.readFrame()));
    const tail = `${length}${value.toString()}\r\n`;
    for (const reply of replies.slice(0, 3)) expect(reply.equals(Buffer.from(inResp2 + tail))).toBe(true);
    for (const reply of replies.slice(3)) expect(reply.equals(Buffer.from(inResp3 + tail))).toBe(true);
  }
});

test('no more than so many wait for one read', async () => {
  const few = await Sidecar.start({ flags: '--max-staleness 30s --max-followers 10' });
  try {
    await say(few.direct, 'SET', 'k', 'v');
    const clients = await apps(25, few);
    const stop = few.gate.stopAt('up', request('GET', 'k'));
    await ask(clients, ['GET', 'k'], few);
    stop.release();
    for (const client of clients) expect(text(await client.readFrame())).toBe('v');
    expect(await few.runs('get')).toBe(3);
  } finally {
    await few.stop();
  }
});
