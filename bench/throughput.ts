/** `npm run bench -- throughput`: operations a second, CPU, memory and percentiles of every target, side by side. */
import { Redis } from 'ioredis';

import { type FailedRow, measureCell, type Row } from './cell.ts';
import { isJudged, judge } from './gate.ts';
import { keyNames } from './load/request.ts';
import { describeMachine, type Machine, machineLine } from './machine.ts';
import type { ThroughputOptions } from './options.ts';
import { chooseCores, pin } from './pinning.ts';
import { writeResults } from './report/results.ts';
import { disturbance } from './report/table.ts';
import { cellTable, throughputPlot } from './report/throughput-report.ts';
import { verdictTable } from './report/verdict-table.ts';
import type { Bench, Cell } from './sample.ts';
import { type MissingTarget, startBackend, startTarget, type Target } from './targets.ts';

/** Runs the matrix, prints every cell when it is done, writes bench/results/.
 *  Returns false when the gate was asked for and failed. */
export async function throughput(options: ThroughputOptions, command: string): Promise<boolean> {
  const machine = describeMachine(command);
  console.log(machineLine(machine));
  const backend = await startBackend();
  const { running, missing } = await startTargets(options, backend);
  const redis = new Redis(backend.port, '127.0.0.1');
  try {
    placeOnCores([backend, ...running], options);
    const bench: Bench = { backend, redis, keys: keyNames(options.keys) };
    const rows: (Row | FailedRow)[] = [];
    for (const cell of cellsOf(options)) {
      const measured = await measureCell(bench, running, cell, options);
      measured.push(...missing.map(({ id, reason }) => ({ ...cell, target: id, failed: reason })));
      rows.push(...measured);
      console.log(`\n${cellTable(cell, measured)}`);
    }
    return report(rows, machine, options);
  } finally {
    redis.disconnect();
    for (const target of running) await target.stop();
    await backend.stop();
  }
}

async function startTargets(
  options: ThroughputOptions,
  backend: Target,
): Promise<{ running: Target[]; missing: MissingTarget[] }> {
  const running: Target[] = [];
  const missing: MissingTarget[] = [];
  for (const id of options.targets) {
    const target = id === 'direct' ? backend : await startTarget(id, backend.port);
    if ('port' in target) running.push(target);
    else {
      missing.push(target);
      console.log(`${id} is left out: ${target.reason}`);
    }
  }
  return { running, missing };
}

function placeOnCores(servers: readonly Target[], options: ThroughputOptions): void {
  const cores = options.pin ? chooseCores() : undefined;
  if (cores === undefined) {
    console.log('nothing is pinned to a core: expect rounds to differ a lot');
    return;
  }
  pin(process.pid, cores.load);
  for (const { pid } of servers) pin(pid, cores.servers);
  console.log(`load on core ${cores.load}, all servers on core ${cores.servers}`);
}

function cellsOf({ tests, clients, sizes, pipelines, preset }: ThroughputOptions): Cell[] {
  const cells = tests.flatMap((test) =>
    clients.flatMap((connections) =>
      sizes.flatMap((size) => pipelines.map((pipeline) => ({ test, connections, size, pipeline }))),
    ),
  );
  return preset === 'gate' ? cells.filter(isJudged) : cells;
}

function report(rows: readonly (Row | FailedRow)[], machine: Machine, options: ThroughputOptions): boolean {
  const verdicts = options.preset === 'gate' ? judge(rows) : [];
  if (verdicts.length > 0) console.log(`\n${verdictTable(verdicts)}`);
  const warning = disturbance(rows);
  if (warning !== undefined) console.log(`\n${warning}`);
  const name = options.preset === 'full' ? 'throughput' : `throughput-${options.preset}`;
  const files = writeResults(name, machine, { options, rows, verdicts }, throughputPlot(rows, machine));
  console.log(`\nwritten: ${files.join(', ')}`);
  return verdicts.every(({ pass }) => pass);
}
