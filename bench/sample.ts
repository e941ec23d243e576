/** One run of redis-benchmark against one target, with what it cost. */
import type { Redis } from 'ioredis';

import { runRedisBenchmark } from './load/redis-benchmark.ts';
import type { TestName } from './load/request.ts';
import { type Counts, readCounts, warmCache } from './load/warm-up.ts';
import { watchOthers } from './others.ts';
import { cpuSeconds, residentBytes } from './process-usage.ts';
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

/** How many requests take about `seconds`: a first guess, then a better one from a short run, which also warms the
 *  target up. */
export async function requestsFor(
  bench: Bench,
  target: Target,
  cell: Cell,
  seconds: number,
): Promise<number> {
  const guess = await runRedisBenchmark({ ...plan(bench, target, cell), requests: 1_000 * cell.pipeline });
  const requests = Math.ceil(guess * 0.3);
  const rate = await runRedisBenchmark({ ...plan(bench, target, cell), requests });
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
  const [targetCpu, backendCpu] = [cpuSeconds(target.pid), cpuSeconds(bench.backend.pid)];
  const requestsPerSecond = await runRedisBenchmark({ ...plan(bench, target, cell), requests });
  return {
    requests,
    requestsPerSecond,
    targetCpu: cpuSeconds(target.pid) - targetCpu,
    backendCpu: cpuSeconds(bench.backend.pid) - backendCpu,
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
