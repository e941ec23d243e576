// readPreference: reads go to the replicas of a shard when nothing stands against it, and what they answer is never kept.
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import { eventually } from '../../src/drill/servers/eventually.ts';
import { readMetric, readMetrics } from '../../src/drill/servers/read-metrics.ts';
import { startNearcache, type Nearcache } from '../../src/drill/servers/nearcache-process.ts';
import { connectRaw, encodeRequest, type RawClient } from '../support/raw-client.ts';
import { callRedis } from '../../src/drill/servers/redis-call.ts';
import { startRelay } from '../../src/drill/servers/relay.ts';
import { replicasUp, ReplicatedShard, runsAt } from '../support/replicated-shard.ts';
import { say, text } from '../support/sidecar.ts';

/** A replica whose heartbeat a busy machine makes late is not read from for a moment, which these tests would notice. */
const CALM = ['--canary-interval', '0', '--max-staleness', '3s'];
const PREFER_REPLICAS = ['--policy', 'prefix=r:;readPreference=replica', ...CALM];

let shard: ReplicatedShard;
let nearcache: Nearcache;
const apps: RawClient[] = [];

beforeAll(async () => {
  shard = await ReplicatedShard.start();
  nearcache = await startNearcache({ upstream: shard.url(), flags: PREFER_REPLICAS });
});

afterAll(async () => {
  await nearcache.stop();
  await shard.stop();
});

afterEach(async () => {
  for (const app of apps.splice(0)) app.close();
  shard.feed.resume();
  await callRedis(shard.primary, ['FLUSHALL']);
  await shard.caughtUp();
  await replicasUp(nearcache, 1);
});

async function connected(to: { port: number } = nearcache): Promise<RawClient> {
  const app = await connectRaw({ port: to.port });
  apps.push(app);
  return app;
}

/** Several commands in one packet. */
async function together(app: RawClient, ...commands: readonly (readonly string[])[]): Promise<string[]> {
  app.send(Buffer.concat(commands.map((command) => encodeRequest(command))));
  return (await app.readFrames(commands.length)).map(text);
}

/** The primary has `newer`, the replica still `older`. */
async function lag(key: string, older: string, newer: string): Promise<void> {
  await callRedis(shard.primary, ['SET', key, older]);
  await shard.caughtUp();
  shard.feed.pause('down');
  await callRedis(shard.primary, ['SET', key, newer]);
}

