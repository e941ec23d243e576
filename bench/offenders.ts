/** `npm run bench -- offenders`: what clients that break the rules do to the others. Two nearcaches before one Redis have the
 *  same clients at the same time; one of them has the offenders, too. */
import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';

import { type Nearcache, startNearcache } from '../src/drill/servers/nearcache-process.ts';
import { readMetrics } from '../src/drill/servers/read-metrics.ts';
import { runOpenLoop } from './load/open-loop.ts';
import { buildBatches, expectedReply, keyNames, type TestName } from './load/request.ts';
import { warmCache, writeKeys } from './load/warm-up.ts';
import { imageNodeOptions } from './image-options.ts';
import { describeMachine, machineLine } from './machine.ts';
import { LARGE_BYTES, type OffendersHeard, type OffendersPlan } from './offenders/offenders-plan.ts';
import type { OffendersOptions } from './offenders/offenders-options.ts';
import {
  type EndRow,
  judgeOffenders,
  type MemoryRow,
  type OthersRow,
  type QuietShares,
} from './offenders/offenders-rows.ts';
import { watchOthers } from './others.ts';
import { chooseCores, pin } from './pinning.ts';
import { residentBytes } from './process-usage.ts';
import { endsTable, memoryLine, offendersPlot, othersTable, quietLine } from './report/offenders-report.ts';
import { newHistogram, type Percentiles, percentilesOf, recordMs } from './report/percentiles.ts';
import { writeResults } from './report/results.ts';
import { percent } from './report/table.ts';
import { verdictTable } from './report/verdict-table.ts';
import { StolenTime } from './stolen.ts';
import { startBackend, type Target } from './targets.ts';
import { Worker } from './worker.ts';

const MB = 1024 * 1024;
const LIMIT_MB = 256;
const TIMEOUT_SECONDS = 5;
/** On a busy machine the last of them are noticed later. */
const ENDED_WITHIN_MS = 4 * TIMEOUT_SECONDS * 1000;
const REASONS = ['slow', 'memory', 'request', 'protocol'];
const CONNECTIONS = 20;
const VALUE_BYTES = 64;
const LARGE_KEY = 'large';
const FLAGS = [
  `--max-clients-memory ${LIMIT_MB}mb --slow-client-timeout ${TIMEOUT_SECONDS}s`,
  `--slow-client-rate 128kb --request-timeout ${TIMEOUT_SECONDS}s --max-item-size 128kb --canary-interval 0`,
].flatMap((line) => line.split(' '));

interface Scene {
  readonly options: OffendersOptions;
  readonly beside: Nearcache;
  readonly apart: Nearcache;
  readonly offenders: Worker;
}

/** Measures once, prints tables, writes bench/results/.
 *  Returns false when the gate was asked for and failed. */
export async function offenders(options: OffendersOptions, command: string): Promise<boolean> {
  const machine = describeMachine(command);
  console.log(machineLine(machine));
  const backend = await startBackend();
  const [beside, apart] = [await start(backend), await start(backend)];
  const offenders = startOffenders(options, beside.port);
  const pids = [backend.pid, beside.pid, apart.pid];
  try {
    await prepare(backend, [beside, apart]);
    place(pids, offenders.pid);
    const others = watchOthers([...pids, offenders.pid]);
    const { rows, ends, memory, quiet } = await measure({ options, beside, apart, offenders });
    const othersShare = others();
    const verdicts = judgeOffenders(rows, ends, memory, quiet);
    console.log(
      `\n${othersTable(rows)}\n\n${quietLine(quiet)}\n\n${endsTable(ends)}\n\n${memoryLine(memory)}\n`,
    );
    console.log(`${verdictTable(verdicts)}\n\nOther programs used ${percent(othersShare)} of the CPU.`);
    const name = options.preset === 'full' ? 'offenders' : `offenders-${options.preset}`;
    const data = { options, othersShare, quiet, rows, ends, memory, verdicts };
    const files = writeResults(name, machine, data, offendersPlot(rows, machine));
    console.log(`\nwritten: ${files.join(', ')}`);
    return options.preset !== 'gate' || verdicts.every(({ pass }) => pass);
  } finally {
    await offenders.stop();
    await Promise.all([beside.kill(), apart.kill()]);
    await backend.stop();
  }
}

function start({ port }: Target): Promise<Nearcache> {
  return startNearcache({ upstream: port, flags: FLAGS, env: { NODE_OPTIONS: imageNodeOptions() } });
}

function startOffenders(options: OffendersOptions, port: number): Worker {
  const { seconds, crowd, pipelined, bigMegabytes, bigMegabytesPerSecond } = options;
  const plan: OffendersPlan = {
    port,
    seconds,
    crowd,
    pipelined,
    bigMegabytes,
    bigMegabytesPerSecond,
    largeKey: LARGE_KEY,
  };
  return new Worker(new URL('offenders/offenders-process.ts', import.meta.url), plan);
}

/** All keys that are read are in both caches. */
async function prepare(backend: Target, nearcaches: readonly Nearcache[]): Promise<void> {
  const redis = new Redis(backend.port, '127.0.0.1');
  await writeKeys(redis, keysOf('get'), VALUE_BYTES);
  await redis.set(LARGE_KEY, 'x'.repeat(LARGE_BYTES));
  redis.disconnect();
  for (const nearcache of nearcaches) {
    const { port, pid, adminPort } = nearcache;
    const target: Target = { id: 'nearcache-hit', port, pid, adminPort, stop: () => nearcache.stop() };
    await warmCache(target, [...keysOf('get'), LARGE_KEY]);
  }
}

