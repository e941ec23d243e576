/** `npm run bench -- paused-shard`: one of three shards is frozen (SIGSTOP) while requests go on at a fixed rate. What do the others'
 *  requests feel of it, what becomes of its own, and what does it cost in memory? */
import { setTimeout as delay } from 'node:timers/promises';

import { type Nearcache, startNearcache } from '../src/drill/servers/nearcache-process.ts';
import { readMetrics } from '../src/drill/servers/read-metrics.ts';
import type { RedisServer } from '../src/drill/servers/redis-backend.ts';
import { withRedis } from '../src/drill/servers/redis-call.ts';
import { processBackend } from '../src/drill/servers/redis-process.ts';
import { startAll, startRedisOn, stopAll } from '../src/drill/servers/redis-server.ts';
import { describeMachine, machineLine } from './machine.ts';
import { watchOthers } from './others.ts';
import {
  COLD_KEYS,
  HOT_KEYS,
  type LoadReport,
  machineMs,
  PAUSED,
  type PausePlan,
  SHARD_NAMES,
  unpackSent,
  valueOfKey,
} from './pause/pause-plan.ts';
import type { PauseOptions } from './pause/pause-options.ts';
import { judgePause, type Look, type PauseRun } from './pause/pause-rows.ts';
import { chooseCores, pin } from './pinning.ts';
import { residentBytes } from './process-usage.ts';
import { momentsLine, othersTable, pausedTable, pausePlot } from './report/pause-report.ts';
import { writeResults } from './report/results.ts';
import { digits, percent } from './report/table.ts';
import { verdictTable } from './report/verdict-table.ts';
import { keysByShard } from './ring/keys-by-shard.ts';
import { Worker } from './worker.ts';

const COMMAND_TIMEOUT_MS = 5000;
/** The near-cache is full before the pause, so that it does not grow in it; stale entries may be served for longer than it lasts. */
const FLAGS = [
  `--command-timeout ${COMMAND_TIMEOUT_MS}ms --cache-size 1mb`,
  '--log-level info --log-format json',
].flatMap((line) => line.split(' '));
/** Left to itself, V8 lets garbage lie for minutes under such a load, half a megabyte a second, pause or not. With less than this it
 *  would make the space for new objects smaller too, and collect all the time. */
const HEAP_MB = 128;
const LOOK_MS = 100;
/** Asking for all metrics takes nearcache some milliseconds, so not with each look. */
const LOOKS_A_BREAKER = 5;
const BREAKER = `nearcache_shard_breaker_state{shard="${SHARD_NAMES[PAUSED]}"}`;

interface Scene {
  readonly redis: readonly RedisServer[];
  readonly nearcache: Nearcache;
  readonly load: Worker;
  readonly options: PauseOptions;
}

/** Measures once, prints tables, writes bench/results/.
 *  Returns false when the gate was asked for and failed. */
export async function pausedShard(options: PauseOptions, command: string): Promise<boolean> {
  const machine = describeMachine(command);
  console.log(machineLine(machine));
  const redis = await startAll(SHARD_NAMES.map(() => () => startRedisOn(processBackend, {})));
  const nearcache = await startBefore(redis, options);
  const load = startLoad(nearcache, options);
  const pids = [...redis.map(({ pid }) => pid), nearcache.pid];
  try {
    await fill(redis);
    place(pids, load.pid);
    const others = watchOthers([...pids, load.pid]);
    const { run, report } = await measure({ redis, nearcache, load, options });
    const othersShare = others();
    const verdicts = judgePause(run);
    console.log(`\n${othersTable(run)}\n\n${pausedTable(run)}\n\n${momentsLine(run)}`);
    console.log(`The load woke up to ${digits(report.lagMs)} ms late (p99). Errors, by text:`);
    for (const [text, count] of Object.entries(report.errors)) console.log(`  ${count} × ${text}`);
    console.log(`\n${verdictTable(verdicts)}\n\nOther programs used ${percent(othersShare)} of the CPU.`);
    const name = options.preset === 'full' ? 'paused-shard' : `paused-shard-${options.preset}`;
    const { marks, looks } = run;
    const { errors, lagMs } = report;
    const tables = { others: othersTable(run).split('\n'), paused: pausedTable(run).split('\n') };
    const data = { options, othersShare, marks, lagMs, errors, tables, looks, verdicts };
    const title = `One of three shards is paused under ${options.rate} requests a second`;
    const files = writeResults(name, machine, data, pausePlot(run, title));
    console.log(`\nwritten: ${files.join(', ')}`);
    return options.preset !== 'gate' || verdicts.every(({ pass }) => pass);
  } finally {
    await load.stop();
    await nearcache.kill();
    await stopAll(redis);
  }
}

