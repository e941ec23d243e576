// A short part of `npm run test:coherence`: what apps, other programs and faults make of a few seconds, judged as a whole.
import { expect, test } from 'vitest';

import { FAULTS } from './history/faults.ts';
import { leastHits, printable } from './history/report.ts';
import { runHistory } from './history/run.ts';

const SECONDS = 4;
/** So that on a busy machine no link is given up without a fault. */
const flags = ['--connect-timeout', '2s', '--link-dead-timeout', '3s'];

test.each([
  ['single', 'half-open'],
  ['single', 'flush'],
  ['ring', 'shard-kill'],
  ['cluster', 'slot-migration'],
  ['sentinel', 'stopped-primary'],
] as const)(
  'a history over %s with %s breaks no rule of coherence',
  async (topology, name) => {
    const fault = FAULTS[topology].find((each) => each.name === name);
    if (fault === undefined) throw new Error(`no such fault: ${name}`);
    const report = await runHistory({
      topology,
      fault,
      seconds: SECONDS,
      seed: 2026,
      stalenessMs: 500,
      flags,
    });
    const summary = printable(report);
    expect([...report.violations, ...report.problems], summary).toEqual([]);
    const least = leastHits(SECONDS);
    expect(Math.min(report.hits, report.countedHits), summary).toBeGreaterThan(least.all);
    expect(report.hitsOnOutsideWrites, summary).toBeGreaterThan(least.onOutsideWrites);
  },
  240_000,
);
