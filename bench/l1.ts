/** `npm run bench -- l1`: what a hit, a miss and a set cost inside of the process, against lru-cache with Buffers. */
import {
  type Figure,
  figures,
  type Filled,
  type GcChurn,
  judgeL1,
  type L1Input,
  l1Kinds,
  type L1Row,
  type Timing,
  whyInvalidL1,
} from './l1/l1-rows.ts';
import { describeMachine, machineLine } from './machine.ts';
import { quietShare, watchOthers } from './others.ts';
import { l1Plot, l1Table } from './report/l1-report.ts';
import { writeResults } from './report/results.ts';
import { percent } from './report/table.ts';
import { verdictTable } from './report/verdict-table.ts';
import type { L1Options } from './storage-options.ts';
import { Worker } from './worker.ts';

const program = new URL('l1/l1-process.ts', import.meta.url);

/** Runs all caches side by side, prints a table, writes bench/results/.
 *  Returns false when the gate was asked for and failed. */
export async function l1(options: L1Options, command: string): Promise<boolean> {
  const machine = describeMachine(command);
  console.log(machineLine(machine));
  const { entries, operations, churnOperations } = options;
  const runs = l1Kinds.map((kind) => new CacheRun({ kind, entries, operations, churnOperations }));
  const others = watchOthers(runs.map(({ pid }) => pid));
  try {
    const rows = await measure(runs, options.rounds);
    const othersShare = others();
    console.log(`\n${l1Table(rows, entries)}`);
    const verdicts = judgeL1(rows);
    console.log(`\n${verdictTable(verdicts)}`);
    if (othersShare >= quietShare) console.log(`\nOther programs used ${percent(othersShare)} of the CPU.`);
    const name = options.preset === 'full' ? 'l1' : `l1-${options.preset}`;
    const files = writeResults(
      name,
      machine,
      { options, othersShare, rows, verdicts },
      l1Plot(rows, machine),
    );
    console.log(`\nwritten: ${files.join(', ')}`);
    return options.preset !== 'gate' || verdicts.every(({ pass }) => pass);
  } finally {
    for (const run of runs) await run.stop();
  }
}

/** The caches take turns, round by round, so that a slow minute of the machine hits both. */
async function measure(runs: readonly CacheRun[], rounds: number): Promise<L1Row[]> {
  for (const run of runs) await run.fill();
  for (const figure of figures) {
    for (let round = 0; round < rounds; round++) for (const run of runs) await run.time(figure);
  }
  const rows: L1Row[] = [];
  for (const run of runs) rows.push(await run.finish());
  return rows;
}

/** One cache in its process. */
class CacheRun {
  readonly #input: L1Input;
  readonly #worker: Worker;
  readonly #timings: Record<Figure, Timing[]> = {
    hit: [],
    'hit+copy': [],
    miss: [],
    overwrite: [],
    'set+evict': [],
  };
  #filled: Filled = { residentAnEntry: Number.NaN, entries: 0 };

  constructor(input: L1Input) {
    this.#input = input;
    this.#worker = new Worker(program, input);
  }

  get pid(): number {
    return this.#worker.pid;
  }

  async fill(): Promise<void> {
    this.#filled = await this.#worker.ask<Filled>('fill');
    // The first runs of each find the code uncompiled. Not so for the two that change what is held.
    for (const figure of ['hit', 'hit+copy', 'miss'] as const) await this.#worker.ask<Timing>(figure);
  }

  async time(figure: Figure): Promise<void> {
    this.#timings[figure].push(await this.#worker.ask<Timing>(figure));
  }

  async finish(): Promise<L1Row> {
    const { kind, entries } = this.#input;
    const row = { kind, filled: this.#filled, timings: this.#timings };
    const churn = await this.#worker.ask<GcChurn>('churn');
    return { ...row, churn, invalid: whyInvalidL1(row, entries) };
  }

  stop(): Promise<void> {
    return this.#worker.stop();
  }
}
