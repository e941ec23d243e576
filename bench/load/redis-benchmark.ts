import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

import type { TestName } from './request.ts';

/** One run of redis-benchmark. */
export interface BenchmarkPlan {
  readonly port: number;
  readonly test: TestName;
  readonly connections: number;
  readonly pipeline: number;
  readonly size: number;
  /** 1 = one fixed key, as without `-r`. */
  readonly keys: number;
  readonly requests: number;
}

const run = promisify(execFile);

/** Runs redis-benchmark and returns its requests per second. It is C and needs half the CPU of a Node client, so that on
 *  few cores the target is what gets measured.
 *  Errors: rejects when it fails, or hangs for a minute. */
export async function runRedisBenchmark(plan: BenchmarkPlan): Promise<number> {
  const args = ['-h', '127.0.0.1', '-p', plan.port, '-c', plan.connections, '-P', plan.pipeline];
  args.push('-d', plan.size, '-n', plan.requests, '-t', plan.test, '--csv');
  if (plan.keys > 1) args.push('-r', plan.keys);
  const { stdout } = await run('redis-benchmark', args.map(String), {
    timeout: 60_000,
    killSignal: 'SIGKILL',
  });
  return parseRequestsPerSecond(stdout, plan.test);
}

/** The `rps` column of the row of one test.
 *  Errors: throws when there is no such row, e.g. because the target answered with an error. */
export function parseRequestsPerSecond(csv: string, test: TestName): number {
  const row = csv.split('\n').find((line) => line.startsWith(`"${test.toUpperCase()}"`));
  const rate = Number(row?.split(',')[1]?.replaceAll('"', ''));
  if (!(rate > 0)) throw new Error(`redis-benchmark printed no ${test} row: ${csv.trim().slice(-200)}`);
  return rate;
}
