/** One run of redis-benchmark against one target, with what it cost. */
import type { Redis } from 'ioredis';

import { runRedisBenchmark } from './load/redis-benchmark.ts';
import type { TestName } from './load/request.ts';
import { type Counts, readCounts, warmCache } from './load/warm-up.ts';
import { watchOthers } from './others.ts';
import { residentBytes, threadCpuSeconds } from './process-usage.ts';
import type { Target } from './targets.ts';

/** One square of the matrix. Units: `size` in bytes. */
export interface Cell {
  readonly test: TestName;
  readonly connections: number;
  readonly pipeline: number;
  readonly size: number;
}

/** What one run gave. Units: CPU in seconds of all cores; `othersShare` is the part of the machine that programs outside
 *  of this benchmark used meanwhile, 0 to 1. */
export interface Sample {
  readonly requests: number;
  readonly requestsPerSecond: number;
  readonly targetCpu: number;
  readonly backendCpu: number;
  readonly backendCommands: number;
  readonly hits: number;
  readonly reads: number;
  readonly residentBytes: number;
  readonly othersShare: number;
}

/** What all runs share. */
export interface Bench {
  readonly backend: Target;
  readonly redis: Redis;
  readonly keys: readonly string[];
}

/** Of a run that tells how fast a target is; there are more of them as long as it gets faster. */
const warmUpSeconds = 0.4;
const warmUpsMost = 8;
const stillWarming = 1.1;

/** How many requests take about `seconds`, once short runs have warmed the target up: cold, it is three times as slow, and what
 *  was to take a second and a half would be over before its CPU time could be told. */
export async function requestsFor(
  bench: Bench,
  target: Target,
  cell: Cell,
  seconds: number,
): Promise<number> {
  const rateOf = (requests: number): Promise<number> =>
    runRedisBenchmark({ ...plan(bench, target, cell), requests });
  let rate = await rateOf(1_000 * cell.pipeline);
  for (let run = 0; run < warmUpsMost; run++) {
    const before = rate;
    rate = await rateOf(Math.ceil(rate * warmUpSeconds));
    if (rate < before * stillWarming) break;
  }
  return Math.ceil(rate * seconds);
}

/** Runs once and reads every counter before and after.
 *  Errors: rejects when the target fails or ends. */
export async function takeSample(
  bench: Bench,
  target: Target,
  cell: Cell,
  requests: number,
): Promise<Sample> {
  if (target.id === 'nearcache-hit' && cell.test === 'get') await warmCache(target, bench.keys);
  const countsBefore = await readCounts(bench.redis, target);
  const others = watchOthers([target.pid, bench.backend.pid]);
  const [targetCpu, backendCpu] = [threadCpuSeconds(target.pid), threadCpuSeconds(bench.backend.pid)];
  const requestsPerSecond = await runRedisBenchmark({ ...plan(bench, target, cell), requests });
  return {
    requests,
    requestsPerSecond,
    targetCpu: threadCpuSeconds(target.pid) - targetCpu,
    backendCpu: threadCpuSeconds(bench.backend.pid) - backendCpu,
    othersShare: others(),
    ...difference(countsBefore, await readCounts(bench.redis, target)),
    residentBytes: residentBytes(target.pid),
  };
}

function plan(
  bench: Bench,
  target: Target,
  cell: Cell,
): Omit<Parameters<typeof runRedisBenchmark>[0], 'requests'> {
  return { ...cell, port: target.port, keys: bench.keys.length };
}

function difference(before: Counts, after: Counts): Counts {
  return {
    backendCommands: after.backendCommands - before.backendCommands,
    hits: after.hits - before.hits,
    reads: after.reads - before.reads,
  };
}
