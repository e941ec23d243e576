// Replies that wait for one of another shard are not unread by the client's fault.
import { afterAll, beforeAll, expect, test } from 'vitest';

import { type Nearcache, startNearcache } from '../../../src/drill/servers/nearcache-process.ts';
import { STAY_BUSY } from '../../support/busy-script.ts';
import { keyOfEach } from '../../support/over-ring.ts';
import { connectRaw, encodeRequest } from '../../support/raw-client.ts';
import { type Ring, startRing } from '../../support/ring-servers.ts';
import { readMetric } from '../../../src/drill/servers/read-metrics.ts';
import { text } from '../../support/sidecar.ts';

const MB = 1024 * 1024;
const SCRIPT = `redis.call('GET', KEYS[1]) ${STAY_BUSY} return 1`;
const BUSY_MS = '2500';

let ring: Ring;
let nearcache: Nearcache;

beforeAll(async () => {
  ring = await startRing(3);
  nearcache = await startNearcache({
    upstream: ring.upstream,
    flags: ['--slow-client-timeout', '300ms', '--cache-size', '0'],
  });
});
afterAll(async () => {
  await nearcache.stop();
  await ring.stop();
});

test('a client whose replies wait for a slow shard is not taken for one that does not read', async () => {
  const [one, other] = await keyOfEach(nearcache, ring);
  const client = await connectRaw(nearcache);
  await client.call('SET', other, 'x'.repeat(2 * MB));
  const held = 'nearcache_sessions_held_bytes';
  client.send(
    Buffer.concat([encodeRequest(['EVAL', SCRIPT, '1', one, BUSY_MS]), encodeRequest(['GET', other])]),
  );
  await expect.poll(() => readMetric(nearcache, held), { timeout: 20_000 }).toBeGreaterThan(2 * MB);
  expect(text(await client.readFrame())).toBe(':1');
  expect((await client.readFrame()).length).toBeGreaterThan(2 * MB);
  client.close();
});
