import { expect, it } from 'vitest';

import { callRedis } from '../../src/drill/servers/redis-call.ts';
import { startRing } from './ring-servers.ts';

it('starts so many servers that know nothing of one another, named in order', async () => {
  const ring = await startRing(3, { password: 'secret' });
  expect(ring.shards.map((shard) => shard.name)).toEqual(['shard0', 'shard1', 'shard2']);
  expect(ring.upstream).toBe(
    ring.shards.map(({ server }) => `redis://:secret@127.0.0.1:${server.port}`).join(','),
  );
  const targets = ring.shards.map(({ server: { host, port } }) => ({ host, port, password: 'secret' }));
  for (const [i, target] of targets.entries()) await callRedis(target, ['SET', 'k', i]);
  expect(await Promise.all(targets.map((target) => callRedis(target, ['GET', 'k'])))).toEqual([
    '0',
    '1',
    '2',
  ]);
  await ring.stop();
  for (const target of targets)
    await expect(callRedis(target, ['PING'])).rejects.toThrow('Connection is closed');
});

it('ends what it started when one of them does not start', async () => {
  await expect(startRing(2, { args: ['--nosuchoption', '1'] })).rejects.toThrow(
    /nosuchoption|Log stream ended/,
  );
});
