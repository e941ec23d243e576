/** One square of the throughput matrix: all targets, in interleaved rounds. */
import type { Histogram } from 'hdr-histogram-js';

import { type OpenLoopPlan, runOpenLoop } from './load/open-loop.ts';
import { buildBatches, expectedReply } from './load/request.ts';
import { warmCache, writeKeys } from './load/warm-up.ts';
import { quietest, quietShare, watchOthers } from './others.ts';
import type { ThroughputOptions } from './options.ts';
import { mergeHistograms, type Percentiles, percentilesOf } from './report/percentiles.ts';
import { median, percent } from './report/table.ts';
import { type Bench, type Cell, requestsFor, type Sample, takeSample } from './sample.ts';
import { reasonOf, type Target, type TargetId } from './targets.ts';

/** What was measured of one target in one cell.
 *  Units: CPU in µs of an operation. Shape: `invalid` says why the row must not be compared; `opsPerRound` holds the
 *  rounds in which other programs were quietest, of which `opsPerSecond` is the median. */
export interface Row extends Cell {
  readonly target: TargetId;
  readonly opsPerSecond: number;
  readonly opsPerRound: readonly number[];
  readonly targetCpuMicros: number;
  /** Undefined for the backend itself. */
  readonly backendCpuMicros: number | undefined;
  readonly residentBytes: number;
  readonly backendCommandsPerOp: number;
  /** Undefined for a target without a cache and for writes. */
  readonly hitRatio: number | undefined;
  readonly latency: (Percentiles & { readonly batchesPerSecond: number }) | undefined;
  readonly othersShare: number;
  readonly invalid: string | undefined;
}

/** A target that failed in a cell, and why. */
export interface FailedRow extends Cell {
  readonly target: TargetId;
  readonly failed: string;
}

/** The offered load of the percentiles: modest, so that they show the target and not its queue. */
const mostBatchesPerSecond = 5_000;

/** Measures every target. Never rejects because of a target: one that fails gets a FailedRow. */
export async function measureCell(
  bench: Bench,
  targets: readonly Target[],
  cell: Cell,
  options: ThroughputOptions,
): Promise<(Row | FailedRow)[]> {
  await writeKeys(bench.redis, bench.keys, cell.size);
  const run = new CellRun(bench, targets, cell);
  await run.calibrate(options.seconds);
  await run.throughput(options.rounds);
  if (options.percentileSeconds > 0) await run.percentiles(options.rounds, options.percentileSeconds);
  return targets.map((target) => run.row(target, options.rounds));
}

class CellRun {
  readonly #bench: Bench;
  readonly #targets: readonly Target[];
  readonly #cell: Cell;
  readonly #requests = new Map<Target, number>();
  readonly #samples = new Map<Target, Sample[]>();
  readonly #latencies = new Map<Target, { latency: Histogram; othersShare: number }[]>();
  readonly #failures = new Map<Target, string>();
  #batchesPerSecond = 0;

  constructor(bench: Bench, targets: readonly Target[], cell: Cell) {
    this.#bench = bench;
    this.#targets = targets;
    this.#cell = cell;
  }

