import { Cluster } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { startCluster } from './redis-cluster.ts';
import type { ClusterNode } from '../../src/drill/servers/cluster-node.ts';
import type { RedisCluster } from '../../src/drill/servers/redis-cluster.ts';

/** Slot of the keys with the hash tag {a}. */
const SLOT = 15_495;

let cluster: RedisCluster;

function write(node: ClusterNode, key: string): Promise<unknown> {
  return node.call('SET', key, 'v').catch((error: Error) => error.message);
}

describe('a cluster with replicas', () => {
  let client: Cluster;

  beforeAll(async () => {
    cluster = await startCluster({ primaries: 3, replicas: 1, nodeTimeoutMs: 1000 });
    client = new Cluster(cluster.nodes.map(({ host, port }) => ({ host, port })));
  });

  afterAll(async () => {
    client.disconnect();
    await cluster.stop();
  });

  it('serves every slot, and its replicas are those of its primaries', async () => {
    const keys = Array.from({ length: 100 }, (_, i) => `key${i}`);
    await Promise.all(keys.map((key) => client.set(key, key)));
    expect(await Promise.all(keys.map((key) => client.get(key)))).toEqual(keys);
    const primaries = await cluster.primaries();
    expect(primaries).toEqual(cluster.nodes.slice(0, 3));
    const replicas = await Promise.all(primaries.map((node) => cluster.replicasOf(node)));
    expect(replicas.map((list) => list.length)).toEqual([1, 1, 1]);
  });

  it('moves a slot with its keys, batch by batch', async () => {
    const from = await cluster.ownerOf(SLOT);
    const to = cluster.nodes.find((node) => node !== from) as ClusterNode;
    for (let i = 0; i < 25; i++) await client.set(`{a}${i}`, i);
    const seen: unknown[] = [];
    const between = async (): Promise<void> => {
      seen.push(await write(from, '{a}new'), await from.call('CLUSTER', 'COUNTKEYSINSLOT', SLOT));
    };
    await cluster.moveSlot(SLOT, from, to, { batch: 10, between });
    const ask = `ASK ${SLOT} 127.0.0.1:${to.port}`;
    expect(seen).toEqual([ask, 25, ask, 15, ask, 5, ask, 0]);
    expect(await write(from, '{a}0')).toBe(`MOVED ${SLOT} 127.0.0.1:${to.port}`);
    expect(await to.call('CLUSTER', 'COUNTKEYSINSLOT', SLOT)).toBe(25);
    expect(await cluster.ownerOf(SLOT)).toBe(to);
    await cluster.settled();
  });

  it('has a replica take over', async () => {
    const primary = cluster.nodes[0] as ClusterNode;
    const [replica] = (await cluster.replicasOf(primary)) as [ClusterNode];
    await cluster.failover(replica);
    expect((await primary.line()).primaryId).toBe(replica.id);
    expect(await cluster.ownerOf(0)).toBe(replica);
  });

  it('promotes the replica of a killed primary, which comes back as a replica', async () => {
    const primary = await cluster.ownerOf(SLOT);
    const [replica] = (await cluster.replicasOf(primary)) as [ClusterNode];
    await cluster.kill9(primary);
    await expect.poll(() => cluster.ownerOf(SLOT).catch(() => undefined), { timeout: 40_000 }).toBe(replica);
    await cluster.restart(primary);
    await cluster.settled();
    expect((await primary.line()).primaryId).toBe(replica.id);
    expect(await client.get('{a}7')).toBe('7');
  });

  it('takes in a node and lets it go', async () => {
    const node = await cluster.addNode();
    const owner = await cluster.ownerOf(0);
    await cluster.moveSlot(0, owner, node);
    await expect(cluster.removeNode(node)).rejects.toThrow('still serves slots');
    await cluster.moveSlot(0, node, owner);
    await cluster.removeNode(node);
    expect(cluster.nodes).not.toContain(node);
    expect((await owner.lines()).map((line) => line.id)).not.toContain(node.id);
  });
});

it('serves the slots that are left where full coverage is not required', async () => {
  cluster = await startCluster({ requiresFullCoverage: false, nodeTimeoutMs: 1000 });
  const [first, , last] = cluster.nodes as [ClusterNode, ClusterNode, ClusterNode];
  await cluster.kill9(first);
  const knows = async (): Promise<boolean> => (await last.lines()).some((line) => line.isFailed);
  await expect.poll(knows, { timeout: 40_000 }).toBe(true);
  expect(await write(last, '{a}')).toBe('OK');
  await cluster.stop();
  expect(await write(last, '{a}')).toMatch(/Connection is closed|ECONNREFUSED/);
});
