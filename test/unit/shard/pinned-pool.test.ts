import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import type { CallFailure } from '../../../src/shard/call.ts';
import { OwnCall } from '../../../src/shard/call.ts';
import type { PinnedConnection, PinnedHolder, PinnedSetup } from '../../../src/shard/pinned-connection.ts';
import { type PinnedLimits, PinnedPool } from '../../../src/shard/pinned-pool.ts';
import { ShardStats } from '../../../src/shard/shard-stats.ts';
import { encodeRequest } from '../../../src/protocol/encoder.ts';
import { helloReply } from '../../support/hello-reply.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { type ScriptedConnection, ScriptedServer } from '../../support/scripted-server.ts';
import { until } from '../../support/sidecar.ts';

const PLAIN: PinnedSetup = { proto: 3, db: 0, name: '' };

let server: ScriptedServer;
let clock: ManualClock;
let stats: ShardStats;
let pool: PinnedPool;
let password: string | undefined;
let losses: string[];

let holder: PinnedHolder;

beforeEach(async () => {
  server = await ScriptedServer.start();
  clock = new ManualClock();
  stats = new ShardStats();
  const heard: string[] = [];
  losses = heard;
  holder = { pinnedFrame: () => {}, pinnedLost: (reason) => heard.push(reason), pinnedDrained: () => {} };
  password = undefined;
  pool = make({});
});

afterEach(async () => {
  pool.close();
  await server.stop();
});

function make(limits: Partial<PinnedLimits>): PinnedPool {
  return new PinnedPool(
    () => server.address,
    () => ({ user: undefined, password }),
    { pinnedMax: 3, idleMax: 2, idleMs: 30_000, connectTimeoutMs: 1000, commandTimeoutMs: 5000, ...limits },
    clock,
    stats,
  );
}

type Outcome = { pinned: PinnedConnection } | { failure: CallFailure | undefined };

function acquire(setup: PinnedSetup = PLAIN): Promise<Outcome> {
  return new Promise((resolve) => {
    pool.acquire(holder, setup, (pinned, failure) =>
      resolve(pinned === undefined ? { failure } : { pinned }),
    );
  });
}

/** A connection that is set up, and the other end of it. */
async function open(): Promise<{ pinned: PinnedConnection; redis: ScriptedConnection }> {
  const acquired = acquire();
  const redis = await server.connection();
  expect(await redis.request()).toEqual(['HELLO', '3']);
  redis.send(helloReply({ id: 12 }));
  const outcome = await acquired;
  if (!('pinned' in outcome)) throw new Error('not acquired');
  return { pinned: outcome.pinned, redis };
}

describe('acquire', () => {
  it('opens a connection and sets it up as the session is', async () => {
    password = 'pw';
    const acquired = acquire({ proto: 2, db: 5, name: 'app' });
    const redis = await server.connection();
    expect(await redis.requests(3)).toEqual(['HELLO 2 AUTH default pw', 'SELECT 5', 'CLIENT SETNAME app']);
    redis.send('*4\r\n$5\r\nproto\r\n:2\r\n$2\r\nid\r\n:99\r\n+OK\r\n+OK\r\n');
    const outcome = await acquired;
    expect('pinned' in outcome && outcome.pinned.clientId).toBe(99);
  });

  it('is at once when a connection was given back a moment ago', async () => {
    const { pinned } = await open();
    pool.release(pinned, true);
    expect(await acquire()).toEqual({ pinned });
    expect(stats).toMatchObject({ pinnedOpened: 1, pinnedReused: 1, pinnedIdle: 0, pinnedConnections: 1 });
  });

  it('changes only what is different', async () => {
    const { pinned, redis } = await open();
    pool.release(pinned, true);
    const again = acquire({ proto: 3, db: 2, name: '' });
    expect(await redis.request()).toEqual(['SELECT', '2']);
    redis.send('+OK\r\n');
    expect(await again).toEqual({ pinned });
  });

  it('asks a connection that was idle for long whether it is alive', async () => {
    const { pinned, redis } = await open();
    pool.release(pinned, true);
    clock.advance(1001);
    const again = acquire();
    expect(await redis.request()).toEqual(['HELLO']);
    redis.send(helloReply({ id: 12 }));
    expect(await again).toEqual({ pinned });
  });

  it('opens a fresh one when the idle one turns out dead', async () => {
    const { pinned, redis } = await open();
    pool.release(pinned, true);
    clock.advance(1001);
    const again = acquire();
    await redis.request();
    redis.reset();
    const second = await server.connection();
    await second.request();
    second.send(helloReply({ id: 13 }));
    const outcome = await again;
    expect('pinned' in outcome && outcome.pinned.clientId).toBe(13);
    expect(stats.pinnedConnections).toBe(1);
  });

  it('fails as busy beyond the limit, and works again when one is gone', async () => {
    const connections = [await open(), await open(), await open()];
    expect(await acquire()).toEqual({ failure: { kind: 'busy', reason: '3' } });
    connections[0]?.pinned.destroy('enough');
    await until('gone', () => stats.pinnedConnections === 2);
    await open();
  });

  it('is refused with Redis’s own line, and leaves no connection behind', async () => {
    const acquired = acquire();
    const redis = await server.connection();
    await redis.request();
    redis.send('-NOAUTH HELLO must be called\r\n');
    expect(await acquired).toMatchObject({
      failure: { kind: 'refused', reason: 'NOAUTH HELLO must be called' },
    });
    await redis.ended();
    await until('gone', () => stats.pinnedConnections === 0);
  });

  it('is refused when the database is', async () => {
    const acquired = acquire({ proto: 3, db: 99, name: '' });
    const redis = await server.connection();
    await redis.requests(2);
    redis.send(`${helloReply({})}-ERR DB index is out of range\r\n`);
    expect(await acquired).toMatchObject({ failure: { kind: 'refused' } });
  });

  it('fails as unsent when the first connection dies before it is set up', async () => {
    const acquired = acquire();
    const redis = await server.connection();
    await redis.request();
    redis.reset();
    expect(await acquired).toMatchObject({ failure: { kind: 'unsent' } });
  });

  it('fails in bounded time when nobody answers', async () => {
    const acquired = acquire();
    const redis = await server.connection();
    await redis.request();
    clock.advance(5000);
    pool.tick(clock.now());
    expect(await acquired).toMatchObject({ failure: { kind: 'unsent', reason: 'no reply within 1000 ms' } });
  });
});

