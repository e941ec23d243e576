// Another server takes the place of a primary that died: until it is known, what was good before is served; from then on, only what it has.
import { expect, test } from 'vitest';

import { callRedis } from '../../../src/drill/servers/redis-call.ts';
import { readMetric } from '../../../src/drill/servers/read-metrics.ts';
import { slotOf } from '../../../src/route/hash-slot.ts';
import { type Nearcache, startNearcache } from '../../../src/drill/servers/nearcache-process.ts';
import { QUICK_FLAGS } from '../../support/outage-stage.ts';
import { connectRaw, type RawClient } from '../../support/raw-client.ts';
import { startCluster } from '../../support/redis-cluster.ts';
import { startSentinels } from '../../support/redis-sentinel.ts';
import { eventually, say, until } from '../../support/sidecar.ts';

interface Primary {
  readonly host: string;
  readonly port: number;
}

/** A key's primary, and who comes after it. */
interface Failing {
  readonly upstream: string;
  /** It is gone when this is resolved. */
  kill(): Promise<void>;
  /** The one that has its place. */
  heir(): Promise<Primary>;
  /** It comes back, as a replica. */
  revive(): Promise<void>;
  stop(): Promise<void>;
}

const KEY = '{k}hot';
const SLOT_NEIGHBOUR = '{k}x';

async function sentinels(): Promise<Failing> {
  const set = await startSentinels();
  const old = await set.primary();
  return {
    upstream: set.url,
    kill: () => old.kill('SIGKILL'),
    heir: () => set.switchedFrom(old),
    revive: () => old.restart(),
    stop: () => set.stop(),
  };
}

async function cluster(): Promise<Failing> {
  const nodes = await startCluster({ replicas: 1 });
  const slot = slotOf(Buffer.from('k'), 0, 1);
  const old = await nodes.ownerOf(slot);
  const { port } = old;
  return {
    upstream: nodes.url,
    kill: () => nodes.kill9(old),
    async heir() {
      // While none has it, there is no owner to name.
      return eventually('another owns the slot', async () => {
        const owner = await nodes.ownerOf(slot).catch(() => undefined);
        return owner === undefined || owner.port === port
          ? undefined
          : { host: '127.0.0.1', port: owner.port };
      });
    },
    revive: () => nodes.restart(old),
    stop: () => nodes.stop(),
  };
}

async function warm(nearcache: Nearcache, app: RawClient): Promise<void> {
  await until('it is cached', async () => {
    await app.call('GET', KEY);
    const before = await readMetric(nearcache, 'nearcache_cache_hits_total');
    await app.call('GET', KEY);
    return (await readMetric(nearcache, 'nearcache_cache_hits_total')) > before;
  });
}

test.each([
  ['Sentinels', sentinels],
  ['a Cluster', cluster],
])(
  '%s: stale until the heir is known, and never after',
  async (_, start) => {
    const failing = await start();
    const nearcache = await startNearcache({
      upstream: failing.upstream,
      flags: `${QUICK_FLAGS} --topology-refresh 200ms --canary-interval 0`.split(' '),
    });
    const app = await connectRaw(nearcache);
    await until('a write passes', async () => (await say(app, 'SET', KEY, 'old')) === '+OK');
    await warm(nearcache, app);
    await failing.kill();
    await until('it is stale', async () => {
      expect(await say(app, 'GET', KEY)).toBe('old');
      return (await readMetric(nearcache, 'nearcache_stale_served_total')) > 0;
    });
    const heir = await failing.heir();
    // What is written there is more than nearcache can know before it has a link to it.
    await until('it takes writes', async () => (await callRedis(heir, ['SET', KEY, 'new'])) === 'OK');
    await until('a write passes', async () => (await say(app, 'SET', SLOT_NEIGHBOUR, '1')) === '+OK');
    for (let i = 0; i < 20; i++) expect(await say(app, 'GET', KEY)).toBe('new');
    await failing.revive();
    const end = performance.now() + 1500;
    while (performance.now() < end) expect(await say(app, 'GET', KEY)).toBe('new');
    app.close();
    await nearcache.kill();
    await failing.stop();
  },
  120_000,
);
