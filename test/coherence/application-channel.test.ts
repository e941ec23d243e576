// Writers that Redis does not see tell of their writes over the application channel (coherence spec §8). A message may
// come before the local Redis has the new value; then whoever reads again at once gets, and would keep, the old one.
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { systemClock } from '../../src/base/clock.ts';
import { createLogger } from '../../src/base/log.ts';
import type { NearCache } from '../../src/cache/near-cache.ts';
import { Invalidations } from '../../src/invalidation/invalidations.ts';
import {
  cachedReply,
  landFlight,
  nearCacheOf,
  startFlight,
  trackingGeneration,
} from '../support/near-caches.ts';
import { type RedisServer, startRedis } from '../support/redis-server.ts';
import { request, say, Sidecar, until } from '../support/sidecar.ts';
import { idOf } from '../support/store-entry.ts';

const CHANNEL = 'nearcache:invalidate';
const TRIALS = 60;
const LAG_MIN_MS = 5;
const LAG_MAX_MS = 50;
/** Much longer than the lag, since on a busy machine the write may come later than that. */
const HOLD_OFF_MS = 600;

/** How long after the message of trial i the local Redis has the new value. */
function lagOf(trial: number): number {
  return LAG_MIN_MS + ((LAG_MAX_MS - LAG_MIN_MS) * trial) / (TRIALS - 1);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}

describe('a near-cache whose Redis gets writes later than the channel tells of them, and tells of none itself', () => {
  let redis: RedisServer;
  let client: Redis;

  beforeAll(async () => {
    redis = await startRedis();
    client = new Redis(redis.port);
  });
  afterAll(async () => {
    client.disconnect();
    await redis.stop();
  });

  function listen(cache: NearCache, holdOffMs: number): Invalidations {
    const invalidations = new Invalidations(
      {
        channel: CHANNEL,
        holdOffMs,
        maxStalenessMs: 1000,
        connectTimeoutMs: 1000,
        linkDeadMs: 5000,
        reconnectBaseMs: 5,
        reconnectMaxMs: 50,
        canaryMs: 0,
        canaryKey: '',
      },
      {
        cache,
        clock: systemClock,
        random: Math.random,
        log: createLogger({ level: 'silent', format: 'json' }),
        targets: () => [
          {
            name: 'local',
            address: () => ({ host: redis.host, port: redis.port, tls: undefined }),
            credentials: () => ({ user: undefined, password: undefined }),
          },
        ],
        untracked: () => [],
      },
    );
    invalidations.start();
    return invalidations;
  }

  const generation = trackingGeneration();

  /** As a session reads: from the near-cache if it may, else from Redis, and then it is kept if it may be. */
  async function read(cache: NearCache, key: string): Promise<string> {
    const now = systemClock.now();
    generation.freshAt = now;
    const id = idOf(key);
    const hit = cache.covers(generation, now) ? cachedReply(cache, id, now) : undefined;
    if (hit !== undefined) return hit;
    const flight = startFlight(cache, id, { generation, now });
    const reply = `+${await client.get(key)}\r\n`;
    landFlight(cache, flight, reply, { now: systemClock.now() });
    return reply;
  }
  /** Publish each key, write it only after its lag, and read all the time. Returns how many are old long after. */
  async function oldForEver(holdOffMs: number): Promise<{ old: number; hits: number }> {
    const cache = nearCacheOf();
    const invalidations = listen(cache, holdOffMs);
    const keys = Array.from({ length: TRIALS }, (_, i) => `k${holdOffMs}:${i}`);
    const kept = (key: string): string | undefined => cachedReply(cache, idOf(key), systemClock.now());
    const readAll = (): Promise<unknown> => Promise.all(keys.map((key) => read(cache, key)));
    for (const key of keys) await client.set(key, 'old');
    await until('the near-cache has all', async () => {
      await readAll();
      return keys.every((key) => kept(key) !== undefined);
    });
    const app = { isReading: true };
    const reading = (async (): Promise<void> => {
      while (app.isReading) {
        await readAll();
        await pause(1);
      }
    })();
    await Promise.all(
      keys.map(async (key, i) => {
        const writtenAt = systemClock.now() + lagOf(i);
        await client.publish(CHANNEL, key);
        await until('the message is here', () => invalidations.stats.messages.key > i);
        await read(cache, key);
        await pause(Math.max(0, writtenAt - systemClock.now()));
        await client.set(key, 'new');
      }),
    );
    await pause(3 * HOLD_OFF_MS);
    app.isReading = false;
    await reading;
    const seen = keys.map(kept);
    invalidations.close();
    return {
      old: seen.filter((reply) => reply?.includes('old')).length,
      hits: seen.filter((reply) => reply !== undefined).length,
    };
  }

  test('keeps the old value of every key without a hold-off', async () => {
    expect(await oldForEver(0)).toEqual({ old: TRIALS, hits: TRIALS });
  });

  test('keeps the new value of every key with a hold-off that is longer than the lag', async () => {
    expect(await oldForEver(HOLD_OFF_MS)).toEqual({ old: 0, hits: TRIALS });
  });
});

