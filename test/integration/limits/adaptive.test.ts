// --adaptive-limit: what may be in flight to a shard follows from how long its answers take.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { eventually } from '../../../src/drill/servers/eventually.ts';
import { startNearcache, type Nearcache } from '../../../src/drill/servers/nearcache-process.ts';
import { readMetric } from '../../../src/drill/servers/read-metrics.ts';
import { type RedisServer } from '../../../src/drill/servers/redis-backend.ts';
import { startRelay, type Relay } from '../../../src/drill/servers/relay.ts';
import { connectRaw, encodeRequest, type RawClient } from '../../support/raw-client.ts';
import { startRedis } from '../../support/redis-server.ts';

const LIMIT = 'nearcache_shard_in_flight_limit_commands';
const BATCH = 400;

describe('A shard that gets slower', () => {
  let redis: RedisServer;
  let relay: Relay;
  let nearcache: Nearcache;
  let app: RawClient;

  beforeAll(async () => {
    redis = await startRedis();
    relay = await startRelay(redis.port);
    nearcache = await startNearcache({
      upstream: relay.port,
      flags: ['--adaptive-limit', 'on', '--cache-size', '0', '--canary-interval', '0'],
    });
    app = await connectRaw({ port: nearcache.port });
  });

  afterAll(async () => {
    app.close();
    await nearcache.kill();
    await relay.stop();
    await redis.stop();
  });

  /** So many commands at once; how many were refused because too much is in flight. */
  async function ask(count: number): Promise<number> {
    app.send(Buffer.concat(Array.from({ length: count }, (_, i) => encodeRequest(['GET', `k${i}`]))));
    const frames = await app.readFrames(count);
    return frames.filter((frame) => frame.includes('in flight, the limit')).length;
  }

  it('is sent less at a time, and the rest is refused with a clear error', async () => {
    for (let i = 0; i < 20; i++) await ask(5);
    expect(await readMetric(nearcache, LIMIT)).toBeGreaterThan(500);
    relay.delayMs = 100;
    const refused = await eventually('commands are refused', async () => {
      const count = await ask(BATCH);
      return count > 0 ? count : undefined;
    });
    expect(refused).toBeLessThan(BATCH);
    expect(await readMetric(nearcache, LIMIT)).toBeLessThan(BATCH);
  });

  it('is sent more again when it has recovered', async () => {
    relay.delayMs = 0;
    await eventually('nothing is refused', async () => {
      for (let i = 0; i < 10; i++) await ask(5);
      return (await ask(BATCH)) === 0 ? true : undefined;
    });
  });
});