describe('reads under a policy that prefers replicas', () => {
  it('are answered by the replica, and nothing of it is kept', async () => {
    const app = await connected();
    await lag('r:k', 'older', 'newer');
    const before = await runsAt(shard.primary, 'get');
    for (let i = 0; i < 5; i++) expect(await say(app, 'GET', 'r:k')).toBe('older');
    expect(await runsAt(shard.primary, 'get')).toBe(before);
    const metrics = await readMetrics(nearcache);
    expect(metrics.get('nearcache_cache_entries')).toBe(0);
    expect(metrics.get('nearcache_cache_fills_total')).toBe(0);
    expect(metrics.get('nearcache_replica_reads_total')).toBeGreaterThanOrEqual(5);
    expect(metrics.get('nearcache_cache_bypasses_total{reason="replica"}')).toBeGreaterThanOrEqual(5);
  });

  it('go to the primary under any other policy', async () => {
    const app = await connected();
    await lag('other', 'older', 'newer');
    expect(await say(app, 'GET', 'other')).toBe('newer');
    expect(await say(app, 'MGET', 'r:k', 'other')).toContain('newer');
  });

  it('go behind an unanswered write of their session', async () => {
    const app = await connected();
    await lag('r:k', 'older', 'newer');
    expect(await together(app, ['SET', 'another', 'key'], ['STRLEN', 'r:k'], ['GET', 'r:k'])).toEqual([
      '+OK',
      ':5',
      'newer',
    ]);
    expect(await together(app, ['SET', 'r:k', 'newest'], ['GET', 'r:k'])).toEqual(['+OK', 'newest']);
  });

  it('let a write of their session wait for them', async () => {
    const app = await connected();
    await lag('r:k', 'older', 'newer');
    const replies = await together(app, ['GET', 'r:k'], ['GET', 'r:k'], ['SET', 'r:k', '1'], ['INCR', 'r:k']);
    expect(replies).toEqual(['older', 'older', '+OK', ':2']);
  });

  it('are answered from the near-cache when the primary has filled it', async () => {
    const app = await connected();
    await lag('r:k', 'older', 'newer');
    await together(app, ['SET', 'r:k', 'newest'], ['GET', 'r:k']);
    expect(await together(app, ['GET', 'r:k'], ['GET', 'r:k'])).toEqual(['newest', 'newest']);
  });

  it('go to the primary while another session writes the key', async () => {
    const [app, writer] = [await connected(), await connected()];
    await callRedis(shard.primary, ['SET', 'r:k', 'v']);
    await shard.caughtUp();
    await callRedis(shard.primary, ['CLIENT', 'PAUSE', '10000', 'WRITE']);
    writer.request(['SET', 'r:k', 'w']);
    await eventually('the write waits', async () =>
      String(await callRedis(shard.primary, ['INFO', 'clients'])).includes('blocked_clients:1')
        ? true
        : undefined,
    );
    app.request(['GET', 'r:k']);
    await eventually('the read waits behind it', async () =>
      (await readMetric(nearcache, 'nearcache_shard_in_flight_commands')) >= 2 ? true : undefined,
    );
    await callRedis(shard.primary, ['CLIENT', 'UNPAUSE']);
    expect(text(await app.readFrame())).toBe('w');
    expect(text(await writer.readFrame())).toBe('+OK');
  });

  it('go to the primary when a cursor or the order of eviction is its own', async () => {
    const app = await connected();
    const before = await readMetric(nearcache, 'nearcache_replica_reads_total');
    for (const command of [
      ['HSCAN', 'r:h', '0'],
      ['TOUCH', 'r:h'],
      ['EVAL_RO', 'return 1', '1', 'r:h'],
    ]) {
      await app.call(...command);
    }
    expect(await readMetric(nearcache, 'nearcache_replica_reads_total')).toBe(before);
  });

  it.each([2, 3])('answer in RESP%i as the primary does, errors too', async (proto) => {
    const [app, direct] = [await connected(), await connected(shard.primary)];
    await Promise.all([app, direct].map((client) => client.call('HELLO', String(proto))));
    await direct.call('HSET', 'r:h', 'a', '1', 'b', '2');
    await direct.call('ZADD', 'r:z', '1.5', 'a', '2', 'b');
    await direct.call('SADD', 'r:s', '1', '2', '3');
    await direct.call('SET', 'r:big', 'x'.repeat(300_000));
    await shard.caughtUp();
    const before = await readMetric(nearcache, 'nearcache_replica_reads_total');
    const reads = [
      ['HGETALL', 'r:h'],
      ['ZRANGE', 'r:z', '0', '-1', 'WITHSCORES'],
      ['ZSCORE', 'r:z', 'a'],
      ['SMEMBERS', 'r:s'],
      ['SINTER', 'r:s', 'r:s'],
      ['GET', 'r:none'],
      ['MGET', 'r:none', 'r:big'],
      ['GET', 'r:big'],
      ['OBJECT', 'ENCODING', 'r:s'],
      ['GET', 'r:h'],
      ['GETRANGE', 'r:h'],
    ];
    for (const read of reads) expect(await app.call(...read)).toEqual(await direct.call(...read));
    expect(await readMetric(nearcache, 'nearcache_replica_reads_total')).toBe(before + reads.length);
  });

  it('find the database of their session', async () => {
    const app = await connected();
    await together(app, ['SELECT', '3'], ['SET', 'r:k', 'three']);
    await shard.caughtUp();
    shard.feed.pause('down');
    await callRedis(shard.primary, ['FLUSHALL']);
    expect(await say(app, 'GET', 'r:k')).toBe('three');
    await app.call('SELECT', '0');
    expect(await say(app, 'GET', 'r:k')).toBe('nil');
  });
});

