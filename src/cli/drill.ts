import { writeFileSync } from 'node:fs';
import { type ChosenBackend, chooseBackend } from '../drill/choose-backend.ts';
import type { DrillRecord } from '../drill/record.ts';
import { hasPassed } from '../drill/report/outcome.ts';
import { renderDrillPage } from '../drill/report/page.ts';
import { renderDrillSummary, renderDrillText, type TextFrame } from '../drill/report/table.ts';
import { runDrill } from '../drill/run.ts';
import { SCENARIOS } from '../drill/scenarios.ts';
import { NotPossible } from '../drill/servers/private-names.ts';
import { DRILL_HELP, type DrillToolOptions, readDrillOptions } from './drill-options.ts';

const EXIT_USAGE = 2;
const EXIT_FAILED = 1;
const WIDTH = 120;

/** `nearcache drill …`. Ends the process, or resolves with the exit code: 0 all promises kept, 1 one was not, or a drill could not be done, 2 a mistake in
 *  the arguments (all of them printed). */
export async function drill(argv: readonly string[]): Promise<number> {
  if (argv.includes('--help') || argv[0] === 'help') {
    console.log(DRILL_HELP);
    return 0;
  }
  const read = readDrillOptions(argv);
  if ('problems' in read) {
    for (const problem of read.problems) console.error(`nearcache: ${problem}`);
    return EXIT_USAGE;
  }
  const { options } = read;
  if (options.list) {
    for (const { name, title } of SCENARIOS) console.log(`${name.padEnd(20)}${title}`);
    return 0;
  }
  const code = await play(options).catch((error: unknown) => {
    console.error(`nearcache: drill: ${error instanceof Error ? error.message : String(error)}`);
    return EXIT_FAILED;
  });
  // Not by itself: Node 26 sometimes waits for ever, and busily, for sockets that were reset (Environment::CleanupHandles).
  process.exit(code);
}

async function play(options: DrillToolOptions): Promise<number> {
  const chosen = await chooseBackend(options.backend, options.image);
  console.log(
    `servers: ${chosen.backend.name === 'container' ? 'containers' : 'processes'}, ${chosen.why}\n`,
  );
  const frame: TextFrame = {
    width: Math.max(60, process.stdout.columns ?? WIDTH),
    hasColours: process.stdout.isTTY,
  };
  const records: DrillRecord[] = [];
  for (const name of options.scenarios) {
    const isLast = name === options.scenarios.at(-1);
    const record = await playOne(name, chosen, { ...options, keep: options.keep && isLast });
    if (record === undefined) continue;
    records.push(record);
    console.log(`\n${renderDrillText(record, frame)}\n`);
    // After each, so that nothing is lost when a later one is stopped.
    if (options.report !== undefined) writeFileSync(options.report, renderDrillPage(records));
    if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(records, undefined, 2)}\n`);
  }
  if (records.length !== 1) console.log(renderDrillSummary(records, frame));
  return records.length > 0 && records.every(hasPassed) ? 0 : EXIT_FAILED;
}

/** Undefined when this machine cannot do it; alone that is an error. */
async function playOne(
  name: string,
  { backend }: ChosenBackend,
  { seconds, rate, shards, keep, scenarios }: DrillToolOptions,
): Promise<DrillRecord | undefined> {
  const scenario = SCENARIOS.find((each) => each.name === name);
  if (scenario === undefined) throw new Error(`no scenario ${name}`);
  console.log(`${name}: ${scenario.title}`);
  try {
    return await runDrill(scenario, {
      backend,
      seconds,
      ratePerSecond: rate,
      shards,
      onEvent: ({ atMs, text }) => console.log(`  ${(atMs / 1000).toFixed(1).padStart(6)} s  ${text}`),
      ...(keep ? { onEnd: waitForever } : {}),
    });
  } catch (error) {
    if (!(error instanceof NotPossible) || scenarios.length === 1) throw error;
    console.log(`  cannot be done here: ${error.message}\n`);
    return undefined;
  }
}

/** The signal that ends this process ends everything that it started. */
async function waitForever(addresses: readonly string[]): Promise<void> {
  console.log(`\nleft running until Ctrl-C:\n${addresses.map((line) => `  ${line}`).join('\n')}`);
  await new Promise<never>(() => {
    setInterval(() => {}, 60_000);
  });
}
