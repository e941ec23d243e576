// All sessions of a user that subscribe are one subscriber at Redis, and each hears what it would hear alone.
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';

import { freePort } from '../../../src/drill/servers/free-port.ts';
import { connectRaw, type RawClient } from '../../support/raw-client.ts';
import { request, say, Sidecar, text, until } from '../../support/sidecar.ts';

let sidecar: Sidecar;

beforeAll(async () => {
  sidecar = await Sidecar.start({
    prepare: async (direct) => {
      await direct.call('ACL', 'SETUSER', 'alice', 'on', '>pw', '~*', '+@all', 'resetchannels', '&open*');
      await direct.call('ACL', 'SETUSER', 'bob', 'on', '>pw', '~*', '+@all', 'resetchannels', '&bob*');
    },
  });
});
afterEach(async () => {
  sidecar.endSessions();
  await until('nobody is subscribed', async () => (await subscribersOf('*')) === 0);
});
afterAll(() => sidecar.stop());

/** Subscribers of a channel as Redis counts them; of `*`, channels and patterns that have any. */
async function subscribersOf(channel: string): Promise<number> {
  if (channel !== '*') {
    return Number(String(await sidecar.direct.call('PUBSUB', 'NUMSUB', channel)).split(':')[1]);
  }
  const channels = String(await sidecar.direct.call('PUBSUB', 'CHANNELS'));
  return (
    Number(/^\*(\d+)/.exec(channels)?.[1]) + Number((await say(sidecar.direct, 'PUBSUB', 'NUMPAT')).slice(1))
  );
}

/** Connections that Redis knows as subscribers. */
async function subscribersAtRedis(): Promise<number> {
  return String(await sidecar.direct.call('CLIENT', 'LIST', 'TYPE', 'pubsub')).split(' addr=').length - 1;
}

async function apps(count: number, proto: 2 | 3 = 3): Promise<RawClient[]> {
  const all = await Promise.all(Array.from({ length: count }, () => sidecar.app()));
  if (proto === 3) await Promise.all(all.map((app) => app.call('HELLO', '3')));
  return all;
}

/** Waits for a frame that says this. */
async function hears(app: RawClient, words: string): Promise<void> {
  expect(text(await app.readFrame())).toBe(words);
}

const m = (channel: string, body: string, proto = 3): string =>
  text(
    Buffer.from(
      `${proto === 3 ? '>' : '*'}3\r\n$7\r\nmessage\r\n$${channel.length}\r\n${channel}\r\n$${body.length}\r\n${body}\r\n`,
    ),
  );

test('a thousand sessions on one channel are one subscriber at Redis, and hear every message once and in order', async () => {
  const all = [...(await apps(500, 2)), ...(await apps(500, 3))];
  await Promise.all(all.map((app) => app.call('SUBSCRIBE', 'crowd')));
  expect([await subscribersOf('crowd'), await subscribersAtRedis()]).toEqual([1, 1]);
  for (let i = 0; i < 20; i++) sidecar.direct.request(['PUBLISH', 'crowd', String(i)]);
  for (let i = 0; i < 20; i++) expect(text(await sidecar.direct.readFrame())).toBe(':1');
  const heard = await Promise.all(all.map((app) => app.readFrames(20)));
  const expected = Array.from({ length: 20 }, (_, i) => m('crowd', String(i)));
  for (const [i, frames] of heard.entries()) {
    expect(frames.map((frame) => text(frame).replace(/^>/, '*'))).toEqual(
      expected.map((each) => each.replace(/^>/, '*')),
    );
    expect(String(frames[0])[0]).toBe(i < 500 ? '*' : '>');
  }
  await sidecar.settled();
  expect(all.every((app) => app.rest().length === 0)).toBe(true);
  expect(await sidecar.metric('nearcache_shard_messages_received_total')).toBe(20);
  expect(await sidecar.metric('nearcache_shard_messages_delivered_total')).toBe(20_000);
  expect(await sidecar.metric('nearcache_shard_subscriptions')).toBe(1);
  await Promise.all(all.slice(1).map((app) => app.call('UNSUBSCRIBE', 'crowd')));
  expect(await subscribersOf('crowd')).toBe(1);
  await (all[0] as RawClient).call('UNSUBSCRIBE');
  expect([await subscribersOf('crowd'), await sidecar.metric('nearcache_shard_subscriptions')]).toEqual([
    0, 0,
  ]);
});

