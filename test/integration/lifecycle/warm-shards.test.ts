import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';

import { readMetrics } from '../../../src/drill/servers/read-metrics.ts';
import { type Nearcache, startNearcache } from '../../../src/drill/servers/nearcache-process.ts';
import { connectRaw } from '../../support/raw-client.ts';
import { say, until } from '../../support/sidecar.ts';
import { topologies } from '../../support/topologies.ts';

const KEYS = Array.from({ length: 60 }, (_, i) => `key:${i}`);

/** Reads that its near-cache answered. A server's own count of GETs would not tell: a ring's records are read with GET as well. */
async function hits(nearcache: Nearcache): Promise<number> {
  return (await readMetrics(nearcache)).get('nearcache_cache_hits_total') ?? Number.NaN;
}

test.each(topologies)(
  'over $name each hot key is read from its own shard',
  { timeout: 180_000 },
  async (each) => {
    const directory = mkdtempSync(join(tmpdir(), 'nearcache-warm-'));
    const file = join(directory, 'hot-keys');
    const behind = await each.start();
    const start = (): Promise<Nearcache> =>
      startNearcache({
        upstream: behind.upstream,
        flags: ['--hot-keys-file', file, '--preload-rate', '2000', '--canary-interval', '0'],
      });
    const first = await start();
    const writer = await connectRaw(first);
    for (const key of KEYS) await say(writer, 'SET', key, `value of ${key}`);
    // After a redirect nothing of a slot is kept for a while.
    await until('all are cached', async () => {
      for (const key of KEYS) await say(writer, 'GET', key);
      return ((await readMetrics(first)).get('nearcache_cache_entries') ?? 0) >= KEYS.length;
    });
    for (let round = 0; round < 400; round++) {
      for (const key of KEYS) writer.request(['GET', key]);
      await writer.readFrames(KEYS.length);
    }
    writer.close();
    await first.stop();
    const names = readFileSync(file, 'latin1').split('\n').slice(1, -1);
    expect(names.toSorted()).toEqual(KEYS.map((key) => `0 get ${key}`).toSorted());

    const second = await start();
    await until('they are read', () => second.logs.includes('hot keys were read'));
    expect((await readMetrics(second)).get('nearcache_preload_keys_total{result="read"}')).toBe(KEYS.length);
    const before = await hits(second);
    const reader = await connectRaw(second);
    for (const key of KEYS) expect(await say(reader, 'GET', key)).toBe(`value of ${key}`);
    expect(await hits(second)).toBe(before + KEYS.length);

    reader.close();
    await second.stop();
    await behind.stop();
    rmSync(directory, { recursive: true });
  },
);
