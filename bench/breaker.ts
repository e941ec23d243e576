/** `npm run bench -- breaker`: what the circuit breaker costs while all is well. Nearcaches that differ in nothing but --breaker, in
 *  front of one Redis, take turns. */
import { Redis } from 'ioredis';

import { startNearcache } from '../src/drill/servers/nearcache-process.ts';
import type { BreakerBenchOptions } from './breaker/breaker-options.ts';
import { judgeBreaker, type Round } from './breaker/breaker-rows.ts';
import { keyNames } from './load/request.ts';
import { writeKeys } from './load/warm-up.ts';
import { describeMachine, machineLine } from './machine.ts';
import { chooseCores, pin } from './pinning.ts';
import { breakerPlot, breakerTable } from './report/breaker-report.ts';
import { writeResults } from './report/results.ts';
import { percent } from './report/table.ts';
import { verdictTable } from './report/verdict-table.ts';
import { type Bench, type Cell, requestsFor, takeSample } from './sample.ts';
import { startBackend, type Target } from './targets.ts';

/** So many that a near-cache of 1 MB has hardly any of them: what is cached is gone when it is asked for again. */
const KEYS = 200_000;
const VALUE_BYTES = 64;
/** Of the requests of a run. */
const LEAD_SHARE = 1 / 3;
const load = { connections: 50, size: VALUE_BYTES };

interface Load {
  readonly name: string;
  readonly cacheSize: '0' | '1mb';
  readonly cell: Cell;
}

const loads: readonly Load[] = [
  { name: 'GET, P=1', cacheSize: '0', cell: { ...load, test: 'get', pipeline: 1 } },
  { name: 'GET, P=16', cacheSize: '0', cell: { ...load, test: 'get', pipeline: 16 } },
  { name: 'SET, P=16', cacheSize: '0', cell: { ...load, test: 'set', pipeline: 16 } },
  { name: 'miss, P=16', cacheSize: '1mb', cell: { ...load, test: 'get', pipeline: 16 } },
];

/** The two that are compared. */
interface Pair {
  readonly on: Target;
  readonly off: Target;
}

/** Measures in interleaved rounds, prints a table, writes bench/results/.
 *  Returns false when the gate was asked for and failed. */
export async function breaker(options: BreakerBenchOptions, command: string): Promise<boolean> {
  const machine = describeMachine(command);
  console.log(machineLine(machine));
  const backend = await startBackend();
  const redis = new Redis(backend.port, '127.0.0.1');
  try {
    const bench: Bench = { backend, redis, keys: keyNames(KEYS) };
    await writeKeys(redis, bench.keys, VALUE_BYTES);
    const rows = loads.map(({ name }) => ({ name, rounds: [] as Round[] }));
    for (let life = 0; life < options.lives; life++) await live(bench, life, options, rows);
    const verdicts = judgeBreaker(rows);
    const othersShare = Math.max(...rows.flatMap(({ rounds }) => rounds.map((round) => round.othersShare)));
    console.log(`\n${breakerTable(rows)}\n\n${verdictTable(verdicts)}`);
    console.log(`\nOther programs used up to ${percent(othersShare)} of the CPU in a run.`);
    const name = options.preset === 'full' ? 'breaker' : `breaker-${options.preset}`;
    const data = { options, othersShare, rows, verdicts };
    const files = writeResults(name, machine, data, breakerPlot(rows, machine));
    console.log(`\nwritten: ${files.join(', ')}`);
    return options.preset !== 'gate' || verdicts.every(({ pass }) => pass);
  } finally {
    redis.disconnect();
    await backend.stop();
  }
}

/** All rounds of one life, with processes of its own. */
async function live(
  bench: Bench,
  life: number,
  options: BreakerBenchOptions,
  rows: readonly { rounds: Round[] }[],
): Promise<void> {
  const isOnFirst = life % 2 === 0;
  const pairs = {
    '0': await startPair(bench.backend, '0', isOnFirst),
    '1mb': await startPair(bench.backend, '1mb', isOnFirst),
  };
  const targets = Object.values(pairs).flatMap(({ on, off }) => [on, off]);
  try {
    place([bench.backend, ...targets]);
    await measure(bench, pairs, options, (load, round) => rows[load]?.rounds.push({ life, ...round }));
  } finally {
    for (const target of targets) await target.stop();
  }
}

async function startPair(backend: Target, cacheSize: Load['cacheSize'], isOnFirst: boolean): Promise<Pair> {
  const start = async (breaker: 'on' | 'off'): Promise<Target> => {
    const flags = `--cache-size ${cacheSize} --breaker ${breaker} --log-level warn`.split(' ');
    const nearcache = await startNearcache({ upstream: backend.port, flags });
    const { port, pid, adminPort } = nearcache;
    // Not nearcache-hit: nothing is to be warmed.
    return { id: 'nearcache-off', port, pid, adminPort, stop: () => nearcache.stop() };
  };
  if (isOnFirst) return { on: await start('on'), off: await start('off') };
  const off = await start('off');
  return { on: await start('on'), off };
}

function place(servers: readonly Target[]): void {
  const cores = chooseCores();
  if (cores === undefined) return;
  pin(process.pid, cores.load);
  for (const { pid } of servers) pin(pid, cores.servers);
}

async function measure(
  bench: Bench,
  pairs: Readonly<Record<Load['cacheSize'], Pair>>,
  { rounds, seconds }: BreakerBenchOptions,
  add: (load: number, round: Omit<Round, 'life'>) => void,
): Promise<void> {
  const requests: number[] = [];
  for (const { cell, cacheSize } of loads) {
    // Both are warm then, and get the same number of requests.
    await requestsFor(bench, pairs[cacheSize].on, cell, seconds);
    requests.push(await requestsFor(bench, pairs[cacheSize].off, cell, seconds));
  }
  for (let round = 0; round < rounds; round++) {
    for (const [i, { cell, cacheSize }] of loads.entries()) {
      const take = (target: Target, part = 1): ReturnType<typeof takeSample> =>
        takeSample(bench, target, cell, Math.ceil(part * (requests[i] as number)));
      add(i, await runBoth(pairs[cacheSize], take, round % 2 === 0));
    }
  }
}

/** A short run before both that counts for neither: Redis needs up to 1.5 times its CPU for the first writes after a while of
 *  reads alone, and half the rounds would measure that. What is left of it they take in turns, and `compare` takes the mean of both orders. */
async function runBoth(
  { on, off }: Pair,
  take: (target: Target, part?: number) => ReturnType<typeof takeSample>,
  isOnFirst: boolean,
): Promise<Omit<Round, 'life'>> {
  await take(isOnFirst ? off : on, LEAD_SHARE);
  const first = await take(isOnFirst ? on : off);
  const second = await take(isOnFirst ? off : on);
  const [ofOn, ofOff] = isOnFirst ? [first, second] : [second, first];
  const othersShare = Math.max(first.othersShare, second.othersShare);
  return { isOnFirst, on: ofOn, off: ofOff, othersShare };
}
