// Where the replicas of a shard come from: the configuration, Sentinels, or the nodes of a Cluster.
import { afterEach, describe, expect, it } from 'vitest';

import { eventually } from '../../src/drill/servers/eventually.ts';
import { readMetric, readMetrics } from '../../src/drill/servers/read-metrics.ts';
import { startNearcache, type Nearcache } from '../../src/drill/servers/nearcache-process.ts';
import { connectRaw, encodeRequest, type RawClient } from '../support/raw-client.ts';
import { startCluster } from '../support/redis-cluster.ts';
import { startSentinels } from '../support/redis-sentinel.ts';
import { replicasUp, ReplicatedShard, runsAt } from '../support/replicated-shard.ts';
import { text } from '../support/sidecar.ts';

/** A replica whose heartbeat a busy machine makes late is not read from for a moment, which these tests would notice. */
const FLAGS = ['--read-preference', 'replica', '--canary-interval', '0', '--max-staleness', '3s'];
/** Unlike one another, since the default hash leaves likes together. */
const KEYS = Array.from({ length: 60 }, (_, i) => `${(i * 2_654_435_761) % 4_294_967_296}`);
const [KEY = ''] = KEYS;

const ends: (() => Promise<unknown> | void)[] = [];

afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});

/** A nearcache that reads from replicas, and a client of it. */
async function start(upstream: string): Promise<{ nearcache: Nearcache; app: RawClient }> {
  const nearcache = await startNearcache({ upstream, flags: FLAGS });
  ends.push(() => nearcache.stop());
  const app = await connectRaw({ port: nearcache.port });
  ends.push(() => app.close());
  return { nearcache, app };
}

async function setAll(app: RawClient, value: string): Promise<void> {
  app.send(Buffer.concat(KEYS.map((key) => encodeRequest(['SET', key, value]))));
  for (const reply of await app.readFrames(KEYS.length)) expect(text(reply)).toBe('+OK');
}

/** By a command that nearcache itself never sends. */
async function getAll(app: RawClient): Promise<string[]> {
  app.send(Buffer.concat(KEYS.map((key) => encodeRequest(['GETRANGE', key, '0', '-1']))));
  return (await app.readFrames(KEYS.length)).map(text);
}

/** Replicas follow within milliseconds here, but when is theirs to say. */
async function allAre(app: RawClient, value: string): Promise<void> {
  await eventually(`all keys are ${value}`, async () =>
    (await getAll(app)).every((reply) => reply === value) ? true : undefined,
  );
}

describe('reads from replicas', () => {
  it('are spread over a ring as its keys are', async () => {
    const shards = [await ReplicatedShard.start(), await ReplicatedShard.start()];
    for (const shard of shards) ends.push(() => shard.stop());
    const { nearcache, app } = await start(shards.map((shard) => shard.url()).join(','));
    await replicasUp(nearcache, 2);
    await setAll(app, 'v');
    await allAre(app, 'v');
    for (const shard of shards) {
      expect(await runsAt(shard.primary, 'getrange')).toBe(0);
      expect(await runsAt(shard.replica, 'getrange')).toBeGreaterThan(0);
      expect(await runsAt(shard.primary, 'set')).toBeGreaterThan(0);
    }
    // Keys of several shards in one command are read from the primaries, and may be kept.
    app.request(['MGET', ...KEYS]);
    expect(text(await app.readFrame()).match(/v/g)).toHaveLength(KEYS.length);
    for (const shard of shards) expect(await runsAt(shard.primary, 'mget')).toBe(1);
    await shards[0]?.replica.stop();
    expect(await getAll(app)).toEqual(KEYS.map(() => 'v'));
  });

  it('follow what Sentinels say, through a failover', async () => {
    const set = await startSentinels({ replicas: 2 });
    ends.push(() => set.stop());
    const { nearcache, app } = await start(set.url);
    await replicasUp(nearcache, 2);
    await setAll(app, 'v');
    await allAre(app, 'v');
    expect(await runsAt(await set.primary(), 'getrange')).toBe(0);
    await set.failover();
    await replicasUp(nearcache, 2);
    await eventually('writes are accepted', async () => {
      app.request(['SET', KEY, 'v']);
      return text(await app.readFrame()) === '+OK' ? true : undefined;
    });
    await setAll(app, 'w');
    await allAre(app, 'w');
    expect(await readMetric(nearcache, 'nearcache_cache_entries')).toBe(0);
  });

  it('follow the nodes of a Cluster, through a failover and a slot that moves', async () => {
    const cluster = await startCluster({ replicas: 1 });
    ends.push(() => cluster.stop());
    const { nearcache, app } = await start(cluster.url);
    await replicasUp(nearcache, 3);
    await setAll(app, 'v');
    await allAre(app, 'v');
    for (const primary of await cluster.primaries()) expect(await runsAt(primary, 'getrange')).toBe(0);
    const metrics = await readMetrics(nearcache);
    expect(metrics.get('nearcache_cache_entries')).toBe(0);
    expect(metrics.get('nearcache_replica_reads_retried_total')).toBe(0);

    const [first, second] = (await cluster.primaries()) as [never, never];
    const slot = Number(await callSlot(app));
    const from = await cluster.ownerOf(slot);
    await cluster.moveSlot(slot, from, from === first ? second : first);
    // For a moment a replica may not know that it has lost keys; an error is never heard.
    expect((await getAll(app)).filter((reply) => reply !== 'v' && reply !== 'nil')).toEqual([]);
    await allAre(app, 'v');

    const [replica] = await cluster.replicasOf(first);
    await cluster.failover(replica as never);
    await replicasUp(nearcache, 3);
    expect(await getAll(app)).toEqual(KEYS.map(() => 'v'));
    await setAll(app, 'w');
    await allAre(app, 'w');
  });
});

async function callSlot(app: RawClient): Promise<string> {
  return text(await app.call('CLUSTER', 'KEYSLOT', KEY)).slice(1);
}
