// Invalidations by pub/sub over real connections: the application channel and keyspace notifications.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { systemClock } from '../../src/base/clock.ts';
import { createLogger } from '../../src/base/log.ts';
import type { Generation } from '../../src/cache/generation.ts';
import type { NearCache } from '../../src/cache/near-cache.ts';
import { type InvalidationOptions, Invalidations } from '../../src/invalidation/invalidations.ts';
import type { Target } from '../../src/invalidation/subscriber.ts';
import {
  cachedReply,
  landFlight,
  nearCacheOf,
  startFlight,
  trackingGeneration,
} from '../support/near-caches.ts';
import { connectRaw, type RawClient } from '../support/raw-client.ts';
import { type RedisServer, startRedis } from '../support/redis-server.ts';
import { type Relay, startRelay } from '../../src/drill/servers/relay.ts';
import { say, until } from '../support/sidecar.ts';
import { idOf } from '../support/store-entry.ts';

const D = 300;
/** For a busy machine; until a silent link is given up it takes longer. */
const SLACK_MS = 1500;
const CHANNEL = 'nearcache:invalidate';

let redis: RedisServer;
let relay: Relay;
let direct: RawClient;
let cache: NearCache;
let generation: Generation;
let invalidations: Invalidations;
let targets: Target[];
let lines: string[];
let toStop: (() => Promise<void> | void)[];

beforeEach(async () => {
  redis = await startRedis();
  relay = await startRelay(redis.port);
  direct = await connectRaw({ port: redis.port });
  cache = nearCacheOf({ maxStalenessMs: D });
  generation = trackingGeneration();
  targets = [targetAt('shard0', relay.port)];
  lines = [];
  toStop = [];
});
afterEach(async () => {
  invalidations.close();
  direct.close();
  for (const stop of toStop) await stop();
  await relay.stop();
  await redis.stop();
});

function targetAt(name: string, port: number, login: { user?: string; password?: string } = {}): Target {
  const { user, password } = login;
  return {
    name,
    address: () => ({ host: '127.0.0.1', port, tls: undefined }),
    credentials: () => ({ user, password }),
  };
}

function listen(
  more: Partial<InvalidationOptions> = {},
  untracked: () => readonly Target[] = () => [],
): void {
  const options: InvalidationOptions = {
    maxStalenessMs: D,
    connectTimeoutMs: 1000,
    linkDeadMs: 2500,
    reconnectBaseMs: 5,
    reconnectMaxMs: 50,
    channel: CHANNEL,
    holdOffMs: 0,
    canaryMs: 50,
    canaryKey: 'canary',
    ...more,
  };
  const log = createLogger({
    level: 'info',
    format: 'json',
    destination: { write: (line) => lines.push(line) },
  });
  const parts = { cache, clock: systemClock, random: Math.random, log, targets: () => targets, untracked };
  invalidations = new Invalidations(options, parts);
  invalidations.start();
}

function covers(): boolean {
  return cache.besides?.covers(systemClock.now(), D) === true;
}

async function covered(): Promise<void> {
  await until('the channel delivers', covers);
}

function put(...keys: string[]): void {
  const now = systemClock.now();
  for (const key of keys) landFlight(cache, startFlight(cache, idOf(key), { generation, now }));
}

function has(key: string): boolean {
  return cachedReply(cache, idOf(key), systemClock.now()) !== undefined;
}

/** Publish, and wait until the message was read. */
async function publish(client: RawClient, payload: string): Promise<void> {
  const count = (): number => Object.values(invalidations.stats.messages).reduce((sum, n) => sum + n, 0);
  const before = count();
  // A connection that was given up half-open is still counted by Redis.
  expect(await say(client, 'PUBLISH', CHANNEL, payload)).not.toBe(':0');
  await until('the message is here', () => count() > before);
}

