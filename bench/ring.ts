/** `npm run bench -- ring`: how evenly keys are placed, how many a new shard moves, and what a lookup costs. */
import { keyHashNames } from '../src/route/key-hashes.ts';
import { distributions } from '../src/route/ring.ts';
import { describeMachine, machineLine } from './machine.ts';
import { quietShare, watchOthers } from './others.ts';
import { lookupTable, namesTable, placementTable, ringPlot } from './report/ring-report.ts';
import { writeResults } from './report/results.ts';
import { percent } from './report/table.ts';
import { verdictTable } from './report/verdict-table.ts';
import { keysOf, namesRows, namesSample, placementCells } from './ring/placement.ts';
import type { RingBenchOptions } from './ring/ring-options.ts';
import {
  type Figure,
  figures,
  judgeRing,
  keySetNames,
  type LookupRow,
  type PlacementCell,
} from './ring/ring-rows.ts';
import { Worker } from './worker.ts';

const program = new URL('ring/lookup-process.ts', import.meta.url);

/** Places keys, times lookups, prints a table of each, writes bench/results/.
 *  Returns false when the gate was asked for and failed. */
export async function ring(options: RingBenchOptions, command: string): Promise<boolean> {
  const machine = describeMachine(command);
  console.log(machineLine(machine));
  const names = namesRows(options.shards);
  const samples = options.shards.map(namesSample);
  console.log(`\n${namesTable(names, samples)}`);
  const cells: PlacementCell[] = [];
  for (const keySet of keySetNames) {
    const keys = keysOf(keySet, options.keys);
    for (const distribution of distributions) {
      const measured = placementCells(distribution, keySet, keys, options.shards);
      cells.push(...measured);
      console.log(`\n${placementTable(measured, keys.count)}`);
    }
  }
  const others = watchOthers([]);
  const lookups = await timeLookups(options);
  const othersShare = others();
  console.log(`\n${lookupTable(lookups)}`);
  if (othersShare >= quietShare) console.log(`\nOther programs used ${percent(othersShare)} of the CPU.`);
  const verdicts = judgeRing(cells);
  console.log(`\n${verdictTable(verdicts)}`);
  const name = options.preset === 'full' ? 'ring' : `ring-${options.preset}`;
  const data = { options, othersShare, names, samples, cells, lookups, verdicts };
  const files = writeResults(name, machine, data, ringPlot(cells, lookups, machine));
  console.log(`\nwritten: ${files.join(', ')}`);
  return options.preset !== 'gate' || verdicts.every(({ pass }) => pass);
}

/** The hashes take turns, round by round, so that a slow minute of the machine hits all. */
async function timeLookups({ rounds, operations }: RingBenchOptions): Promise<LookupRow[]> {
  const runs = keyHashNames.map((hash) => ({
    hash,
    worker: new Worker(program, { hash, operations }),
    nanos: Object.fromEntries(figures.map((figure) => [figure, []])) as unknown as Record<Figure, number[]>,
  }));
  try {
    for (const figure of figures) {
      // The first round finds the code uncompiled.
      for (const { worker } of runs) await worker.ask<number>(figure);
      for (let round = 0; round < rounds; round++) {
        for (const { worker, nanos } of runs) nanos[figure].push(await worker.ask<number>(figure));
      }
    }
    return runs.map(({ hash, nanos }) => ({ hash, nanos }));
  } finally {
    for (const { worker } of runs) await worker.stop();
  }
}