test('the last one who leaves without a word unsubscribes at Redis', async () => {
  const all = await apps(3);
  await Promise.all(all.map((app) => app.call('SUBSCRIBE', 'x')));
  await Promise.all(all.map((app) => app.call('PSUBSCRIBE', 'x*')));
  for (const app of all) app.close();
  await until('nobody is left', async () => (await subscribersOf('*')) === 0);
});

test('one who closes before its SUBSCRIBE is answered leaves nothing behind', async () => {
  const [stays] = (await apps(1)) as [RawClient];
  await stays.call('SUBSCRIBE', 'stays');
  const ended = (): Promise<number> => sidecar.metric('nearcache_sessions_closed_total');
  const before = await ended();
  for (let i = 0; i < 50; i++) {
    const app = await connectRaw({ port: sidecar.nearcache.port });
    app.request(['SUBSCRIBE', 'hasty', 'stays']);
    app.close();
  }
  // Nobody is subscribed between two of them either.
  await until('all have come and gone', async () => (await ended()) >= before + 50);
  await until('nobody is left', async () => (await subscribersOf('hasty')) === 0);
  expect([await subscribersOf('stays'), await subscribersOf('*')]).toEqual([1, 1]);
});

test('what is published after a confirmation is heard, however others come and go', async () => {
  const [a, b, c] = (await apps(3)) as [RawClient, RawClient, RawClient];
  for (let i = 0; i < 300; i++) {
    c.request(['SUBSCRIBE', 'busy']);
    b.request(['SUBSCRIBE', 'busy']);
    a.request(['SUBSCRIBE', 'busy']);
    c.request(['UNSUBSCRIBE', 'busy']);
    await Promise.all([a.readFrame(), b.readFrame()]);
    b.request(['UNSUBSCRIBE', 'busy']);
    await say(sidecar.direct, 'PUBLISH', 'busy', String(i));
    await hears(a, m('busy', String(i)));
    a.request(['UNSUBSCRIBE', 'busy']);
    expect(text(await a.readFrame())).toContain('unsubscribe');
    for (let last = ''; !last.includes('unsubscribe'); ) last = text(await b.readFrame());
    for (let last = ''; !last.includes('unsubscribe'); ) last = text(await c.readFrame());
  }
  expect(await subscribersOf('busy')).toBe(0);
});

test('a message of 300 KB reaches RESP2 and RESP3 sessions whole', async () => {
  const [three] = (await apps(1, 3)) as [RawClient];
  const [two] = (await apps(1, 2)) as [RawClient];
  for (const app of [two, three]) await app.call('SUBSCRIBE', 'big');
  const body = Buffer.alloc(300_000, 'm');
  await sidecar.direct.call('PUBLISH', 'big', body);
  const tail = Buffer.concat([
    Buffer.from('3\r\n$7\r\nmessage\r\n$3\r\nbig\r\n$300000\r\n'),
    body,
    Buffer.from('\r\n'),
  ]);
  const [got2, got3] = [await two.readFrame(), await three.readFrame()];
  expect([
    got2.equals(Buffer.concat([Buffer.from('*'), tail])),
    got3.equals(Buffer.concat([Buffer.from('>'), tail])),
  ]).toEqual([true, true]);
});

