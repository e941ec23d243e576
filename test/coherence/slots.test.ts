// Slots of a Redis Cluster move, and with them what is not there: of that no node sends an invalidation (coherence spec §8).
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';

import { eventually } from '../../src/drill/servers/eventually.ts';
import { type Nearcache, startNearcache } from '../../src/drill/servers/nearcache-process.ts';
import type { ClusterNode } from '../../src/drill/servers/cluster-node.ts';
import { Client, type Reply } from './history/client.ts';
import { ClusterBackend } from './history/cluster-backend.ts';
import { slotOfKey } from './history/directory.ts';
import { OutsideClient } from './history/outside-client.ts';

/** Longer than nearcache keeps away from a slot after a redirect. */
const WINDOW_MS = 1300;
const REFRESH_MS = 50;

let backend: ClusterBackend;
/** One that asks the nodes all the time, and one that only redirects tell of changes. */
let attentive: Nearcache;
let slow: Nearcache;
let outside: OutsideClient;
let count = 0;
/** A new one for each test. */
let key: string;
let from: ClusterNode;
let to: ClusterNode;

beforeAll(async () => {
  backend = await ClusterBackend.start(0, () => 0.5);
  const { upstream } = backend;
  const common =
    '--max-staleness 5s --command-timeout 10s --cache-max-ttl 10m --cache-negative-ttl 10m'.split(' ');
  const often = ['--topology-refresh', `${REFRESH_MS}ms`];
  attentive = await startNearcache({ upstream, flags: [...common, ...often] });
  const seldom = '--topology-refresh 50s --topology-max-age 1m'.split(' ');
  slow = await startNearcache({ upstream, flags: [...common, ...seldom] });
  outside = new OutsideClient(backend.directory, (port) => Client.connect(port, { proto: 2, db: 0 }));
});

beforeEach(async () => {
  key = `{slots${++count}}`;
  from = await backend.cluster.ownerOf(slotOfKey(key));
  to = (await backend.cluster.primaries()).find((node) => node !== from) as ClusterNode;
});

afterAll(async () => {
  outside?.close();
  for (const nearcache of [attentive, slow]) await nearcache?.kill();
  await backend?.stop();
});

function app({ port }: Nearcache): Promise<Client> {
  return Client.connect(port, { proto: 3, db: 0 });
}

async function get(client: Client, name = key): Promise<Reply> {
  return (await client.call('GET', name)).reply;
}

/** Reads until the reply comes from the near-cache. */
async function cached(client: Client, expected: Reply): Promise<void> {
  await eventually('a hit', async () => {
    const before = backend.reads.mark(0, ['GET', key]);
    expect(await get(client)).toBe(expected);
    return before !== undefined && before === backend.reads.mark(0, ['GET', key]) ? true : undefined;
  });
}

test('a missing key that was cached is asked for again once its slot was seen to be on the move, also when that is over', async () => {
  const client = await app(slow);
  await cached(client, null);
  const between = async (): Promise<void> => {
    await outside.call('SET', key, 'new');
    // Missing as well: an ASK tells that the slot is moving.
    expect(await get(client, `${key}other`)).toBe(null);
    await delay(WINDOW_MS);
    expect(await get(client)).toBe('new');
  };
  await backend.cluster.moveSlot(slotOfKey(key), from, to, { between });
  client.close();
});

test('a missing key that was cached is asked for again as soon as its node says that the slot is leaving', async () => {
  const client = await app(attentive);
  await cached(client, null);
  const between = async (): Promise<void> => {
    await outside.call('SET', key, 'new');
    await eventually('the new value', async () => ((await get(client)) === 'new' ? true : undefined));
  };
  await backend.cluster.moveSlot(slotOfKey(key), from, to, { between });
  client.close();
});

test('nothing of a slot is kept while it is moving', async () => {
  const client = await app(attentive);
  await outside.call('SET', key, 'here');
  let isSeen = false;
  const between = async (): Promise<void> => {
    if (isSeen) return;
    isSeen = true;
    const isKept = async (): Promise<boolean> => {
      const before = backend.reads.mark(0, ['GET', key]);
      expect(await get(client)).toBe('here');
      return backend.reads.mark(0, ['GET', key]) === before;
    };
    // Until nearcache has heard of it, every read but the first finds what the one before it has left.
    await eventually('five reads in a row go to Redis', async () => {
      for (let i = 0; i < 5; i++) if (await isKept()) return undefined;
      return true;
    });
  };
  await backend.cluster.moveSlot(slotOfKey(key), from, to, { between });
  client.close();
});

test('a read does not overtake a write of its session that is still on its way to where the slot was', async () => {
  const client = await app(attentive);
  await client.call('SET', key, 'old');
  const relay = backend.relays[backend.cluster.nodes.indexOf(from)];
  if (relay === undefined) throw new Error('a node without a relay');
  relay.weather = { delayMs: [1500, 1500], bytesPerMs: Infinity, tearing: 0 };
  const write = client.call('SET', key, 'new');
  await backend.cluster.moveSlot(slotOfKey(key), from, to);
  await delay(REFRESH_MS * 4);
  const read = get(client);
  expect((await write).reply).toBe('OK');
  expect(await read).toBe('new');
  relay.weather = { delayMs: [0, 0], bytesPerMs: Infinity, tearing: 0 };
  client.close();
});

test('what is read from the new owner is kept, and a write there is seen', async () => {
  const client = await app(attentive);
  await outside.call('SET', key, 'old');
  await cached(client, 'old');
  await backend.cluster.moveSlot(slotOfKey(key), from, to);
  await cached(client, 'old');
  await outside.call('SET', key, 'new');
  await eventually('the new value', async () => ((await get(client)) === 'new' ? true : undefined));
  client.close();
});