describe('a replica that fails', () => {
  it('loses no read: the primary is asked what it was asked', async () => {
    const app = await connected();
    await callRedis(shard.primary, ['SET', 'r:k', 'v']);
    await shard.caughtUp();
    await replicasUp(nearcache, 1);
    await shard.replica.kill('SIGSTOP');
    const before = await readMetric(nearcache, 'nearcache_replica_reads_total');
    const replies = together(app, ['GET', 'r:k'], ['GET', 'r:none'], ['SET', 'r:k', 'w'], ['GET', 'r:k']);
    await eventually('both wait at the replica', async () =>
      (await readMetric(nearcache, 'nearcache_replica_reads_total')) === before + 2 ? true : undefined,
    );
    await shard.replica.kill('SIGKILL');
    expect(await replies).toEqual(['v', 'nil', '+OK', 'w']);
    expect(await readMetric(nearcache, 'nearcache_replica_reads_retried_total')).toBeGreaterThanOrEqual(2);
    await replicasUp(nearcache, 0);
    expect(await together(app, ['GET', 'r:k'], ['GET', 'r:k'])).toEqual(['w', 'w']);
    await shard.replica.restart();
  });

  it('is not heard when it answers an error: the primary is asked', async () => {
    const app = await connected();
    await lag('r:k', 'older', 'newer');
    await callRedis(shard.replica, ['ACL', 'SETUSER', 'default', '-get']);
    const before = await readMetric(nearcache, 'nearcache_replica_reads_retried_total');
    expect(await together(app, ['GET', 'r:k'], ['STRLEN', 'r:k'], ['GET', 'r:k'])).toEqual([
      'newer',
      ':5',
      'newer',
    ]);
    expect(await readMetric(nearcache, 'nearcache_replica_reads_retried_total')).toBe(before + 2);
    await callRedis(shard.replica, ['ACL', 'SETUSER', 'default', '+get']);
  });

  it('is not read from while it does not answer', async () => {
    const app = await connected();
    await callRedis(shard.primary, ['SET', 'r:k', 'v']);
    await shard.replica.kill('SIGSTOP');
    await replicasUp(nearcache, 0);
    expect(await say(app, 'GET', 'r:k')).toBe('v');
    await shard.replica.kill('SIGCONT');
  });

  it('is not read from while it is cut off from its primary', async () => {
    const app = await connected();
    await lag('r:k', 'older', 'newer');
    expect(await say(app, 'GET', 'r:k')).toBe('older');
    shard.feed.pause();
    shard.feed.cut();
    await replicasUp(nearcache, 0);
    expect(await say(app, 'GET', 'r:k')).toBe('newer');
  });

  it('is not read from once it is a primary itself', async () => {
    const app = await connected();
    await callRedis(shard.primary, ['SET', 'r:k', 'v']);
    await callRedis(shard.replica, ['REPLICAOF', 'NO', 'ONE']);
    await callRedis(shard.replica, ['SET', 'r:k', 'of another history']);
    await replicasUp(nearcache, 0);
    expect(await say(app, 'GET', 'r:k')).toBe('v');
    await callRedis(shard.replica, ['REPLICAOF', '127.0.0.1', shard.feed.port]);
  });

  it('answers reads while the primary is down', async () => {
    const relay = await startRelay(shard.primary.port);
    const other = await startNearcache({ upstream: shard.url(relay.port), flags: PREFER_REPLICAS });
    const app = await connected(other);
    await callRedis(shard.primary, ['SET', 'r:k', 'v']);
    await shard.caughtUp();
    await replicasUp(other, 1);
    await relay.stop();
    expect(await say(app, 'GET', 'r:k')).toBe('v');
    expect(await say(app, 'SET', 'r:k', 'w')).toMatch(/^-ERR nearcache: /);
    await other.stop();
  });
});

describe('the nearest server', () => {
  it.each([
    { slow: 'primary', answer: 'older' },
    { slow: 'replica', answer: 'newer' },
  ])('is the other one when the $slow is far away', async ({ slow, answer }) => {
    const relay = await startRelay(shard[slow as 'primary' | 'replica'].port, { delayMs: 60 });
    const url = slow === 'primary' ? shard.url(relay.port) : shard.url(undefined, relay.port);
    const other = await startNearcache({
      upstream: url,
      flags: ['--policy', 'prefix=n:;readPreference=nearest;cache=off', ...CALM],
    });
    const app = await connected(other);
    await lag('n:k', 'older', 'newer');
    await replicasUp(other, 1);
    await eventually('heartbeats have been compared', async () => {
      const before = await runsAt(shard.primary, 'get');
      const reply = await say(app, 'GET', 'n:k');
      const isAtPrimary = (await runsAt(shard.primary, 'get')) > before;
      expect(reply).toBe(isAtPrimary ? 'newer' : 'older');
      return reply === answer ? true : undefined;
    });
    for (let i = 0; i < 20; i++) expect(await say(app, 'GET', 'n:k')).toBe(answer);
    await other.stop();
    await relay.stop();
  });
});
