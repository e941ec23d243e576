/** `npm run bench -- latency`: what a request takes across a simulated network hop, direct and through nearcache.
 *  direct: app → hop → Redis; nearcache: app → nearcache → hop → Redis, where the app's side is local as in a pod. */
import type { Histogram } from 'hdr-histogram-js';
import { Redis } from 'ioredis';

import { judgeLatency } from './latency-gate.ts';
import { type Hop, startHop } from './load/hop.ts';
import { runOpenLoop } from './load/open-loop.ts';
import { buildBatches, expectedReply, keyNames } from './load/request.ts';
import { readCounts, warmCache, writeKeys } from './load/warm-up.ts';
import { describeMachine, machineLine } from './machine.ts';
import { watchOthers } from './others.ts';
import type { LatencyOptions } from './options.ts';
import { chooseCores, pin } from './pinning.ts';
import { hopTable, latencyPlot } from './report/latency-report.ts';
import { mergeHistograms, type Percentiles, percentilesOf } from './report/percentiles.ts';
import { writeResults } from './report/results.ts';
import { disturbance, percent } from './report/table.ts';
import { verdictTable } from './report/verdict-table.ts';
import { reasonOf, startBackend, startTarget, type Target, type TargetId } from './targets.ts';

/** One target across one hop. Units: ms. Shape: `held` is how long the relay really held a chunk each way during the
 *  row's runs (of heartbeats only where all requests were hits). */
export interface LatencyRow {
  readonly target: TargetId;
  readonly hopMs: number;
  readonly connections: number;
  readonly requestsPerSecond: number;
  readonly latency: Percentiles;
  readonly held: Percentiles;
  readonly sendLag: Percentiles;
  readonly hitRatio: number | undefined;
  readonly othersShare: number;
  readonly invalid: string | undefined;
}

/** A row that could not be measured, and why. */
export interface FailedLatencyRow extends Pick<LatencyRow, 'target' | 'hopMs' | 'connections'> {
  readonly failed: string;
}

/** Loads that even one connection across the longest hop carries without a queue. */
const requestsPerSecondOf = (connections: number): number => (connections === 1 ? 1_000 : 5_000);

/** Runs every hop, prints its table when it is done, writes bench/results/.
 *  Returns false when the gate was asked for and failed. */
export async function latency(options: LatencyOptions, command: string): Promise<boolean> {
  const machine = describeMachine(command);
  console.log(machineLine(machine));
  const backend = await startBackend();
  const redis = new Redis(backend.port, '127.0.0.1');
  try {
    const keys = keyNames(options.keys);
    await writeKeys(redis, keys, options.size);
    const rows: (LatencyRow | FailedLatencyRow)[] = [];
    for (const hopMs of options.hopsMs) {
      const measured = await measureHop({ backend, redis, keys, options }, hopMs);
      rows.push(...measured);
      console.log(`\n${hopTable(hopMs, measured)}`);
    }
    const verdicts = options.preset === 'gate' ? judgeLatency(rows, options.clients) : [];
    if (verdicts.length > 0) console.log(`\n${verdictTable(verdicts)}`);
    const warning = disturbance(rows);
    if (warning !== undefined) console.log(`\n${warning}`);
    const name = options.preset === 'full' ? 'latency' : `latency-${options.preset}`;
    const files = writeResults(name, machine, { options, rows, verdicts }, latencyPlot(rows, machine));
    console.log(`\nwritten: ${files.join(', ')}`);
    return verdicts.every(({ pass }) => pass);
  } finally {
    redis.disconnect();
    await backend.stop();
  }
}

interface Scene {
  readonly backend: Target;
  readonly redis: Redis;
  readonly keys: readonly string[];
  readonly options: LatencyOptions;
}