describe('an error', () => {
  test('is heard by the one who made it, and ends nothing of the others of the same user', async () => {
    const [a, b] = (await apps(2)) as [RawClient, RawClient];
    for (const app of [a, b]) await app.call('AUTH', 'alice', 'pw');
    await a.call('SUBSCRIBE', 'open1');
    const direct = await connectRaw({ port: sidecar.redis.port });
    await direct.call('AUTH', 'alice', 'pw');
    for (const bad of [['SUBSCRIBE', 'open1', 'shut'], ['SUBSCRIBE'], ['PSUBSCRIBE', '*']]) {
      expect(String(await b.call(...bad))).toBe(String(await direct.call(...bad)));
    }
    direct.close();
    await say(sidecar.direct, 'PUBLISH', 'open1', 'still');
    await hears(a, m('open1', 'still'));
    expect(text(await b.call('SUBSCRIBE', 'open2'))).toContain(':1');
    expect(await say(sidecar.direct, 'PUBLISH', 'open1', 'only a')).toBe(':1');
    await hears(a, m('open1', 'only a'));
    await sidecar.settled();
    expect(b.rest().length).toBe(0);
  });

  test('of the permissions of one user does not reach another, who has a subscriber of its own', async () => {
    const [own, alice] = (await apps(2)) as [RawClient, RawClient];
    await alice.call('AUTH', 'alice', 'pw');
    expect(text(await own.call('SUBSCRIBE', 'shut'))).toContain('subscribe');
    expect(text(await alice.call('SUBSCRIBE', 'shut'))).toContain('NOPERM');
  });
});

test('what a session has subscribed to stays when it becomes another user, and no message comes twice', async () => {
  const [app] = (await apps(1)) as [RawClient];
  await app.call('SUBSCRIBE', 'old', 'bob1');
  await app.readFrame();
  expect(await say(app, 'AUTH', 'bob', 'pw')).toBe('+OK');
  expect(text(await app.call('SUBSCRIBE', 'old'))).toContain('NOPERM');
  expect(text(await app.call('SUBSCRIBE', 'bob1'))).toContain(':2');
  expect(text(await app.call('SUBSCRIBE', 'bob2'))).toContain(':3');
  for (const channel of ['old', 'bob1', 'bob2']) {
    await until('it has moved', async () => (await subscribersOf(channel)) === 1);
    await say(sidecar.direct, 'PUBLISH', channel, 'hi');
    await hears(app, m(channel, 'hi'));
  }
  await sidecar.settled();
  expect(app.rest().length).toBe(0);
  expect(text(await app.call('UNSUBSCRIBE', 'old'))).toContain(':2');
});

