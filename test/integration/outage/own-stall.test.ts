// What Redis says while nearcache itself stands still, for want of CPU time, is not read: that is no silence of Redis.
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';

import { startNearcache } from '../../../src/drill/servers/nearcache-process.ts';
import { readMetric } from '../../../src/drill/servers/read-metrics.ts';
import { connectRaw } from '../../support/raw-client.ts';
import { startRedis } from '../../support/redis-server.ts';
import { say } from '../../support/sidecar.ts';

const TIMES = 12;
/** Over --breaker-slow-call. */
const STILL_MS = 700;

test('a nearcache that stood still for longer than a slow call does not open the breaker', async () => {
  const redis = await startRedis();
  const flags = ['--breaker-slow-call', '500ms', '--command-timeout', '2s', '--cache-size', '0'];
  const nearcache = await startNearcache({ upstream: redis.port, flags });
  const app = await connectRaw(nearcache);
  const replies = new Set<string>();
  try {
    await say(app, 'SET', 'key', 'value');
    for (let i = 0; i < TIMES; i++) {
      const over = new AbortController();
      const asking = (async (): Promise<void> => {
        while (!over.signal.aborted) replies.add(await say(app, 'GET', 'key'));
      })();
      await delay(30);
      process.kill(nearcache.pid, 'SIGSTOP');
      await delay(STILL_MS);
      process.kill(nearcache.pid, 'SIGCONT');
      await delay(300);
      over.abort();
      await asking;
    }
    expect([...replies]).toEqual(['value']);
    expect(await readMetric(nearcache, 'nearcache_shard_breaker_trips_total')).toBe(0);
  } finally {
    process.kill(nearcache.pid, 'SIGCONT');
    app.close();
    await nearcache.kill();
    await redis.stop();
  }
});
