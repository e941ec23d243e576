// Of all who find nothing, over every nearcache, one hears so and loads; the others get what it stored.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { readMetric } from '../../../src/drill/servers/read-metrics.ts';
import { type Nearcache, startNearcache } from '../../../src/drill/servers/nearcache-process.ts';
import { connectRaw, type RawClient } from '../../support/raw-client.ts';
import { type RedisServer, startRedis } from '../../support/redis-server.ts';
import { say, until } from '../../support/sidecar.ts';

const POLICY = 'prefix=leased:;leases=on;leaseWait=60s;leaseTtl=60s';
const PODS = 5;
const SESSIONS = 200;

let redis: RedisServer;
let direct: RawClient;
const pods: Nearcache[] = [];
let apps: RawClient[] = [];
let count = 0;
let key = '';

beforeAll(async () => {
  redis = await startRedis();
  direct = await connectRaw({ port: redis.port });
  for (let i = 0; i < PODS; i++) {
    pods.push(await startNearcache({ upstream: redis.port, flags: ['--policy', POLICY] }));
  }
});
beforeEach(() => {
  key = `leased:${++count}`;
});
afterEach(() => {
  for (const app of apps) app.close();
  apps = [];
});
afterAll(async () => {
  direct.close();
  for (const pod of pods) await pod.kill();
  await redis.stop();
});

async function connect(pod: number, sessions: number): Promise<RawClient[]> {
  const opened: RawClient[] = [];
  for (let i = 0; i < sessions; i++) opened.push(await connectRaw({ port: (pods[pod] as Nearcache).port }));
  apps.push(...opened);
  return opened;
}

/** How many reads have been counted by now: from then on they wait, or one is told. */
async function reads(): Promise<number> {
  let sum = 0;
  for (const pod of pods) {
    for (const result of ['coalesced', 'miss']) {
      sum += await readMetric(
        pod,
        `nearcache_cache_policy_requests_total{policy="leased:",result="${result}"}`,
      );
    }
  }
  return sum;
}

/** All ask at once; whoever hears a nil "loads", which takes until everybody has asked, and stores. */
async function stampede(readers: readonly RawClient[]): Promise<{ nils: number; values: string[] }> {
  const before = await reads();
  let nils = 0;
  const values = await Promise.all(
    readers.map(async (reader) => {
      const heard = await say(reader, 'GET', key);
      if (heard !== 'nil') return heard;
      nils++;
      await until('everybody has asked', async () => (await reads()) - before >= readers.length);
      await say(reader, 'SET', key, 'loaded');
      return 'loaded';
    }),
  );
  return { nils, values };
}

describe('with leases', () => {
  it.each([1, PODS])('%i nearcaches with 200 sessions each load a key once', async (podCount) => {
    const readers: RawClient[] = [];
    for (let pod = 0; pod < podCount; pod++) readers.push(...(await connect(pod, SESSIONS)));
    const { nils, values } = await stampede(readers);
    expect(nils).toBe(1);
    expect(values).toEqual(readers.map(() => 'loaded'));
  });
});
