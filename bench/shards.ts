/** `npm run bench -- shards`: what several shards cost nearcache, against one, and against twemproxy before the same. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { type Nearcache, startNearcache } from '../src/drill/servers/nearcache-process.ts';
import { describeMachine, machineLine } from './machine.ts';
import { watchOthers } from './others.ts';
import { threadCpuSeconds } from './process-usage.ts';
import { besideTable, shardsPlot, shardsTable } from './report/shards-report.ts';
import { writeResults } from './report/results.ts';
import { percent } from './report/table.ts';
import { verdictTable } from './report/verdict-table.ts';
import { keysByShard } from './ring/keys-by-shard.ts';
import { commands, judgeShards, proxies, type Proxy, type ShardsRow } from './shards/shards-rows.ts';
import type { ShardsOptions } from './shards/shards-options.ts';
import { startBackend, startTwemproxy, type Target } from './targets.ts';

const SHARDS = 3;
const KEYS_A_SHARD = 10;
const CONNECTIONS = 50;
const PIPELINE = 16;

const execute = promisify(execFile);

/** One load, run by redis-benchmark: all its commands once are one operation. */
interface Load extends Omit<ShardsRow, 'cpuMicros' | 'perSecond'> {
  readonly server: Server;
  readonly commands: readonly (readonly string[])[];
}

type Server = Pick<Target, 'port' | 'pid'>;

/** Measures in interleaved rounds, prints a table, writes bench/results/.
 *  Returns false when the gate was asked for and failed. */
export async function shards(options: ShardsOptions, command: string): Promise<boolean> {
  const machine = describeMachine(command);
  console.log(machineLine(machine));
  const redis: Target[] = [];
  for (let i = 0; i < SHARDS; i++) redis.push(await startBackend());
  const names = redis.map((_, i) => `shard${i}`);
  const upstream = redis.map(({ port }, i) => `redis://127.0.0.1:${port}?name=${names[i]}`).join(',');
  const ports = redis.map(({ port }) => port);
  const nearcache = {
    1: await start(`redis://127.0.0.1:${ports[0]}`, options.cacheSize),
    3: await start(upstream, options.cacheSize),
  };
  const twemproxy = { 1: await startTwemproxy(ports[0] as number), 3: await startTwemproxy(...ports) };
  const started = [nearcache[1], nearcache[3], twemproxy[1], twemproxy[3]];
  const pids = [...started, ...redis].map(({ pid }) => pid);
  const others = watchOthers(pids);
  try {
    const rows = await measure({ nearcache, twemproxy }, keysByShard(names, KEYS_A_SHARD, 'key:'), options);
    const othersShare = others();
    const verdicts = judgeShards(rows);
    console.log(`\n${shardsTable(rows)}\n\n${besideTable(rows)}\n\n${verdictTable(verdicts)}`);
    console.log(`\nOther programs used ${percent(othersShare)} of the CPU (the load generator among them).`);
    const name = options.preset === 'full' ? 'shards' : `shards-${options.preset}`;
    const data = { options, othersShare, rows, verdicts };
    const files = writeResults(name, machine, data, shardsPlot(rows, machine));
    console.log(`\nwritten: ${files.join(', ')}`);
    return options.preset !== 'gate' || verdicts.every(({ pass }) => pass);
  } finally {
    await Promise.all(started.map((each) => each.stop()));
    await Promise.all(redis.map((each) => each.stop()));
  }
}

function start(upstream: string, cacheSize: string): Promise<Nearcache> {
  return startNearcache({ upstream, flags: ['--cache-size', cacheSize, '--log-level', 'warn'] });
}

/** What is compared, in front of one Redis and of all. */
type Measured = Readonly<Record<Proxy, Readonly<Record<1 | 3, Server>>>>;

