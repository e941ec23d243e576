// Until a node has told who has which slot, commands wait for it: a transaction that was sent to the wrong node could not move.
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';

import { type Nearcache, startNearcache } from '../../../src/drill/servers/nearcache-process.ts';
import type { RedisCluster } from '../../../src/drill/servers/redis-cluster.ts';
import { slotOf } from '../../../src/route/hash-slot.ts';
import { type FrameGate, startFrameGate } from '../../support/frame-gate.ts';
import { connectRaw, type RawClient } from '../../support/raw-client.ts';
import { startCluster } from '../../support/redis-cluster.ts';
import { text } from '../../support/sidecar.ts';

const KEY = '{bank}:1';
let cluster: RedisCluster;
let gate: FrameGate;
let nearcache: Nearcache | undefined;

beforeAll(async () => {
  cluster = await startCluster({ replicas: 0 });
  const owner = await cluster.ownerOf(slotOf(Buffer.from('bank'), 0, 4));
  const other = (await cluster.primaries()).find((node) => node !== owner);
  gate = await startFrameGate(other?.port as number);
});
afterEach(async () => {
  gate.open();
  await nearcache?.stop();
});
afterAll(async () => {
  await gate.stop();
  await cluster.stop();
});

const isView = (frame: string): boolean => frame.includes('myself');

/** The only node that it is told of does not have the key. */
async function begin(...flags: string[]): Promise<RawClient> {
  nearcache = await startNearcache({ upstream: `redis+cluster://127.0.0.1:${gate.port}`, flags });
  return connectRaw(nearcache);
}

test('a transaction that comes before the first view is not sent to whoever is there', async () => {
  const stop = gate.stopAt('down', isView);
  const app = await begin();
  await stop.reached;
  app.request(['WATCH', KEY]);
  app.request(['GET', KEY]);
  app.request(['MULTI']);
  app.request(['SET', KEY, 'v']);
  app.request(['EXEC']);
  await delay(200);
  expect(app.rest()).toHaveLength(0);
  stop.release();
  const replies: string[] = [];
  for (let i = 0; i < 5; i++) replies.push(text(await app.readFrame()));
  expect(replies.slice(0, 4)).toEqual(['+OK', 'nil', '+OK', '+QUEUED']);
  expect(replies[4]).toContain('OK');
  await app.call('DEL', KEY);
});

test('when no view comes in time, redirects tell', async () => {
  const restore = gate.lose('down', isView);
  const app = await begin('--command-timeout', '300ms');
  expect(text(await app.call('GET', KEY))).toBe('nil');
  restore();
});
