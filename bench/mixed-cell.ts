/** The mixed load at one connection count: all stages, in interleaved rounds. */
import type { ClosedLoopOutcome, ClosedLoopPlan } from './load/closed-loop.ts';
import { readCounts } from './load/warm-up.ts';
import type { MixedTarget, Stage } from './mixed-stage.ts';
import type { MixedOptions } from './options.ts';
import { quietest, quietShare, watchOthers } from './others.ts';
import { type Cores, pin } from './pinning.ts';
import { cpuSeconds } from './process-usage.ts';
import type { Percentiles } from './report/percentiles.ts';
import { median } from './report/table.ts';
import { reasonOf } from './targets.ts';
import { Worker } from './worker.ts';

/** What was measured of one target at one connection count.
 *  Units: CPU in µs of an operation; `generatorShare` of one core. Shape: `held` is how long the hop really held what it
 *  carried, each way, in the round in which it carried most; `opsPerRound` holds the quietest rounds, of which
 *  `opsPerSecond` is the median. */
export interface MixedRow {
  readonly target: MixedTarget;
  readonly connections: number;
  readonly opsPerSecond: number;
  readonly opsPerRound: readonly number[];
  readonly generatorShare: number;
  readonly targetCpuMicros: number;
  readonly backendCpuMicros: number;
  /** Undefined where there is no hop. */
  readonly hopCpuMicros: number | undefined;
  readonly held: Percentiles | undefined;
  readonly backendCommandsPerOp: number;
  /** Undefined for a target without a cache. */
  readonly hitRatio: number | undefined;
  readonly othersShare: number;
  readonly invalid: string | undefined;
}

/** A row that could not be measured, and why. */
export interface FailedMixedRow extends Pick<MixedRow, 'target' | 'connections'> {
  readonly failed: string;
}

/** Counters of a stage. Units: CPU in seconds. */
interface Counters {
  readonly targetCpu: number;
  readonly backendCpu: number;
  readonly hopCpu: number;
  readonly backendCommands: number;
  readonly hits: number;
  readonly reads: number;
}

/** One run: what the generator saw, and what it cost, the warm-up included. */
interface MixedSample extends ClosedLoopOutcome, Counters {
  readonly held: Percentiles | undefined;
  readonly othersShare: number;
}

const generator = new URL('load/closed-loop-process.ts', import.meta.url);
const warmUpSeconds = 0.3;

/** Measures every stage. Never rejects because of one: a stage that fails gets a FailedMixedRow.
 *  A round that other programs disturbed is run again, up to as many extra rounds as were asked for. */
export async function measureMixed(
  stages: readonly Stage[],
  connections: number,
  options: MixedOptions,
  cores: Cores | undefined,
): Promise<(MixedRow | FailedMixedRow)[]> {
  const runs = stages.map((stage) => new StageRun(stage, connections, options, cores));
  for (let quiet = 0, round = 0; quiet < options.rounds && round < options.rounds * 2; round++) {
    let most = 0;
    for (const run of runs) most = Math.max(most, await run.once(round));
    if (most < quietShare) quiet++;
  }
  return runs.map((run) => run.row());
}

/** All rounds of one stage. */
class StageRun {
  readonly #stage: Stage;
  readonly #connections: number;
  readonly #options: MixedOptions;
  readonly #cores: Cores | undefined;
  readonly #samples: MixedSample[] = [];
  #failed: string | undefined;

  constructor(stage: Stage, connections: number, options: MixedOptions, cores: Cores | undefined) {
    this.#stage = stage;
    this.#connections = connections;
    this.#options = options;
    this.#cores = cores;
  }

