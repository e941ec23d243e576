// The short form of `npm run soak`.
import { expect, test } from 'vitest';

import { processBackend } from '../../src/drill/servers/redis-process.ts';
import { OWN_TIME } from './judge.ts';
import { runSoak } from './soak.ts';

/** Its second fault is the death of nearcache, its last one a shard that comes back empty. */
const SEED = 18;

test('random faults, one of which kills nearcache, leave nothing wrong and nothing behind', async () => {
  const progress: string[] = [];
  const record = await runSoak({
    backend: processBackend,
    seconds: 36,
    mostSeconds: 36,
    everySeconds: 4,
    ratePerSecond: 300,
    shards: 3,
    seed: SEED,
    crashes: true,
    only: [],
    say: (line) => progress.push(line),
  });
  // A test may have to run on a machine that is busy elsewhere; the hour may not.
  const broken = record.verdicts.filter(({ passed, promise }) => !passed && promise !== OWN_TIME);
  expect(broken, progress.join('\n')).toEqual([]);
  expect(record.faults.map(({ name }) => name)).toEqual([
    'blackhole',
    'crash',
    'deaf',
    'stop',
    'cut',
    'half-open',
    'restart-empty',
  ]);
  expect(record.faults.every(({ atMs }, i) => i === 0 || atMs > (record.faults[i - 1]?.atMs ?? 0))).toBe(
    true,
  );
}, 300_000);