describe('nearcache before a Redis that swaps its databases, of which it tells nobody', () => {
  const SWAPS = 4;

  async function start(holdOffMs: number): Promise<Sidecar> {
    return Sidecar.start({
      flags: `--invalidation-channel ${CHANNEL} --invalidation-hold-off ${holdOffMs}ms --cache-max-ttl 5m`,
      isGated: false,
    });
  }

  /** Tell first, swap after a while. Returns how often the app saw what was there before, long after. */
  async function oldAfterSwaps(holdOffMs: number, message: string): Promise<number> {
    const sidecar = await start(holdOffMs);
    const { direct } = sidecar;
    await say(direct, 'SET', 'user:1', '0');
    await say(direct, 'SELECT', '1');
    await say(direct, 'SET', 'user:1', '1');
    const app = await sidecar.app();
    let old = 0;
    for (let swap = 1; swap <= SWAPS; swap++) {
      await sidecar.warm(app, 'GET', 'user:1');
      const heard = await sidecar.metric('nearcache_invalidation_messages_total');
      expect(await say(direct, 'PUBLISH', CHANNEL, message)).toBe(':1');
      await until('the message is here', async () => {
        return (await sidecar.metric('nearcache_invalidation_messages_total')) > heard;
      });
      const bypasses = await sidecar.metric('nearcache_cache_bypasses_total{reason="held-off"}');
      const end = performance.now() + lagOf((swap * TRIALS) / SWAPS - 1);
      do await say(app, 'GET', 'user:1');
      while (performance.now() < end);
      const isBypassed =
        (await sidecar.metric('nearcache_cache_bypasses_total{reason="held-off"}')) > bypasses;
      expect(isBypassed).toBe(holdOffMs > 0);
      await say(direct, 'SWAPDB', '0', '1');
      await pause(2 * holdOffMs);
      if ((await sidecar.warm(app, 'GET', 'user:1')) !== String(swap % 2)) {
        old++;
        await say(direct, 'PUBLISH', CHANNEL, message);
        await until(
          'the near-cache has it right',
          async () => (await say(app, 'GET', 'user:1')) === String(swap % 2),
        );
      }
    }
    await sidecar.stop();
    return old;
  }

  test.each([
    ['a key', 'user:1'],
    ['a list', '["other","user:1"]'],
    ['a prefix', '{"v":1,"from":"cdc","seq":1,"prefixes":["user:"]}'],
  ])('serves nothing old after a message with %s', async (_, message) => {
    expect(await oldAfterSwaps(HOLD_OFF_MS, message)).toBe(0);
  });

  test('serves what was there before, when it is told too early and holds nothing off', async () => {
    expect(await oldAfterSwaps(0, 'user:1')).toBe(SWAPS);
  });
});

describe('nearcache whose channel is silent', () => {
  const D = 400;
  /** For a busy machine; until the silent link is given up it takes longer. */
  const SLACK_MS = 1500;

  test('serves no entry after the staleness bound, though Redis itself is there, and does again when it is back', async () => {
    const sidecar = await Sidecar.start({
      flags: `--invalidation-channel ${CHANNEL} --invalidation-hold-off 0 --max-staleness ${D}ms --link-dead-timeout 3s`,
    });
    const app = await sidecar.app();
    await say(sidecar.direct, 'SET', 'k', 'v');
    await sidecar.warm(app, 'GET', 'k');
    const isHit = async (): Promise<boolean> => {
      const before = await sidecar.runs('get');
      expect(await say(app, 'GET', 'k')).toBe('v');
      return (await sidecar.runs('get')) === before;
    };
    // Heartbeats of the link are HELLO.
    sidecar.gate.lose('up', request('ping'));
    const since = performance.now();
    await until('a read goes to Redis', async () => !(await isHit()));
    expect(performance.now() - since).toBeLessThan(D + SLACK_MS);
    expect(await isHit()).toBe(false);
    expect(await sidecar.metric('nearcache_invalidation_link_up')).toBe(0);
    expect(await sidecar.metric('nearcache_cache_state')).toBe(1);
    sidecar.gate.open();
    await until('entries are served', isHit);
    // A machine that stands still for longer than the bound has it down again for a moment.
    await until('the link is up', async () => (await sidecar.metric('nearcache_invalidation_link_up')) === 1);
    await sidecar.stop();
  });
});
