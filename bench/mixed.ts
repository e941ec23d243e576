/** `npm run bench -- mixed`: reads and writes of a Zipf distribution across a simulated network hop, direct and through
 *  nearcache, and through nearcache without the hop. */
import { describeMachine, machineLine } from './machine.ts';
import { type FailedMixedRow, measureMixed, type MixedRow } from './mixed-cell.ts';
import { judgeMixed } from './mixed-gate.ts';
import { mixedTargets, type Stage, startStage } from './mixed-stage.ts';
import type { MixedOptions } from './options.ts';
import { type Cores, chooseCores, pin } from './pinning.ts';
import { mixedPlot, mixedTable } from './report/mixed-report.ts';
import { writeResults } from './report/results.ts';
import { disturbance } from './report/table.ts';
import { verdictTable } from './report/verdict-table.ts';

/** Runs every connection count, prints its table when it is done, writes bench/results/.
 *  Returns false when the gate was asked for and failed. */
export async function mixed(options: MixedOptions, command: string): Promise<boolean> {
  const machine = describeMachine(command);
  console.log(machineLine(machine));
  const stages: Stage[] = [];
  try {
    for (const id of mixedTargets) stages.push(await startStage(id, options));
    const cores = options.pin ? chooseCores() : undefined;
    if (cores !== undefined) place(stages, cores);
    const rows: (MixedRow | FailedMixedRow)[] = [];
    for (const connections of options.clients) {
      const measured = await measureMixed(stages, connections, options, cores);
      rows.push(...measured);
      console.log(`\n${mixedTable(connections, measured, options)}`);
    }
    const verdicts = options.preset === 'gate' ? judgeMixed(rows) : [];
    if (verdicts.length > 0) console.log(`\n${verdictTable(verdicts)}`);
    const warning = disturbance(rows);
    if (warning !== undefined) console.log(`\n${warning}`);
    const name = options.preset === 'full' ? 'mixed' : `mixed-${options.preset}`;
    const files = writeResults(name, machine, { options, rows, verdicts }, mixedPlot(rows, machine, options));
    console.log(`\nwritten: ${files.join(', ')}`);
    return verdicts.every(({ pass }) => pass);
  } finally {
    for (const stage of stages) await stage.stop();
  }
}

/** The relay shares the generator's core, as a real network takes no CPU from nearcache or Redis. */
function place(stages: readonly Stage[], cores: Cores): void {
  for (const { backend, target, hop } of stages) {
    pin(backend.pid, cores.servers);
    pin(target.pid, cores.servers);
    if (hop !== undefined) pin(hop.pid, cores.load);
  }
  console.log(`load and hop on core ${cores.load}, nearcache and Redis on core ${cores.servers}`);
}
