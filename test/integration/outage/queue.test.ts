// A Redis that takes no more, or warms up slowly: nobody waits for longer than --queue-timeout.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { type Nearcache, startNearcache } from '../../../src/drill/servers/nearcache-process.ts';
import { QUICK_FLAGS, useOutages } from '../../support/outage-stage.ts';
import { connectRaw, encodeRequest, type RawClient } from '../../support/raw-client.ts';
import { type RedisServer, startRedis } from '../../support/redis-server.ts';
import { say, text, until } from '../../support/sidecar.ts';

const TOOK_NO_MORE =
  /^-ERR nearcache: shard \S+ took no more commands for 300 ms; the command was not sent, try again$/;

describe('a Redis that takes no more', () => {
  const VALUE = Buffer.alloc(256 * 1024, 'v');
  let redis: RedisServer;
  let nearcache: Nearcache;
  const open: RawClient[] = [];

  beforeAll(async () => {
    redis = await startRedis();
    // Nothing else tells that it is away.
    const flags =
      '--queue-timeout 300ms --breaker off --command-timeout 1m --link-dead-timeout 5m --stale-if-error 0';
    nearcache = await startNearcache({ upstream: redis.port, flags: flags.split(' ') });
  });
  afterAll(async () => {
    for (const client of open) client.close();
    await nearcache.kill();
    await redis.stop();
  });

  test('has commands refused after the queue time-out, and gets those that it has taken', async () => {
    const connect = async (): Promise<RawClient> => {
      const client = await connectRaw(nearcache);
      open.push(client);
      return client;
    };
    const app = await connect();
    await say(app, 'SET', 'small', '1');
    await redis.kill('SIGSTOP');
    // Much more than sockets and nearcache together hold back.
    const writers = await Promise.all([1, 2, 3, 4, 5, 6].map(connect));
    for (const [i, writer] of writers.entries()) {
      for (let j = 0; j < 20; j++) writer.send(encodeRequest(['SET', `big${i}`, VALUE]));
    }
    await until('a write is refused', async () => {
      const client = await connect();
      client.request(['SET', 'small', '2']);
      // What still fits waits for its reply with the link.
      const reply = await client.readFrame(2000).catch(() => Buffer.from('waits'));
      return TOOK_NO_MORE.test(text(reply));
    });
    // Known to be full, it is not waited for again: each that waits takes 300 ms at least.
    await until('a read is refused at once', async () => {
      const start = performance.now();
      expect(await say(app, 'GET', 'small')).toMatch(TOOK_NO_MORE);
      return performance.now() - start < 250;
    });
    await redis.kill('SIGCONT');
    let taken = 0;
    for (const writer of writers) {
      const replies = (await writer.readFrames(20)).map(text);
      for (const reply of replies)
        expect(reply).toMatch(/^(\+OK|-ERR nearcache: shard \S+ took no more .*)$/);
      taken += replies.filter((reply) => reply === '+OK').length;
    }
    expect(taken).toBeGreaterThan(0);
    await until('commands pass again', async () => (await say(app, 'SET', 'small', '3')) === '+OK');
  });
});

describe('a Redis that warms up', () => {
  const stage = useOutages({
    flags: `${QUICK_FLAGS} --recovery-rate 5 --recovery-ramp 20s --queue-timeout 300ms --policy prefix=open:;whenAway=miss`,
  });

  test('has reads refused that wait for too long, or missed by policy', async () => {
    const apps = await Promise.all(Array.from({ length: 60 }, () => stage.app()));
    await stage.away('SIGKILL');
    await stage.sidecar.redis.restart();
    const writer = await stage.app();
    await until('Redis is back', async () => (await say(writer, 'SET', 'x', '1')) === '+OK');
    for (const [i, app] of apps.entries()) app.request(['GET', i % 2 === 0 ? `k${i}` : `open:k${i}`]);
    const replies = await Promise.all(apps.map(async (app) => text(await app.readFrame())));
    const closed = replies.filter((_, i) => i % 2 === 0);
    expect(closed.filter((reply) => TOOK_NO_MORE.test(reply)).length).toBeGreaterThan(0);
    for (const reply of closed) expect(reply === 'nil' || TOOK_NO_MORE.test(reply), reply).toBe(true);
    for (const reply of replies.filter((_, i) => i % 2 === 1)) expect(reply).toBe('nil');
    expect(await stage.metric('nearcache_shard_ramp_refused_total')).toBeGreaterThan(0);
    expect(await stage.metric('nearcache_misses_served_total')).toBeGreaterThan(0);
  });
});