describe('the application channel', () => {
  test('drops what a message names', async () => {
    listen();
    await covered();
    put('a', 'b', 'user:1', '\xff');
    await publish(direct, 'a');
    expect(['a', 'b', 'user:1', '\xff'].map(has)).toEqual([false, true, true, true]);
    await publish(direct, '{"v":1,"prefixes":["user:"]}');
    await publish(direct, '\xff');
    expect(['b', 'user:1', '\xff'].map(has)).toEqual([true, false, false]);
    expect(invalidations.links).toEqual([{ shard: 'shard0', source: 'channel', isUp: true, losses: 0 }]);
  });

  test('lets entries be served only once it is subscribed, and drops what was kept before', async () => {
    relay.pause();
    listen();
    put('k');
    expect(covers()).toBe(false);
    relay.resume();
    await covered();
    expect(has('k')).toBe(false);
  });

  test('goes on covering while nothing is published', async () => {
    listen();
    await covered();
    const looks: boolean[] = [];
    const end = systemClock.now() + 4 * D;
    while (systemClock.now() < end) {
      looks.push(covers());
      await new Promise((resolve) => {
        setTimeout(resolve, 10);
      });
    }
    // A beat may be late on a busy machine; without any, D would be all.
    expect(looks.filter(Boolean).length).toBeGreaterThan(looks.length / 2);
    expect(invalidations.stats.flushes.subscribed).toBe(1);
  });

  test('stops covering within the staleness bound when the link is silent, and drops everything when it is back', async () => {
    listen();
    await covered();
    put('k');
    relay.halfOpen();
    const cutAt = systemClock.now();
    await until('the channel covers nothing', () => !covers());
    expect(systemClock.now() - cutAt).toBeLessThan(D + SLACK_MS);
    expect(has('k')).toBe(true);
    await covered();
    expect(has('k')).toBe(false);
    expect(invalidations.links[0]?.losses).toBe(1);
    put('k');
    await publish(direct, 'k');
    expect(has('k')).toBe(false);
  });

  test('drops everything when the connection was cut, however short', async () => {
    listen({ holdOffMs: 1500 });
    await covered();
    await until('the first hold-off is over', () => !cache.isHeldOff('k'));
    put('k');
    await say(direct, 'CLIENT', 'KILL', 'TYPE', 'pubsub');
    await until('it is subscribed anew', () => invalidations.stats.flushes.subscribed === 2);
    expect([has('k'), cache.isHeldOff('k')]).toEqual([false, true]);
  });

  test('needs every shard, and follows them as they come, move and go', async () => {
    const second = await startRedis();
    const secondDirect = await connectRaw({ port: second.port });
    toStop.push(
      () => secondDirect.close(),
      () => second.stop(),
    );
    listen();
    await covered();
    let port = 1;
    const moving: Target = {
      ...targetAt('shard1', 0),
      address: () => ({ host: '127.0.0.1', port, tls: undefined }),
    };
    targets = [...targets, moving];
    await until('the new shard is missed', () => !covers());
    port = second.port;
    await covered();
    put('a');
    await publish(secondDirect, 'a');
    expect(has('a')).toBe(false);
    await second.kill('SIGKILL');
    await until('a shard is missed', () => !covers());
    targets = targets.slice(0, 1);
    await covered();
    expect(invalidations.links.map(({ shard }) => shard)).toEqual(['shard0']);
  });

  test('notices that a shard has moved', async () => {
    const other = await startRedis();
    const otherDirect = await connectRaw({ port: other.port });
    toStop.push(
      () => otherDirect.close(),
      () => other.stop(),
    );
    let { port } = redis;
    targets = [{ ...targetAt('shard0', 0), address: () => ({ host: '127.0.0.1', port, tls: undefined }) }];
    listen();
    await covered();
    port = other.port;
    await until('it listens there', () => invalidations.stats.flushes.subscribed === 2);
    put('k');
    await publish(otherDirect, 'k');
    expect(has('k')).toBe(false);
  });

  test('says why it is not allowed to listen, and listens once it is', async () => {
    await say(direct, 'ACL', 'SETUSER', 'app', 'on', '>pw', '+@all', '~*', 'resetchannels');
    targets = [targetAt('shard0', redis.port, { user: 'app', password: 'pw' })];
    listen();
    await until('the refusal is logged', () => lines.join('').includes('NOPERM'));
    expect(lines).toHaveLength(1);
    expect(covers()).toBe(false);
    await say(direct, 'ACL', 'SETUSER', 'app', `&${CHANNEL}`);
    await covered();
    expect(lines.join('')).not.toContain('pw');
  });
});