async function measureHop(scene: Scene, hopMs: number): Promise<(LatencyRow | FailedLatencyRow)[]> {
  const { options, backend } = scene;
  const hop = await startHop(backend.port, hopMs);
  const direct: Target = { ...backend, port: hop.port, stop: async () => {} };
  const targets = await Promise.all(
    options.targets.map(async (id) => (id === 'direct' ? direct : startTarget(id, hop.port))),
  );
  const running = targets.filter((target) => 'port' in target);
  try {
    if (options.pin) place(hop);
    const rows: (LatencyRow | FailedLatencyRow)[] = [];
    for (const connections of options.clients) {
      const runs = running.map((target) => new TargetRun(scene, { target, hop, hopMs, connections }));
      for (let round = 0; round < options.rounds; round++) for (const run of runs) await run.once();
      rows.push(...runs.map((run) => run.row()));
      for (const target of targets) {
        if ('reason' in target) rows.push({ target: target.id, hopMs, connections, failed: target.reason });
      }
    }
    return rows;
  } finally {
    for (const target of running) await target.stop();
    await hop.stop();
  }
}

/** Kept to one core the relay cannot be moved while it holds bytes; the kernel places the others, whose work is light here,
 *  around it. */
function place(hop: Hop): void {
  const cores = chooseCores();
  if (cores !== undefined) pin(hop.pid, cores.load);
}

interface RunPlan {
  readonly target: Target;
  readonly hop: Hop;
  readonly hopMs: number;
  readonly connections: number;
}

/** All rounds of one target at one hop and connection count. */
class TargetRun {
  readonly #scene: Scene;
  readonly #plan: RunPlan;
  readonly #latencies: Histogram[] = [];
  readonly #sendLags: Histogram[] = [];
  readonly #held: Percentiles[] = [];
  #othersShare = 0;
  #hits = 0;
  #reads = 0;
  #failed: string | undefined;

  constructor(scene: Scene, plan: RunPlan) {
    this.#scene = scene;
    this.#plan = plan;
  }

  /** One round. A target that fails is not asked again. */
  async once(): Promise<void> {
    if (this.#failed !== undefined) return;
    try {
      await this.#measure();
    } catch (error) {
      this.#failed = reasonOf(error);
    }
  }

  row(): LatencyRow | FailedLatencyRow {
    const { target, hopMs, connections } = this.#plan;
    const head = { target: target.id, hopMs, connections };
    if (this.#failed !== undefined) return { ...head, failed: this.#failed };
    const hitRatio = this.#reads === 0 ? undefined : this.#hits / this.#reads;
    const missed = target.id === 'nearcache-hit' && (hitRatio ?? 0) < 0.99;
    return {
      ...head,
      requestsPerSecond: requestsPerSecondOf(connections),
      latency: percentilesOf(mergeHistograms(this.#latencies)),
      held: this.#held.toSorted((a, b) => b.count - a.count)[0] as Percentiles,
      sendLag: percentilesOf(mergeHistograms(this.#sendLags)),
      hitRatio,
      othersShare: this.#othersShare,
      invalid: missed ? `only ${percent(hitRatio ?? 0)} hits` : undefined,
    };
  }

  async #measure(): Promise<void> {
    const { target, hop, connections } = this.#plan;
    const { redis, backend, keys, options } = this.#scene;
    if (target.id === 'nearcache-hit') await warmCache(target, keys);
    const before = await readCounts(redis, target);
    await hop.held();
    const others = watchOthers([target.pid, hop.pid, backend.pid]);
    const outcome = await runOpenLoop({
      port: target.port,
      connections,
      batches: buildBatches('get', keys, options.size, 1),
      reply: expectedReply('get', options.size),
      batchesPerSecond: requestsPerSecondOf(connections),
      seconds: options.seconds,
      warmUpSeconds: 0.3,
    });
    this.#othersShare = Math.max(this.#othersShare, others());
    this.#held.push(await hop.held());
    const after = await readCounts(redis, target);
    this.#latencies.push(outcome.latency);
    this.#sendLags.push(outcome.sendLag);
    this.#hits += after.hits - before.hits;
    this.#reads += after.reads - before.reads;
  }
}
