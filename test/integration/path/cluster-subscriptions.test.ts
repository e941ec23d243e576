// Sharded channels go where their slots go; everything else is heard from one node of a Cluster.
import { afterAll, beforeAll, expect, test } from 'vitest';

import { slotOf } from '../../../src/route/hash-slot.ts';
import { type Nearcache, startNearcache } from '../../../src/drill/servers/nearcache-process.ts';
import { connectRaw, type RawClient } from '../../support/raw-client.ts';
import type { RedisCluster } from '../../../src/drill/servers/redis-cluster.ts';
import { startCluster } from '../../support/redis-cluster.ts';
import { say } from '../../support/sidecar.ts';

let cluster: RedisCluster;
let nearcache: Nearcache;
let apps: RawClient[];

beforeAll(async () => {
  cluster = await startCluster();
  nearcache = await startNearcache({ upstream: cluster.url });
  apps = await Promise.all([0, 1, 2].map(() => connectRaw(nearcache)));
});
afterAll(async () => {
  for (const app of apps) app.close();
  await nearcache.stop();
  await cluster.stop();
});

async function frames(app: RawClient, count: number): Promise<string[]> {
  return (await app.readFrames(count)).map((frame) => String(frame).replaceAll('\r\n', ' ').trim());
}

test('a session whose channel has moved with its slot is told so, and subscribes at the new node', async () => {
  const [a, b] = apps as [RawClient, RawClient];
  const slot = slotOf(Buffer.from('roams'), 0, 5);
  await a.call('SSUBSCRIBE', 'roams');
  const from = await cluster.ownerOf(slot);
  const to = cluster.nodes.find((node) => node !== from);
  if (to === undefined) throw new Error('one node only');
  await cluster.moveSlot(slot, from, to);
  expect(await frames(a, 1)).toEqual(['*3 $12 sunsubscribe $5 roams :0']);
  for (const app of [a, b]) {
    expect(String(await app.call('SSUBSCRIBE', 'roams'))).toContain('ssubscribe\r\n$5\r\nroams\r\n:1');
  }
  const publisher = apps[2] as RawClient;
  expect(await say(publisher, 'SPUBLISH', 'roams', 'hi')).toBe(':1');
  for (const app of [a, b]) expect(await frames(app, 1)).toEqual(['*3 $8 smessage $5 roams $2 hi']);
  for (const app of [a, b]) expect(String(await app.call('SUNSUBSCRIBE'))).toContain(':0');
});

test('a message that is published at any node is heard once', async () => {
  const [a] = apps as [RawClient];
  await a.call('SUBSCRIBE', 'news');
  await a.call('PSUBSCRIBE', 'n*');
  for (const { port } of cluster.nodes) {
    const direct = await connectRaw({ port });
    await direct.call('PUBLISH', 'news', String(port));
    direct.close();
  }
  const heard = await frames(a, cluster.nodes.length * 2);
  const ports = heard.map((frame) => frame.split(' ').at(-1));
  expect(ports.filter((port, i) => ports.indexOf(port) === i).length).toBe(cluster.nodes.length);
  a.request(['PING']);
  expect(await frames(a, 1)).toEqual(['*2 $4 pong $0']);
  a.request(['UNSUBSCRIBE']);
  a.request(['PUNSUBSCRIBE']);
  await frames(a, 2);
});

test('a notification about a key of any node is heard once', async () => {
  const [a, writer] = apps as [RawClient, RawClient];
  await say(writer, 'CONFIG', 'SET', 'notify-keyspace-events', 'K$');
  await a.call('PSUBSCRIBE', '__keyspace@0__:k?');
  for (let i = 0; i < 9; i++) await say(writer, 'SET', `k${i}`, 'v');
  const heard = await frames(a, 9);
  expect(new Set(heard.map((frame) => frame.split(' ')[6])).size).toBe(9);
  await say(writer, 'CONFIG', 'SET', 'notify-keyspace-events', '');
});