describe('keyspace notifications', () => {
  const healthy = (): boolean => invalidations.isHealthy('shard0', systemClock.now());

  function listenToEvents(): void {
    listen({ channel: undefined }, () => targets);
  }

  async function events(setting: string): Promise<void> {
    expect(await say(direct, 'CONFIG', 'SET', 'notify-keyspace-events', setting)).toBe('+OK');
  }

  test('drop what was written, in any database and of any type', async () => {
    await events('KA');
    listenToEvents();
    await until('events come', healthy);
    const keys = ['s', 'l', '\xff\r\n', 'untouched'];
    put(...keys);
    await say(direct, 'SET', 's', '1');
    await say(direct, 'RPUSH', 'l', '1');
    await say(direct, 'SELECT', '3');
    await say(direct, 'HSET', '\xff\r\n', 'f', '1');
    await until('the last event is here', () => !has('\xff\r\n'));
    expect(keys.map(has)).toEqual([false, false, false, true]);
    expect(invalidations.stats.messages.event).toBe(3);
    expect(await say(direct, 'DBSIZE')).toBe(':1');
    await say(direct, 'SELECT', '0');
    await until('no canary is left', async () => (await say(direct, 'KEYS', 'canary*')) === '*0');
  });

  test('are not relied on while the server does not send them, and nothing is changed there', async () => {
    listenToEvents();
    await until('the log says so', () => lines.join('').includes('notify-keyspace-events is \\"\\" and has'));
    expect(healthy()).toBe(false);
    put('k');
    await events('KA');
    await until('events come', healthy);
    expect(has('k')).toBe(false);
    await events('');
    await until('events are missed', () => !healthy());
    expect(String(await direct.call('CONFIG', 'GET', 'notify-keyspace-events'))).toContain('$0\r\n');
    expect(invalidations.links).toEqual([{ shard: 'shard0', source: 'keyspace', isUp: false, losses: 0 }]);
  });

  test.each([['K$lshz'], ['Kg$lshz'], ['EA'], ['Kg$lsht']])('are not enough as "%s"', async (setting) => {
    await events(setting);
    listenToEvents();
    await until('two canaries were missed', () => invalidations.stats.canaryFailures >= 2);
    expect(healthy()).toBe(false);
  });

  test('end with the link, within the staleness bound, and begin anew with nothing kept', async () => {
    await events('KA');
    listenToEvents();
    await until('events come', healthy);
    put('k');
    relay.halfOpen();
    const cutAt = systemClock.now();
    await until('the link is missed', () => !healthy());
    expect(systemClock.now() - cutAt).toBeLessThan(D + SLACK_MS);
    await until('events come again', healthy);
    expect(has('k')).toBe(false);
  });

  test('end when the canary cannot be written any more, whatever else arrives', async () => {
    await events('KA');
    listenToEvents();
    await until('events come', healthy);
    await say(direct, 'CONFIG', 'SET', 'maxmemory', '1');
    await until('the canary is missed', () => !healthy());
    await say(direct, 'CONFIG', 'SET', 'maxmemory', '0');
    await until('events come again', healthy);
  });

  test('a server that may be read but not written to is not relied on', async () => {
    await events('KA');
    await say(direct, 'ACL', 'SETUSER', 'reader', 'on', '>pw', '+@all', '-@write', '~*', '&*');
    targets = [targetAt('shard0', redis.port, { user: 'reader', password: 'pw' })];
    listenToEvents();
    await until('the log says so', () => lines.join('').includes('events do not come'));
    expect(healthy()).toBe(false);
  });
});
