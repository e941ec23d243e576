/** `npm run bench -- hit-ratio`: how often each eviction finds what it is asked for, against exact and clairvoyant ones. */
import { basename } from 'node:path';

import { generateTrace, generatorNames } from './hit-ratio/generators.ts';
import { judgeHitRatios } from './hit-ratio/gate.ts';
import { makePolicy, type PolicyName, weightsOf } from './hit-ratio/policies.ts';
import { entriesIn, replay, type Workload } from './hit-ratio/policy/policy.ts';
import { readTrace, type Trace } from './hit-ratio/trace.ts';
import { describeMachine, type Machine, machineLine } from './machine.ts';
import { hitRatioPlot, summaryTable, traceTable } from './report/hit-ratio-report.ts';
import { writeResults } from './report/results.ts';
import { verdictTable } from './report/verdict-table.ts';
import type { Capacity, HitRatioOptions } from './storage-options.ts';

/** One policy with one capacity on one trace.
 *  Units: `entries` is about how many entries the capacity is for. */
export interface HitRatioCell {
  readonly trace: string;
  readonly keys: number;
  readonly requests: number;
  readonly capacity: Capacity;
  readonly entries: number;
  readonly policy: PolicyName;
  readonly hits: number;
}

/** Replays every trace, prints its table when it is done, writes bench/results/.
 *  Returns false when the gate was asked for and failed. */
export function hitRatio(options: HitRatioOptions, command: string): boolean {
  // Results are shown to others, whom the folders of this machine do not concern.
  const machine = describeMachine(
    options.traces.reduce((text, file) => text.replace(file, basename(file)), command),
  );
  console.log(machineLine(machine));
  const cells: HitRatioCell[] = [];
  for (const trace of tracesOf(options)) {
    const measured = options.capacities.flatMap((capacity) => replayCell(trace, capacity, options));
    cells.push(...measured);
    console.log(`\n${traceTable(measured, options.bytes)}`);
  }
  return report(cells, machine, options);
}

/** Read or made one after another, so that only one is in memory. */
function* tracesOf({ traces, requests, seed }: HitRatioOptions): Generator<Trace> {
  for (const file of traces) yield readTrace(file);
  if (traces.length === 0) for (const name of generatorNames) yield generateTrace(name, requests, seed);
}

function replayCell(trace: Trace, capacity: Capacity, options: HitRatioOptions): HitRatioCell[] {
  const workload: Workload = {
    ...trace,
    weights: options.bytes ? weightsOf(trace, options.seed) : undefined,
  };
  const all = workload.weights?.reduce((sum, weight) => sum + weight, 0) ?? trace.keys;
  const amount = Math.max(1, Math.round(capacity.amount ?? all * (capacity.share ?? 1)));
  // All that is said about the others is said in relation to an exact LRU. Belady bounds only equal entries.
  const policies = new Set<PolicyName>([...options.policies, 'exact-lru']);
  if (options.bytes) policies.delete('opt');
  return [...policies].map((policy) => ({
    trace: trace.name,
    keys: trace.keys,
    requests: trace.requests.length,
    capacity,
    entries: entriesIn(workload, amount),
    policy,
    hits: replay(workload, makePolicy(policy, workload, amount)),
  }));
}

function report(cells: readonly HitRatioCell[], machine: Machine, options: HitRatioOptions): boolean {
  console.log(`\n${summaryTable(cells)}`);
  const verdicts = options.preset === 'gate' ? judgeHitRatios(cells) : [];
  if (verdicts.length > 0) console.log(`\n${verdictTable(verdicts)}`);
  const name = `hit-ratio${options.bytes ? '-bytes' : ''}${options.preset === 'full' ? '' : `-${options.preset}`}`;
  const told = { ...options, traces: options.traces.map((file) => basename(file)) };
  const files = writeResults(name, machine, { options: told, cells, verdicts }, hitRatioPlot(cells, machine));
  console.log(`\nwritten: ${files.join(', ')}`);
  return verdicts.every(({ pass }) => pass);
}
