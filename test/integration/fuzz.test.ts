import { expect, it } from 'vitest';

import { printable, verdict } from '../fuzz/report.ts';
import { runFuzz } from '../fuzz/run.ts';
import { STRATEGIES } from '../fuzz/strategies/all.ts';

const SECONDS = 20;

it('survives bad clients of every kind, and well-behaved ones notice nothing', async () => {
  const report = await runFuzz({ seconds: SECONDS, seed: 2026 });
  expect(verdict(report), printable(report)).toEqual([]);
  expect([...report.outcomes.keys()].toSorted()).toEqual(STRATEGIES.map(({ name }) => name).toSorted());
  expect(report.latencyMs.count).toBeGreaterThan(SECONDS);
}, 300_000);