test('a connection that changes to RESP2 while subscribed hears arrays from then on', async () => {
  const [app] = (await apps(1)) as [RawClient];
  await app.call('SUBSCRIBE', 'x');
  await app.call('HELLO', '2');
  await say(sidecar.direct, 'PUBLISH', 'x', 'hi');
  await hears(app, m('x', 'hi', 2));
  expect(String(await app.call('GET', 'k'))).toMatch(/^-ERR Can't execute 'get'/);
});

test('CLIENT REPLY OFF silences replies and neither confirmations nor messages', async () => {
  const [app] = (await apps(1)) as [RawClient];
  app.request(['CLIENT', 'REPLY', 'OFF']);
  expect(text(await app.call('SUBSCRIBE', 'x'))).toContain('subscribe');
  app.request(['PUBLISH', 'x', 'self']);
  await hears(app, m('x', 'self'));
  app.request(['SUBSCRIBE']);
  expect(text(await app.call('UNSUBSCRIBE'))).toContain('unsubscribe');
});

test('one that publishes what it hears itself gets the message before the reply', async () => {
  const [a, b] = (await apps(2)) as [RawClient, RawClient];
  for (const app of [a, b]) await app.call('SUBSCRIBE', 'x');
  for (let i = 0; i < 100; i++) {
    a.request(['PUBLISH', 'x', String(i)]);
    await hears(a, m('x', String(i)));
    await hears(a, ':1');
    await hears(b, m('x', String(i)));
  }
});

describe('a lost connection', () => {
  test('ends the sessions that heard something over it, and no others', async () => {
    const [a, b, plain] = (await apps(3)) as [RawClient, RawClient, RawClient];
    await a.call('SUBSCRIBE', 'x');
    await b.call('PSUBSCRIBE', '*');
    const before = await sidecar.metric('nearcache_shard_connections_lost_total');
    await sidecar.direct.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
    await Promise.all([a.closed, b.closed]);
    expect(await say(plain, 'SET', 'k', 'v')).toBe('+OK');
    expect(await sidecar.metric('nearcache_shard_connections_lost_total')).toBe(before + 1);
    const [again] = (await apps(1)) as [RawClient];
    expect(text(await again.call('SUBSCRIBE', 'x'))).toContain(':1');
  });

  test('ends a session whose SUBSCRIBE it has not answered', async () => {
    const [a, b] = (await apps(2)) as [RawClient, RawClient];
    await a.call('SUBSCRIBE', 'x');
    const stop = sidecar.gate.stopAt('up', request('SUBSCRIBE', 'y'));
    b.request(['SUBSCRIBE', 'y']);
    await stop.reached;
    await sidecar.direct.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
    await Promise.all([a.closed, b.closed]);
  });
});

test('invalidations that are redirected to a subscriber come beside its messages, and nothing comes twice', async () => {
  const [target] = (await apps(1, 2)) as [RawClient];
  const [reader] = (await apps(1, 2)) as [RawClient];
  const id = (await say(target, 'CLIENT', 'ID')).slice(1);
  await target.call('SUBSCRIBE', '__redis__:invalidate', 'news');
  await target.readFrame();
  expect(await say(reader, 'CLIENT', 'TRACKING', 'ON', 'REDIRECT', id)).toBe('+OK');
  await say(reader, 'GET', 'told');
  await say(sidecar.direct, 'PUBLISH', 'news', 'hi');
  await hears(target, m('news', 'hi', 2));
  await say(sidecar.direct, 'PUBLISH', '__redis__:invalidate', 'from an app');
  await hears(target, m('__redis__:invalidate', 'from an app', 2));
  await say(sidecar.direct, 'SET', 'told', '1');
  expect(String(await target.readFrame())).toBe(
    '*3\r\n$7\r\nmessage\r\n$20\r\n__redis__:invalidate\r\n*1\r\n$4\r\ntold\r\n',
  );
  await say(sidecar.direct, 'FLUSHALL');
  expect(String(await target.readFrame())).toMatch(/__redis__:invalidate\r\n[$*]-1\r\n$/);
  expect(String(await target.call('GET', 'k'))).toMatch(/^-ERR Can't execute 'get'/);
  await sidecar.settled();
  expect(target.rest().length).toBe(0);
});

test('a session hears that its shard channel has ended, when the slot is taken from the node', async () => {
  const cluster = await Sidecar.start({
    redisArgs: [
      '--cluster-enabled',
      'yes',
      '--cluster-port',
      String(await freePort()),
      '--cluster-require-full-coverage',
      'no',
    ],
    prepare: async (direct) => {
      await direct.call('CLUSTER', 'ADDSLOTSRANGE', '0', '16383');
      await until('the cluster is up', async () =>
        String(await direct.call('CLUSTER', 'INFO')).includes('cluster_state:ok'),
      );
    },
  });
  const [two, three] = [await cluster.app(), await cluster.app()];
  await three.call('HELLO', '3');
  for (const app of [two, three]) {
    await app.call('SSUBSCRIBE', 'gone');
    await app.call('SSUBSCRIBE', 'stays');
  }
  const slot = (await say(cluster.direct, 'CLUSTER', 'KEYSLOT', 'gone')).slice(1);
  await say(cluster.direct, 'CLUSTER', 'DELSLOTS', slot);
  expect(String(await two.readFrame())).toBe('*3\r\n$12\r\nsunsubscribe\r\n$4\r\ngone\r\n:1\r\n');
  expect(String(await three.readFrame())).toBe('>3\r\n$12\r\nsunsubscribe\r\n$4\r\ngone\r\n:1\r\n');
  await say(cluster.direct, 'SPUBLISH', 'stays', 'on');
  expect(String(await two.readFrame())).toContain('on');
  expect(String(await three.readFrame())).toContain('on');
  expect(String(await three.call('SSUBSCRIBE', 'gone'))).toMatch(/^-CLUSTERDOWN|^-MOVED/);
  // Of several slots, which one SUNSUBSCRIBE could not name.
  for (const channel of ['more', 'other']) await two.call('SSUBSCRIBE', channel);
  two.request(['SUNSUBSCRIBE']);
  const left = (await two.readFrames(3)).map((frame) =>
    String(frame).replace(/[^]*\$\d+\r\n(\w+)\r\n:/, '$1 '),
  );
  expect(left).toEqual(['stays 2\r\n', 'more 1\r\n', 'other 0\r\n']);
  expect(await say(two, 'PING')).toBe('+PONG');
  await cluster.stop();
});
