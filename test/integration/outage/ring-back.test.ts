// A shard of a ring has two links that come back on their own, one for commands and one for its record of the ring.
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';

import { startNearcache } from '../../../src/drill/servers/nearcache-process.ts';
import { keyOfEach } from '../../support/over-ring.ts';
import { connectRaw } from '../../support/raw-client.ts';
import { startRing } from '../../support/ring-servers.ts';
import { say, until } from '../../support/sidecar.ts';

/** Long enough for the record to be asked for only once in a while. */
const AWAY_MS = 2500;
const AFTER_MS = 1000;
const TIMES = 3;

test('a cached key is answered before, while and after its shard is away, which comes back sooner than its record', async () => {
  const ring = await startRing(3, { args: ['--appendonly', 'yes', '--appendfsync', 'no'] });
  const flags = ['--reconnect-max', '100ms', '--canary-interval', '0'];
  const nearcache = await startNearcache({ upstream: ring.upstream, flags });
  const app = await connectRaw(nearcache);
  try {
    const [, key] = await keyOfEach(nearcache, ring);
    const shard = ring.shards[1];
    const replies = new Set<string>();
    for (let i = 0; i < TIMES; i++) {
      await until('it is cached', async () => (await say(app, 'SET', key, 'value')) === '+OK');
      await say(app, 'GET', key);
      const backAt = performance.now() + AWAY_MS;
      let restarted: Promise<void> | undefined;
      await shard?.server.kill('SIGKILL');
      for (let now = 0; now < backAt + AFTER_MS; now = performance.now()) {
        if (now > backAt) restarted ??= shard?.server.restart();
        replies.add(await say(app, 'GET', key));
        await delay(2);
      }
      await restarted;
    }
    expect([...replies]).toEqual(['value']);
  } finally {
    app.close();
    await nearcache.kill();
    await ring.stop();
  }
});