async function measure(
  servers: Measured,
  keys: readonly (readonly string[])[],
  { rounds, requests }: ShardsOptions,
): Promise<ShardsRow[]> {
  const loads = [...loadsOfMany(servers.nearcache[3], keys), ...loadsOfOne(servers)];
  for (const key of keys.flat()) await call(servers.nearcache[3].port, ['SET', key, 'x'.repeat(64)]);
  const rows = loads.map((load) => ({ load, cpuMicros: [] as number[], perSecond: [] as number[] }));
  for (let round = 0; round <= rounds; round++) {
    for (const row of rows) {
      // One at a time takes the more time for less work.
      const count = row.load.pipeline === 1 ? Math.ceil(requests / 4) : requests;
      const { cpuMicros, perSecond } = await run(row.load, count);
      // The first round warms the compiled code up.
      if (round === 0) continue;
      row.cpuMicros.push(cpuMicros);
      row.perSecond.push(perSecond);
    }
  }
  return rows.map(({ load: { name, proxy, command, shards, pipeline }, ...measured }) => {
    return { name, proxy, command, shards, pipeline, ...measured };
  });
}

function loadsOfMany(server: Server, keys: readonly (readonly string[])[]): Load[] {
  // Each key at another shard than the one before it.
  const all = Array.from(
    { length: SHARDS * KEYS_A_SHARD },
    (_, i) => keys[i % SHARDS]?.[Math.floor(i / SHARDS)] as string,
  );
  const of = { server, proxy: 'nearcache', shards: SHARDS, pipeline: PIPELINE } as const;
  return [
    { ...of, name: 'MGET 30, 3 shards', command: 'MGET 30', commands: [['MGET', ...all]] },
    {
      ...of,
      name: 'MGET 10, 3 times',
      command: '3 × MGET 10',
      commands: keys.map((own) => ['MGET', ...own]),
    },
  ];
}

function loadsOfOne(servers: Measured): Load[] {
  const key = 'key:__rand_int__';
  const words = { GET: ['GET', key], SET: ['SET', key, 'x'.repeat(64)] };
  const shapes = [
    [1, PIPELINE],
    [SHARDS, PIPELINE],
    [SHARDS, 1],
  ] as const;
  return proxies.flatMap((proxy) =>
    commands.flatMap((command) =>
      shapes.map(([shards, pipeline]): Load => {
        const name = `${proxy} ${command}, ${shards === 1 ? 'one shard' : `${shards} shards`}, P=${pipeline}`;
        const server = servers[proxy][shards];
        return { name, proxy, command, shards, pipeline, server, commands: [words[command]] };
      }),
    ),
  );
}

/** CPU of the proxy for one operation, and operations a second. Units: µs. */
async function run(
  { server, pipeline, commands }: Load,
  requests: number,
): Promise<{ cpuMicros: number; perSecond: number }> {
  let cpuMicros = 0;
  let seconds = 0;
  for (const command of commands) {
    const before = threadCpuSeconds(server.pid);
    seconds += 1 / (await benchmark(server.port, { requests, pipeline }, command));
    cpuMicros += ((threadCpuSeconds(server.pid) - before) * 1e6) / requests;
  }
  return { cpuMicros, perSecond: 1 / seconds };
}

/** Requests a second. */
async function benchmark(
  port: number,
  { requests, pipeline }: { requests: number; pipeline: number },
  command: readonly string[],
): Promise<number> {
  const numbers = { '-p': port, '-c': CONNECTIONS, '-P': pipeline, '-n': requests, '-r': 100_000 };
  const args = Object.entries(numbers).flatMap(([flag, value]) => [flag, String(value)]);
  const { stdout } = await execute('redis-benchmark', ['-h', '127.0.0.1', ...args, '-q', ...command], {
    timeout: 120_000,
  });
  const found = /([\d.]+) requests per second/.exec(stdout);
  if (found === null || /error/i.test(stdout)) throw new Error(stdout.slice(0, 200));
  return Number(found[1]);
}

async function call(port: number, command: readonly string[]): Promise<void> {
  const { stdout } = await execute('redis-cli', ['-p', String(port), ...command]);
  if (stdout.trim() !== 'OK') throw new Error(stdout.slice(0, 200));
}
