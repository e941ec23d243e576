/** `npm run bench -- shards`: what several shards cost nearcache, against one. CPU of the nearcache process an operation, so
 *  that redis-servers and load generator on the same cores do not count. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { type Nearcache, startNearcache } from '../src/drill/servers/nearcache-process.ts';
import { describeMachine, machineLine } from './machine.ts';
import { watchOthers } from './others.ts';
import { threadCpuSeconds } from './process-usage.ts';
import { shardsPlot, shardsTable } from './report/shards-report.ts';
import { writeResults } from './report/results.ts';
import { percent } from './report/table.ts';
import { verdictTable } from './report/verdict-table.ts';
import { keysByShard } from './ring/keys-by-shard.ts';
import { judgeShards, type ShardsRow } from './shards/shards-rows.ts';
import type { ShardsOptions } from './shards/shards-options.ts';
import { startBackend, startTwemproxy, type Target } from './targets.ts';

const SHARDS = 3;
const KEYS_A_SHARD = 10;
const CONNECTIONS = 50;
const PIPELINE = 16;

const run = promisify(execFile);

/** One load, run by redis-benchmark. `times` = how many of these make one operation of the row. */
interface Load {
  readonly port: number;
  readonly pid: number;
  readonly commands: readonly (readonly string[])[];
}

/** Measures in interleaved rounds, prints a table, writes bench/results/.
 *  Returns false when the gate was asked for and failed. */
export async function shards(options: ShardsOptions, command: string): Promise<boolean> {
  const machine = describeMachine(command);
  console.log(machineLine(machine));
  const redis: Target[] = [];
  for (let i = 0; i < SHARDS; i++) redis.push(await startBackend());
  const names = redis.map((_, i) => `shard${i}`);
  const upstream = redis.map(({ port }, i) => `redis://127.0.0.1:${port}?name=${names[i]}`).join(',');
  const one = await start(`redis://127.0.0.1:${redis[0]?.port}`, options.cacheSize);
  const ring = await start(upstream, options.cacheSize);
  const ports = redis.map(({ port }) => port);
  const twemproxies = [await startTwemproxy(ports[0] as number), await startTwemproxy(...ports)] as const;
  const others = watchOthers([
    one.pid,
    ring.pid,
    ...twemproxies.map(({ pid }) => pid),
    ...redis.map(({ pid }) => pid),
  ]);
  try {
    const rows = await measure({ one, ring, twemproxies }, keysByShard(names, KEYS_A_SHARD, 'key:'), options);
    const othersShare = others();
    const verdicts = judgeShards(rows);
    console.log(`\n${shardsTable(rows)}\n\n${verdictTable(verdicts)}`);
    console.log(`\nOther programs used ${percent(othersShare)} of the CPU (the load generator among them).`);
    const name = options.preset === 'full' ? 'shards' : `shards-${options.preset}`;
    const data = { options, othersShare, rows, verdicts };
    const files = writeResults(name, machine, data, shardsPlot(rows, machine));
    console.log(`\nwritten: ${files.join(', ')}`);
    return options.preset !== 'gate' || verdicts.every(({ pass }) => pass);
  } finally {
    await Promise.all([one, ring, ...twemproxies].map((each) => each.stop()));
    await Promise.all(redis.map((each) => each.stop()));
  }
}

function start(upstream: string, cacheSize: string): Promise<Nearcache> {
  return startNearcache({ upstream, flags: ['--cache-size', cacheSize, '--log-level', 'warn'] });
}

/** What is compared, each in front of one Redis and of all. */
interface Measured {
  readonly one: Nearcache;
  readonly ring: Nearcache;
  readonly twemproxies: readonly [Target, Target];
}

function loadOf({ port, pid }: { readonly port: number; readonly pid: number }): Pick<Load, 'port' | 'pid'> {
  return { port, pid };
}

async function measure(
  { one, ring, twemproxies }: Measured,
  keys: readonly (readonly string[])[],
  options: ShardsOptions,
): Promise<ShardsRow[]> {
  const all = Array.from(
    { length: SHARDS * KEYS_A_SHARD },
    (_, i) => keys[i % SHARDS]?.[Math.floor(i / SHARDS)],
  );
  for (const key of all as string[]) await call(ring.port, ['SET', key, 'x'.repeat(64)]);
  const [single, several] = [loadOf(one), loadOf(ring)];
  const random = 'key:__rand_int__';
  const loads: Record<ShardsRow['name'], Load> = {
    'MGET 30, 3 shards': { ...several, commands: [['MGET', ...(all as string[])]] },
    'MGET 10, 3 times': { ...several, commands: keys.map((own) => ['MGET', ...own]) },
    'GET, one shard': { ...single, commands: [['GET', random]] },
    'GET, 3 shards': { ...several, commands: [['GET', random]] },
    'SET, one shard': { ...single, commands: [['SET', random, 'x'.repeat(64)]] },
    'SET, 3 shards': { ...several, commands: [['SET', random, 'x'.repeat(64)]] },
    'twemproxy GET, one': { ...loadOf(twemproxies[0]), commands: [['GET', random]] },
    'twemproxy GET, 3 shards': { ...loadOf(twemproxies[1]), commands: [['GET', random]] },
    'twemproxy SET, one': { ...loadOf(twemproxies[0]), commands: [['SET', random, 'x'.repeat(64)]] },
    'twemproxy SET, 3 shards': { ...loadOf(twemproxies[1]), commands: [['SET', random, 'x'.repeat(64)]] },
  };
  const rows = Object.keys(loads).map((name) => ({
    name: name as ShardsRow['name'],
    cpuMicros: [] as number[],
  }));
  for (let round = 0; round <= options.rounds; round++) {
    for (const row of rows) {
      const micros = await cpuOf(loads[row.name], options.requests);
      // The first round warms the compiled code up.
      if (round > 0) row.cpuMicros.push(micros);
    }
  }
  return rows;
}

/** CPU of the nearcache for all of the load's commands once. Units: µs. */
async function cpuOf({ port, pid, commands }: Load, requests: number): Promise<number> {
  let micros = 0;
  for (const command of commands) {
    const before = threadCpuSeconds(pid);
    await benchmark(port, requests, command);
    micros += ((threadCpuSeconds(pid) - before) * 1e6) / requests;
  }
  return micros;
}

async function benchmark(port: number, requests: number, command: readonly string[]): Promise<void> {
  const args = [
    '-h',
    '127.0.0.1',
    '-p',
    port,
    '-c',
    CONNECTIONS,
    '-P',
    PIPELINE,
    '-n',
    requests,
    '-r',
    100_000,
  ];
  const { stdout } = await run('redis-benchmark', [...args.map(String), '-q', ...command], {
    timeout: 120_000,
  });
  if (!/requests per second/.test(stdout) || /error/i.test(stdout)) throw new Error(stdout.slice(0, 200));
}

async function call(port: number, command: readonly string[]): Promise<void> {
  const { stdout } = await run('redis-cli', ['-p', String(port), ...command]);
  if (stdout.trim() !== 'OK') throw new Error(stdout.slice(0, 200));
}