  /** Also compares some replies byte for byte, which redis-benchmark does not. */
  async calibrate(seconds: number): Promise<void> {
    const check = { ...this.#load(), batchesPerSecond: 200, seconds: 0.2, warmUpSeconds: 0 };
    await this.#forEach(async (target) => {
      await runOpenLoop({ ...check, port: target.port });
      this.#requests.set(target, await requestsFor(this.#bench, target, this.#cell, seconds));
    });
  }

  async throughput(rounds: number): Promise<void> {
    await this.#rounds(rounds, async (target) => {
      const requests = this.#requests.get(target) as number;
      const sample = await takeSample(this.#bench, target, this.#cell, requests);
      append(this.#samples, target, sample);
      return sample;
    });
  }

  /** All targets get the same load: half of what the slowest can do, at most `mostBatchesPerSecond`. */
  async percentiles(rounds: number, seconds: number): Promise<void> {
    const { test, pipeline } = this.#cell;
    const slowest = Math.min(
      ...[...this.#samples.values()].map((samples) => median(samples.map((s) => s.requestsPerSecond))),
    );
    this.#batchesPerSecond = Math.min(mostBatchesPerSecond, Math.floor(slowest / pipeline / 2));
    const load = {
      ...this.#load(),
      batchesPerSecond: this.#batchesPerSecond,
      seconds,
      warmUpSeconds: 0.2,
    };
    await this.#rounds(rounds, async (target) => {
      if (target.id === 'nearcache-hit' && test === 'get') await warmCache(target, this.#bench.keys);
      const others = watchOthers([target.pid, this.#bench.backend.pid]);
      const { latency } = await runOpenLoop({ ...load, port: target.port });
      const round = { latency, othersShare: others() };
      append(this.#latencies, target, round);
      return round;
    });
  }

  row(target: Target, rounds: number): Row | FailedRow {
    const head = { ...this.#cell, target: target.id };
    const failed = this.#failures.get(target);
    if (failed !== undefined) return { ...head, failed };
    const samples = quietest(this.#samples.get(target) ?? [], rounds);
    const latencies = quietest(this.#latencies.get(target) ?? [], rounds);
    const total = (pick: (sample: Sample) => number): number => samples.reduce((sum, s) => sum + pick(s), 0);
    const requests = total((s) => s.requests);
    const isBackend = target.pid === this.#bench.backend.pid;
    const reads = total((s) => s.reads);
    const row = {
      ...head,
      opsPerSecond: median(samples.map((s) => s.requestsPerSecond)),
      opsPerRound: samples.map((s) => Math.round(s.requestsPerSecond)),
      targetCpuMicros: (total((s) => s.targetCpu) * 1e6) / requests,
      backendCpuMicros: isBackend ? undefined : (total((s) => s.backendCpu) * 1e6) / requests,
      residentBytes: Math.max(...samples.map((s) => s.residentBytes)),
      backendCommandsPerOp: total((s) => s.backendCommands) / requests,
      hitRatio: reads > 0 && head.test === 'get' ? total((s) => s.hits) / reads : undefined,
      latency: this.#latency(latencies.map(({ latency }) => latency)),
      othersShare: Math.max(...[...samples, ...latencies].map((round) => round.othersShare)),
    };
    return { ...row, invalid: whyInvalid(row) };
  }

  #load(): Pick<OpenLoopPlan, 'connections' | 'batches' | 'reply'> {
    const { test, size, pipeline, connections } = this.#cell;
    const batches = buildBatches(test, this.#bench.keys, size, pipeline);
    return { connections, batches, reply: expectedReply(test, size) };
  }

  #latency(histograms: readonly Histogram[]): Row['latency'] {
    if (histograms.length === 0) return undefined;
    return { ...percentilesOf(mergeHistograms(histograms)), batchesPerSecond: this.#batchesPerSecond };
  }

  /** Calls `step` for every target in turn. A round that other programs disturbed is run again, up to as many extra rounds
   *  as were asked for. */
  async #rounds(count: number, step: (target: Target) => Promise<{ othersShare: number }>): Promise<void> {
    for (let quiet = 0, run = 0; quiet < count && run < count * 2; run++) {
      let most = 0;
      await this.#forEach(async (target) => {
        most = Math.max(most, (await step(target)).othersShare);
      });
      if (most < quietShare) quiet++;
    }
  }

  /** Calls `step` for every target that has not failed; a target that fails is out of this cell. */
  async #forEach(step: (target: Target) => Promise<void>): Promise<void> {
    for (const target of this.#targets) {
      if (this.#failures.has(target)) continue;
      try {
        await step(target);
      } catch (error) {
        this.#failures.set(target, reasonOf(error));
      }
    }
  }
}

/** A row that did not do what its name says: hits that went to Redis, a pass-through that did not. */
export function whyInvalid(
  row: Pick<Row, 'target' | 'test' | 'backendCommandsPerOp' | 'hitRatio'>,
): string | undefined {
  const perOp = row.backendCommandsPerOp.toFixed(2);
  if (row.target === 'nearcache-hit' && row.test === 'get') {
    if ((row.hitRatio ?? 0) < 0.99) return `only ${percent(row.hitRatio ?? 0)} hits`;
    if (row.backendCommandsPerOp > 0.01) return `${perOp} commands an operation reached Redis`;
  } else if (row.backendCommandsPerOp < 0.99) {
    return `only ${perOp} commands an operation reached Redis`;
  }
  return undefined;
}

function append<T>(lists: Map<Target, T[]>, target: Target, item: T): void {
  const list = lists.get(target);
  if (list === undefined) lists.set(target, [item]);
  else list.push(item);
}
