import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';

import { parseClusterNodes } from '../../../src/route/cluster-nodes.ts';
import { slotOf } from '../../../src/route/hash-slot.ts';
import { parseRedirect, type Redirect } from '../../../src/route/redirect.ts';
import { SlotMap } from '../../../src/route/slot-map.ts';
import { connectRaw, encodeRequest } from '../../support/raw-client.ts';
import type { ClusterNode } from '../../../src/drill/servers/cluster-node.ts';
import type { RedisCluster } from '../../../src/drill/servers/redis-cluster.ts';
import { startCluster } from '../../support/redis-cluster.ts';

const KEY = Buffer.from('{a}1');
const SLOT = slotOf(KEY, 0, KEY.length);

let cluster: RedisCluster;
let map: SlotMap;
let now = 0;

beforeAll(async () => {
  cluster = await startCluster({ primaries: 3, replicas: 1 });
});

afterAll(async () => {
  await cluster.stop();
});

beforeEach(() => {
  map = new SlotMap({ redirectWindowMs: 0, viewLifeMs: 60_000 });
});

async function look(...nodes: readonly ClusterNode[]): Promise<void> {
  for (const node of nodes) {
    map.apply(parseClusterNodes(String(await node.call('CLUSTER', 'NODES')), node.host), now++);
  }
}

async function redirectFrom(node: ClusterNode): Promise<Redirect> {
  const client = await connectRaw({ port: node.port });
  client.send(encodeRequest(['GET', KEY]));
  const reply = await client.readFrame();
  client.close();
  return parseRedirect(reply, 0, reply.length) as Redirect;
}

test('knows every slot and every node of a real cluster from one of them', async () => {
  await look(cluster.nodes[0] as ClusterNode);

  expect(map.ownedSlots).toBe(16_384);
  expect(new Set([...map.nodes.values()].map(({ port }) => port))).toEqual(
    new Set(cluster.nodes.map(({ port }) => port)),
  );
  const replicas = [...map.nodes.values()].filter(({ role }) => role === 'replica');
  expect(replicas.map(({ primaryId }) => map.nodes.get(primaryId)?.role)).toEqual(Array(3).fill('primary'));
});

test('follows a slot there and back by views, and marks it as moving in between', async () => {
  const [home, away] = (await cluster.primaries()) as [ClusterNode, ClusterNode];
  const from = await cluster.ownerOf(SLOT);
  const to = from === home ? away : home;
  await look(from, to);
  const incarnations = [map.incarnationOf(SLOT)];
  const ports: (number | undefined)[] = [];
  let redirect: Redirect | undefined;

  for (const [source, target] of [
    [from, to],
    [to, from],
  ] as const) {
    await cluster.moveSlot(SLOT, source, target, {
      between: async () => {
        await look(source);
        expect(map.isMoving(SLOT, now)).toBe(true);
        redirect ??= await redirectFrom(source);
      },
    });
    await look(source, target);
    expect(map.isMoving(SLOT, now)).toBe(false);
    ports.push(map.ownerOf(SLOT)?.port);
    incarnations.push(map.incarnationOf(SLOT));
  }

  expect(redirect).toEqual({ kind: 'ask', slot: SLOT, host: '127.0.0.1', port: to.port });
  expect(ports).toEqual([to.port, from.port]);
  expect(new Set(incarnations).size).toBe(3);
});

test('learns a new owner from MOVED before any view tells', async () => {
  const [first, second, third] = (await cluster.primaries()) as [ClusterNode, ClusterNode, ClusterNode];
  const from = await cluster.ownerOf(SLOT);
  const to = [first, second, third].find((node) => node !== from) as ClusterNode;
  await look(from);
  await cluster.moveSlot(SLOT, from, to);

  const { slot, host, port } = await redirectFrom(from);
  const node = map.moved(slot, host, port, now++);

  expect([slot, port]).toEqual([SLOT, to.port]);
  expect(map.ownerOf(SLOT)).toBe(node);
  expect(node.port).toBe(to.port);
  await look(to);
  expect(map.ownerOf(SLOT)).toBe(node);
});

test('follows a failover by the view of the promoted node alone', async () => {
  const primary = await cluster.ownerOf(SLOT);
  const [replica] = (await cluster.replicasOf(primary)) as [ClusterNode];
  await look(...cluster.nodes);
  const { version } = map;
  const before = map.incarnationOf(SLOT);
  await cluster.failover(replica);

  await look(replica);

  expect(map.ownerOf(SLOT)?.port).toBe(replica.port);
  expect(map.incarnationOf(SLOT)).not.toBe(before);
  expect(map.version).toBe(version + 1);
  expect(map.nodes.get(primary.id)?.role).toBe('replica');
});