describe('release', () => {
  it('cleans a connection that may have kept something, before anybody else gets it', async () => {
    const { pinned, redis } = await open();
    pool.release(pinned, false);
    expect(stats.pinnedIdle).toBe(0);
    expect(await redis.requests(2)).toEqual(['RESET', 'HELLO 3']);
    redis.send(`+RESET\r\n${helloReply({ id: 12 })}`);
    await until('idle', () => stats.pinnedIdle === 1);
    expect(await acquire()).toEqual({ pinned });
  });

  it('drops a connection on which something else came before the reply to RESET', async () => {
    const { pinned, redis } = await open();
    pinned.connection.takesAll = true;
    pool.release(pinned, false);
    await redis.requests(2);
    redis.send(`+1700000000.1 [0 127.0.0.1:1] "get" "k"\r\n+RESET\r\n${helloReply({})}`);
    await redis.ended();
    expect(stats).toMatchObject({ pinnedIdle: 0, pinnedConnections: 0 });
  });

  it('drops a connection whose server does not know RESET', async () => {
    const { pinned, redis } = await open();
    pool.release(pinned, false);
    await redis.requests(2);
    redis.send(`-ERR unknown command 'RESET'\r\n${helloReply({})}`);
    await redis.ended();
  });

  it('cleans a connection that still owes a reply, although nothing is left on it', async () => {
    const { pinned, redis } = await open();
    const bytes = encodeRequest(['GET', 'k']);
    let late = '';
    pinned.submit(new OwnCall((reply) => (late = String(reply))), bytes, 0, bytes.length);
    pool.release(pinned, true);
    expect(await redis.requests(3)).toEqual(['GET k', 'RESET', 'HELLO 3']);
    redis.send(`+late\r\n+RESET\r\n${helloReply({})}`);
    await until('idle', () => stats.pinnedIdle === 1);
    expect(late).toBe('+late\r\n');
  });

  it('does not tell the last holder of what happens to the connection later', async () => {
    const { pinned, redis } = await open();
    pool.release(pinned, true);
    redis.reset();
    await until('gone', () => stats.pinnedConnections === 0);
    expect(losses).toEqual([]);
    expect(stats.pinnedIdle).toBe(0);
  });
});

describe('tick', () => {
  it('closes connections that nobody held for long', async () => {
    const { pinned, redis } = await open();
    pool.release(pinned, true);
    clock.advance(30_000);
    pool.tick(clock.now());
    expect(stats.pinnedIdle).toBe(1);
    clock.advance(1);
    pool.tick(clock.now());
    await redis.ended();
    expect(stats).toMatchObject({ pinnedIdle: 0, pinnedConnections: 0 });
  });

  it('keeps more idle ones than the limit for a moment only', async () => {
    const connections = [await open(), await open(), await open()];
    for (const { pinned } of connections) pool.release(pinned, true);
    pool.tick(clock.now());
    expect(stats.pinnedIdle).toBe(3);
    clock.advance(1001);
    pool.tick(clock.now());
    expect(stats.pinnedIdle).toBe(2);
    await connections[0]?.redis.ended();
  });

  it('ends a held connection that does not answer, and tells its holder', async () => {
    const { pinned, redis } = await open();
    const heard: unknown[] = [];
    const bytes = encodeRequest(['GET', 'k']);
    const call = new OwnCall((_reply, failure) => heard.push(failure?.kind), 100);
    pinned.submit(call, bytes, 0, bytes.length);
    await redis.request();
    clock.advance(6001);
    pool.tick(clock.now());
    expect(heard).toEqual(['timeout']);
    await until('lost', () => losses.length === 1);
    expect(losses).toEqual(['no answer from Redis']);
  });

  it('leaves a command alone that may block for ever', async () => {
    const { pinned, redis } = await open();
    const bytes = encodeRequest(['BLPOP', 'q', '0']);
    pinned.submit(new OwnCall(() => {}), bytes, 0, bytes.length);
    await redis.request();
    clock.advance(10_000_000);
    pool.tick(clock.now());
    expect(pinned.isGone).toBe(false);
    expect(losses).toEqual([]);
  });
});

it('tells its holder when a connection is lost', async () => {
  const { redis } = await open();
  redis.reset();
  await until('lost', () => losses.length === 1);
  expect(losses).toEqual(['read ECONNRESET']);
  expect(stats.pinnedConnections).toBe(0);
});