function place(servers: readonly number[], load: number): void {
  const cores = chooseCores();
  if (cores === undefined) return;
  for (const pid of servers) pin(pid, cores.servers);
  pin(process.pid, cores.load);
  pin(load, cores.load);
}

function keysOf(test: TestName): string[] {
  return test === 'get' ? keyNames(64) : Array.from({ length: 64 }, (_, i) => `written:${i}`);
}

interface Measured {
  readonly rows: readonly OthersRow[];
  readonly ends: readonly EndRow[];
  readonly memory: MemoryRow;
  readonly quiet: QuietShares;
}

async function measure(scene: Scene): Promise<Measured> {
  const { beside, apart, offenders: process } = scene;
  const rss = watchMemory([beside.pid, apart.pid]);
  // A process whose code is not compiled yet takes up to a hundred milliseconds for a turn, with offenders and without.
  await loadAll(scene, scene.options.warmSeconds);
  const came = process.ask<OffendersHeard>('run');
  const stolen = new StolenTime();
  const loads = await loadAll(scene, scene.options.seconds);
  stolen.stop();
  const [hits, hitsApart, writes, writesApart] = loads.map((requests) =>
    quietOf(requests, stolen),
  ) as Four<Percentiles>;
  const heard = await came;
  await allEnded(scene);
  const halfOpen = await process.ask<number>('heard');
  const [peak = 0, peakApart = 0] = rss();
  const ends = await endsOf(scene, { ...heard, halfOpen });
  await process.ask('leave');
  return {
    rows: [
      { name: 'hits', beside: hits, apart: hitsApart },
      { name: 'writes', beside: writes, apart: writesApart },
    ],
    ends,
    memory: { peak, apart: peakApart, limit: LIMIT_MB * MB },
    quiet: { all: stolen.quietShare(), big: stolen.quietShare(heard.bigMs) },
  };
}

/** One request. Units: ms, of performance.now(). */
interface Timed {
  readonly ms: number;
  readonly sentAt: number;
}

type Four<T> = [hits: T, hitsApart: T, writes: T, writesApart: T];

/** Of the requests of seconds in which no other machine had the CPU: the same seconds for both nearcaches. */
function quietOf(requests: readonly Timed[], stolen: StolenTime): Percentiles {
  const latency = newHistogram();
  for (const { ms, sentAt } of requests) if (stolen.isQuietAt(sentAt)) recordMs(latency, ms);
  return percentilesOf(latency);
}

function loadAll({ options, beside, apart }: Scene, seconds: number): Promise<Four<readonly Timed[]>> {
  return Promise.all([
    load(options, beside, 'get', seconds),
    load(options, apart, 'get', seconds),
    load(options, beside, 'set', seconds),
    load(options, apart, 'set', seconds),
  ]);
}

async function load(
  options: OffendersOptions,
  { port }: Nearcache,
  test: TestName,
  seconds: number,
): Promise<readonly Timed[]> {
  const requests: Timed[] = [];
  await runOpenLoop({
    port,
    connections: CONNECTIONS,
    batches: buildBatches(test, keysOf(test), VALUE_BYTES, 1),
    reply: expectedReply(test, VALUE_BYTES),
    batchesPerSecond: options.requestsPerSecond,
    seconds,
    warmUpSeconds: 0.5,
    onLatency: (ms, sentAt) => requests.push({ ms, sentAt }),
  });
  return requests;
}

/** The most that each process has had, as far as looks every 50 ms see it. Units: bytes. */
function watchMemory(pids: readonly number[]): () => number[] {
  const peaks = pids.map(() => 0);
  const timer = setInterval(() => {
    for (const [i, pid] of pids.entries()) peaks[i] = Math.max(peaks[i] as number, residentBytes(pid));
  }, 50);
  return () => {
    clearInterval(timer);
    return peaks;
  };
}

/** Until all that can end have, or have had the time for it. */
async function allEnded({ options, beside }: Scene): Promise<void> {
  const deadline = performance.now() + ENDED_WITHIN_MS;
  const all = 2 * options.crowd + 2;
  while (closedOf(await readMetrics(beside), ...REASONS) < all && performance.now() < deadline) {
    await delay(100);
  }
}

function closedOf(metrics: ReadonlyMap<string, number>, ...reasons: readonly string[]): number {
  const counts = reasons.map(
    (reason) => metrics.get(`nearcache_sessions_closed_total{reason="${reason}"}`) ?? 0,
  );
  return counts.reduce((sum, count) => sum + count, 0);
}

async function endsOf({ options, beside }: Scene, heard: OffendersHeard): Promise<EndRow[]> {
  const metrics = await readMetrics(beside);
  const closed = (reason: string): number => closedOf(metrics, reason);
  const [slow, memory] = [closed('slow'), closed('memory')];
  const logged = beside.logs.split('"msg":"session closed"').length - 1;
  const all = 2 * options.crowd + 1;
  return [
    {
      offender: 'slow readers, and the one that pipelines without reading',
      count: options.crowd + 1,
      ended: slow + memory,
      how: `closed: ${slow} slow, ${memory} for memory`,
    },
    {
      offender: 'half a request',
      count: options.crowd,
      ended: Math.min(closed('request'), heard.halfOpen),
      how: `${closed('request')} closed, ${heard.halfOpen} heard why`,
    },
    { offender: 'a large value', count: 1, ended: Number(heard.big === '+OK'), how: heard.big },
    {
      offender: 'a value over the limit',
      count: 1,
      ended: Number(heard.tooBig === '-ERR Protocol error: invalid bulk length'),
      how: heard.tooBig,
    },
    { offender: 'closed, with a line in the log', count: all, ended: Math.min(all, logged), how: 'reason' },
  ];
}
