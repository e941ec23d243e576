/** `npm run bench -- memory`: what the near-cache really takes of the machine's memory, against its limit. */
import { describeMachine, type Machine, machineLine } from './machine.ts';
import { quietShare, watchOthers } from './others.ts';
import {
  type Churn,
  type Fill,
  type FillRow,
  judgeMemory,
  type MemoryInput,
  type MemoryKind,
  type MemoryRows,
  memoryKinds,
  type Soak,
} from './memory/memory-rows.ts';
import { churnTable, fillTable, memoryPlot, soakLine } from './report/memory-report.ts';
import { writeResults } from './report/results.ts';
import { median, percent } from './report/table.ts';
import { verdictTable } from './report/verdict-table.ts';
import type { MemoryOptions } from './storage-options.ts';
import { Worker } from './worker.ts';

const program = new URL('memory/memory-process.ts', import.meta.url);
/** Resident memory differs by a few MB from one process to the next. */
const rounds = 3;

/** Runs every part in processes of its own, prints each when it is done, writes bench/results/.
 *  Returns false when the gate was asked for and failed. */
export async function memory(options: MemoryOptions, command: string): Promise<boolean> {
  const machine = describeMachine(command);
  console.log(machineLine(machine));
  const others = watchOthers([]);
  const fills: FillRow[] = [];
  for (const limitBytes of options.limits) {
    const measured = await measureFills(limitBytes, options);
    fills.push(...measured);
    console.log(`\n${fillTable(limitBytes, options.inserts, measured)}`);
  }
  const limitBytes = Math.min(...options.limits);
  const churn = options.churnKeys === 0 ? undefined : await askStore<Churn>('churn', limitBytes, options);
  if (churn !== undefined) console.log(`\n${churnTable(churn, limitBytes)}`);
  const soak = options.minutes === 0 ? undefined : await askStore<Soak>('soak', limitBytes, options);
  if (soak !== undefined) console.log(`\n${soakLine(soak, options.minutes)}`);
  const othersShare = others();
  if (othersShare >= quietShare) console.log(`\nOther programs used ${percent(othersShare)} of the CPU.`);
  return report({ fills, churn, soak }, limitBytes, machine, options);
}

async function measureFills(limitBytes: number, options: MemoryOptions): Promise<FillRow[]> {
  const runs = new Map<MemoryKind, Fill[]>(memoryKinds.map((kind) => [kind, []]));
  for (let round = 0; round < rounds; round++) {
    for (const kind of memoryKinds) {
      runs.get(kind)?.push(await ask<Fill>('fill', inputOf(kind, limitBytes, options)));
    }
  }
  const middle = (kind: MemoryKind, pick: (fill: Fill) => number): number =>
    median((runs.get(kind) ?? []).map(pick));
  const control = middle('none', ({ grownBytes }) => grownBytes);
  return memoryKinds.map((kind) => {
    const grownBytes = middle(kind, (fill) => fill.grownBytes);
    return {
      kind,
      limitBytes,
      grownBytes,
      ownBytes: grownBytes - control,
      peakBytes: middle(kind, (fill) => fill.peakBytes),
      entries: middle(kind, (fill) => fill.entries),
    };
  });
}

function askStore<T>(question: string, limitBytes: number, options: MemoryOptions): Promise<T> {
  return ask<T>(question, inputOf('store', limitBytes, options));
}

async function ask<T>(question: string, input: MemoryInput): Promise<T> {
  const worker = new Worker(program, input);
  try {
    return await worker.ask<T>(question);
  } finally {
    await worker.stop();
  }
}

function inputOf(kind: MemoryKind, limitBytes: number, options: MemoryOptions): MemoryInput {
  const { inserts, churnKeys, minutes } = options;
  // Entries take about 600 bytes.
  return { kind, limitBytes, inserts, warmUpInserts: Math.ceil(limitBytes / 300), churnKeys, minutes };
}

function report(rows: MemoryRows, limitBytes: number, machine: Machine, options: MemoryOptions): boolean {
  const verdicts = judgeMemory(rows, limitBytes);
  console.log(`\n${verdictTable(verdicts)}`);
  const name = options.preset === 'full' ? 'memory' : `memory-${options.preset}`;
  const files = writeResults(name, machine, { options, ...rows, verdicts }, memoryPlot(rows.fills, machine));
  console.log(`\nwritten: ${files.join(', ')}`);
  return options.preset !== 'gate' || verdicts.every(({ pass }) => pass);
}