  /** One round; returns what other programs used meanwhile. A stage that fails is not asked again. */
  async once(round: number): Promise<number> {
    if (this.#failed !== undefined) return 0;
    try {
      const sample = await this.#measure(round);
      this.#samples.push(sample);
      return sample.othersShare;
    } catch (error) {
      this.#failed = reasonOf(error);
      return 0;
    }
  }

  row(): MixedRow | FailedMixedRow {
    const head = { target: this.#stage.id, connections: this.#connections };
    if (this.#failed !== undefined) return { ...head, failed: this.#failed };
    const samples = quietest(this.#samples, this.#options.rounds);
    const total = (pick: (sample: MixedSample) => number): number =>
      samples.reduce((sum, sample) => sum + pick(sample), 0);
    const requests = total((s) => s.requests);
    const reads = total((s) => s.reads);
    const row = {
      ...head,
      opsPerSecond: median(samples.map((s) => s.operationsPerSecond)),
      opsPerRound: samples.map((s) => Math.round(s.operationsPerSecond)),
      generatorShare: Math.max(...samples.map((s) => s.cpuShare)),
      targetCpuMicros: (total((s) => s.targetCpu) * 1e6) / requests,
      backendCpuMicros: (total((s) => s.backendCpu) * 1e6) / requests,
      hopCpuMicros: this.#stage.hop === undefined ? undefined : (total((s) => s.hopCpu) * 1e6) / requests,
      held: samples.map((s) => s.held).toSorted((a, b) => (b?.count ?? 0) - (a?.count ?? 0))[0],
      backendCommandsPerOp: total((s) => s.backendCommands) / requests,
      hitRatio: reads > 0 ? total((s) => s.hits) / reads : undefined,
      othersShare: Math.max(...samples.map((s) => s.othersShare)),
    };
    return { ...row, invalid: whyMixedInvalid(row, total((s) => s.writes) / requests) };
  }

  async #measure(round: number): Promise<MixedSample> {
    const { target, backend, hop } = this.#stage;
    const worker = new Worker(generator, this.#plan(round));
    try {
      if (this.#cores !== undefined) pin(worker.pid, this.#cores.load);
      await hop?.held();
      const before = await this.#counters();
      const pids = [worker.pid, target.pid, backend.pid, ...(hop === undefined ? [] : [hop.pid])];
      const others = watchOthers(pids);
      const outcome = await worker.ask<ClosedLoopOutcome | { failed: string }>('run');
      if ('failed' in outcome) throw new Error(outcome.failed);
      const othersShare = others();
      const after = await this.#counters();
      return { ...outcome, ...difference(before, after), othersShare, held: await hop?.held() };
    } finally {
      await worker.stop();
    }
  }

  /** The same requests for every stage, others in every round. */
  #plan(round: number): ClosedLoopPlan {
    const { keys, size, readShare, exponent, seed, seconds } = this.#options;
    return {
      port: this.#stage.target.port,
      connections: this.#connections,
      keys,
      size,
      readShare,
      exponent,
      seconds,
      warmUpSeconds,
      seed: seed + this.#connections * 1_000 + round,
    };
  }

  async #counters(): Promise<Counters> {
    const { target, backend, hop, redis } = this.#stage;
    return {
      targetCpu: cpuSeconds(target.pid),
      backendCpu: cpuSeconds(backend.pid),
      hopCpu: hop === undefined ? 0 : cpuSeconds(hop.pid),
      ...(await readCounts(redis, target)),
    };
  }
}

/** A row that did not do what its name says: writes that did not reach Redis, or direct reads that did not. */
export function whyMixedInvalid(
  { target, backendCommandsPerOp }: Pick<MixedRow, 'target' | 'backendCommandsPerOp'>,
  writeShare: number,
): string | undefined {
  const least = target === 'direct' ? 1 : writeShare;
  if (backendCommandsPerOp >= least * 0.99) return undefined;
  return `only ${backendCommandsPerOp.toFixed(2)} commands an operation reached Redis`;
}

function difference(before: Counters, after: Counters): Counters {
  return {
    targetCpu: after.targetCpu - before.targetCpu,
    backendCpu: after.backendCpu - before.backendCpu,
    hopCpu: after.hopCpu - before.hopCpu,
    backendCommands: after.backendCommands - before.backendCommands,
    hits: after.hits - before.hits,
    reads: after.reads - before.reads,
  };
}