function startBefore(redis: readonly RedisServer[], { pauseSeconds }: PauseOptions): Promise<Nearcache> {
  const upstream = redis.map(({ url }, i) => `${url}?name=${SHARD_NAMES[i]}`).join(',');
  const flags = [...FLAGS, '--stale-if-error', `${pauseSeconds + 10}s`];
  return startNearcache({ upstream, flags, env: { NODE_OPTIONS: `--max-old-space-size=${HEAP_MB}` } });
}

function startLoad({ port }: Nearcache, options: PauseOptions): Worker {
  const { connections, rate, warmSeconds, calmSeconds, pauseSeconds, afterSeconds } = options;
  const seconds = calmSeconds + pauseSeconds + afterSeconds;
  const plan: PausePlan = { port, connections, rate, warmSeconds, seconds };
  return new Worker(new URL('pause/pause-process.ts', import.meta.url), plan);
}

async function fill(redis: readonly RedisServer[]): Promise<void> {
  const [hot, cold] = [
    keysByShard(SHARD_NAMES, HOT_KEYS, 'hot:'),
    keysByShard(SHARD_NAMES, COLD_KEYS, 'cold:'),
  ];
  for (const [i, server] of redis.entries()) {
    const keys = [...(hot[i] ?? []), ...(cold[i] ?? [])];
    await withRedis(server, (client) => client.mset(keys.flatMap((key) => [key, valueOfKey(key)])));
  }
}

function place(servers: readonly number[], load: number): void {
  const cores = chooseCores();
  if (cores === undefined) return;
  for (const pid of servers) pin(pid, cores.servers);
  pin(process.pid, cores.load);
  pin(load, cores.load);
}

async function measure({
  redis,
  nearcache,
  load,
  options,
}: Scene): Promise<{ run: PauseRun; report: LoadReport }> {
  await load.ask('warm');
  const watch = watchNearcache(nearcache);
  const beganAt = machineMs();
  const came = load.ask<LoadReport>('run');
  const shard = redis[PAUSED] as RedisServer;
  await delay(options.calmSeconds * 1000);
  const stoppedAt = machineMs();
  await shard.kill('SIGSTOP');
  await delay(options.pauseSeconds * 1000);
  const continuedAt = machineMs();
  await shard.kill('SIGCONT');
  const report = await came;
  const looks = await watch();
  const sent = unpackSent(report.requests);
  const openings = [
    ...looks
      .filter(({ at, breaker }) => at >= stoppedAt && breaker !== undefined && breaker > 0)
      .map(({ at }) => at),
    ...sent
      .filter(({ shard: of, outcome }) => of === PAUSED && outcome === 'refused')
      .map(({ doneAt }) => doneAt),
  ];
  const openAt = openings.length === 0 ? undefined : openings.reduce((first, at) => Math.min(first, at));
  const marks = { beganAt, stoppedAt, openAt, continuedAt };
  const run = { sent, looks, marks, closed: report.closed, commandTimeoutMs: COMMAND_TIMEOUT_MS };
  return { run, report };
}

/** Looks at it until told to stop. */
function watchNearcache(nearcache: Nearcache): () => Promise<Look[]> {
  const looks: Look[] = [];
  const over = new AbortController();
  const look = async (number: number): Promise<void> => {
    const bytes = residentBytes(nearcache.pid);
    const isAsked = number % LOOKS_A_BREAKER === 0;
    const breaker = isAsked ? (await readMetrics(nearcache)).get(BREAKER) : undefined;
    looks.push({ at: machineMs(), residentBytes: bytes, breaker });
  };
  const running = (async (): Promise<void> => {
    for (let number = 0; !over.signal.aborted; number++) {
      await look(number);
      await delay(LOOK_MS);
    }
  })();
  return async () => {
    over.abort();
    await running;
    return looks;
  };
}
