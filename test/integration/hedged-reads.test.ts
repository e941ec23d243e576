// --hedge-reads: a read for which the primary takes longer than usual is asked of a replica too.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { eventually } from '../../src/drill/servers/eventually.ts';
import { startNearcache, type Nearcache } from '../../src/drill/servers/nearcache-process.ts';
import { readMetric } from '../../src/drill/servers/read-metrics.ts';
import { callRedis } from '../../src/drill/servers/redis-call.ts';
import { startRelay, type Relay } from '../../src/drill/servers/relay.ts';
import { connectRaw, type RawClient } from '../support/raw-client.ts';
import { replicasUp, ReplicatedShard } from '../support/replicated-shard.ts';
import { say } from '../support/sidecar.ts';

/** Longer than a test may take: whoever waits for the primary is seen. */
const FLAGS = ['--canary-interval', '0', '--max-staleness', '60s', '--command-timeout', '60s'];
/** As many as make a picture of what is usual. */
const READS = 64;

describe('A read for which the primary takes long', () => {
  let shard: ReplicatedShard;
  let relay: Relay;
  let nearcache: Nearcache;
  let app: RawClient;

  beforeAll(async () => {
    shard = await ReplicatedShard.start();
    relay = await startRelay(shard.primary.port);
    nearcache = await startNearcache({
      upstream: shard.url(relay.port),
      flags: ['--hedge-reads', 'on', ...FLAGS],
    });
    await replicasUp(nearcache, 1);
    app = await connectRaw({ port: nearcache.port });
    await callRedis(shard.primary, ['MSET', 'slow', 'value', 'other', 'else']);
    await shard.caughtUp();
    for (let i = 0; i < READS; i++) await say(app, 'GET', `nothing:${i}`);
  });

  afterAll(async () => {
    app.close();
    await nearcache.kill();
    await relay.stop();
    await shard.stop();
  });

  it('is answered by a replica, and what the primary says later is kept', async () => {
    expect(await readMetric(nearcache, 'nearcache_shard_hedged_reads_won_total')).toBe(0);
    relay.pause('down');
    expect(await say(app, 'GET', 'slow')).toBe('value');
    expect(await readMetric(nearcache, 'nearcache_shard_hedged_reads_won_total')).toBe(1);
    const filled = await readMetric(nearcache, 'nearcache_cache_fills_total');
    relay.resume('down');
    await eventually('the reply of the primary fills', async () =>
      (await readMetric(nearcache, 'nearcache_cache_fills_total')) > filled ? true : undefined,
    );
    expect(await say(app, 'GET', 'slow')).toBe('value');
  });

  it('is not, when it is a write', async () => {
    relay.pause('down');
    const reply = say(app, 'SET', 'other', 'new');
    const first = await Promise.race([
      reply,
      new Promise((resolve) => setTimeout(() => resolve('waits'), 300)),
    ]);
    expect(first).toBe('waits');
    relay.resume('down');
    expect(await reply).toBe('+OK');
  });
});
