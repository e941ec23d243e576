import { setTimeout as delay } from 'node:timers/promises';

import { Random } from '../../fuzz/random.ts';
import { type AppOptions, runApp } from './apps.ts';
import type { Topology } from './backend.ts';
import { runTeller } from './bank.ts';
import { checkRegister } from './checker.ts';
import { CALM_WEATHER, type Fault } from './faults.ts';
import { runFlusher } from './flusher.ts';
import { History } from './history.ts';
import { Keyspace, type Layout } from './keyspace.ts';
import { runOutsider } from './outsiders.ts';
import { runOwner } from './owner.ts';
import { judgePermissions, TENANT_MAX_TTL_MS } from './permissions.ts';
import { judgeQuiescence } from './quiescence.ts';
import { runProvoker } from './provoker.ts';
import type { RunReport } from './report.ts';
import { allRoutes } from './routes.ts';
import { seed } from './seed.ts';
import { Stage } from './stage.ts';
import { startBackend } from './topologies.ts';
import { runWatcher } from './watchers.ts';
import { World } from './world.ts';

/** One run. Shape: `root` is the folder of the nearcache under test, this one's when absent; `flags` win over the run's own.
 *  Units: `stalenessMs` is nearcache's D, drawn when absent. */
export interface RunOptions {
  readonly topology: Topology;
  readonly fault: Fault;
  readonly seconds: number;
  readonly seed: number;
  readonly stalenessMs?: number | undefined;
  readonly root?: string | undefined;
  readonly flags?: readonly string[];
}

/** How long nearcache may need to be its old self once Redis answers through it again: its other connections are made again. */
const RECOVERY_MS = 1000;
const HUNG_MS = 20_000;
const WEATHER_MS = 300;
/** Keys that nobody has, so many that some are at each server, and unlike one another: the default hash leaves likes together. */
const PROBES = Array.from({ length: 24 }, (_, i) => `${(i * 2_654_435_761) % 4_294_967_296} of no such keys`);
const OWNERS = 2;

/** Starts a world, lets everybody loose in it for a while, and judges what they saw. */
export async function runHistory(options: RunOptions): Promise<RunReport> {
  const random = new Random(options.seed);
  const stalenessMs = options.stalenessMs ?? random.pick([200, 300, 500, 1000]);
  const { fault, root, topology } = options;
  const flags = [...ownFlags(stalenessMs), ...(fault.flags ?? []), ...(options.flags ?? [])];
  const backend = await startBackend(topology, fault, () => random.next());
  const world = await World.start(backend, { root, flags });
  const history = new History();
  history.tolerates = fault.tolerates;
  const stage = new Stage(world, history, new Keyspace(history, fault.population, layoutOf(topology, fault)));
  const problems: string[] = [];
  const weather = setInterval(() => world.drawAgain(), WEATHER_MS);
  try {
    world.weather = CALM_WEATHER;
    await seed(stage);
    await fault.prepare?.(stage);
    const everybody = Promise.all(letLoose(stage, random, fault));
    await Promise.race([everybody, strikes(stage, random, options, stalenessMs)]);
    stage.isOver = true;
    const inTime = await Promise.race([everybody.then(() => true), delay(HUNG_MS, false, { ref: false })]);
    if (inTime) await judgeQuiescence(stage, stalenessMs);
    else problems.push(`not answered within ${HUNG_MS} ms: ${world.unanswered.join('; ')}`);
    if (world.hasEnded) problems.push(`nearcache has ended:\n${world.logs.slice(-2000)}`);
    return reportOf(stage, options, { stalenessMs, countedHits: await world.hits(), problems });
  } finally {
    stage.isOver = true;
    clearInterval(weather);
    await world.stop();
  }
}

/** Tight times, and lifetimes so long that no wrong entry ends by itself. */
function ownFlags(stalenessMs: number): string[] {
  const flags =
    `--max-staleness ${stalenessMs}ms --stale-if-error 0 --cache-max-ttl 10m --cache-negative-ttl 10m ` +
    `--link-dead-timeout ${stalenessMs * 3}ms --topology-refresh ${Math.round(stalenessMs / 4)}ms --connect-timeout 500ms --reconnect-max 200ms ` +
    '--command-timeout 3s --slow-command-timeout 4s --log-level warn';
  return flags.split(' ');
}

function layoutOf(topology: Topology, { hasNomads = false }: Fault): Layout {
  const databases = topology === 'cluster' ? [0] : [0, 1];
  return { databases, isSpread: topology === 'ring' || topology === 'cluster', hasNomads };
}

function letLoose(stage: Stage, random: Random, fault: Fault): Promise<void>[] {
  const own = (): Random => new Random(random.seed());
  const isFlushed = fault.population === 'flushed';
  const isOwned = fault.population === 'vanishing' || fault.population === 'owned';
  const databases = isFlushed ? [0, 1, 2] : isOwned ? [0] : stage.keyspace.databases;
  const apps = Array.from({ length: 8 }, (_, i): AppOptions => {
    const db = i % 4 === 3 ? random.pick(databases) : 0;
    const user = i % 4 === 1 ? fault.user : undefined;
    return {
      login: { proto: i % 3 === 0 ? 2 : 3, db, user },
      window: i % 4 === 0 ? 4 : 1,
      pauseMs: 4,
      databases,
    };
  });
  const work = apps.map((app) => runApp(stage, own(), app));
  for (const proto of [2, 3] as const) work.push(runWatcher(stage, own(), { proto, db: 0 }, 2));
  if (isFlushed) return [...work, runFlusher(stage, own())];
  // Two users share no entries, so each needs more reads of a value before it is written again.
  const pace = fault.user === undefined ? 1 : 2;
  const { slots } = stage.keyspace;
  const share = Math.ceil(slots.length / OWNERS);
  for (let i = 0; i < OWNERS; i++) {
    work.push(runOwner(stage, own(), slots.slice(i * share, (i + 1) * share), 28 * pace));
  }
  if (isOwned) return work;
  const tellers = allRoutes(stage).filter(({ via }, i) => via === 'proxy' || i === 2);
  return [
    ...work,
    runProvoker(stage, own(), 5 * pace),
    ...databases.map((db) => runOutsider(stage, own(), db, (db === 0 ? 25 : 60) * pace)),
    ...tellers.map((route) => runTeller(stage, own(), route, 80)),
  ];
}

/** The faults of a run, with calm before, between and after them. */
async function strikes(
  stage: Stage,
  random: Random,
  options: RunOptions,
  stalenessMs: number,
): Promise<void> {
  const end = performance.now() + options.seconds * 1000;
  const { strike, isContinuous } = options.fault;
  if (strike === undefined) return delay(options.seconds * 1000);
  await delay(Math.min(1500, options.seconds * 250));
  while (performance.now() < end - 500) {
    if (isContinuous === true) {
      await strike(stage, random, stalenessMs);
      stage.strikes++;
      continue;
    }
    stage.strikes++;
    const interval = { start: performance.now(), end: Infinity };
    stage.history.faults.push(interval);
    await strike(stage, random, stalenessMs);
    await untilAnswered(stage);
    await delay(RECOVERY_MS);
    interval.end = performance.now();
    await delay(random.int(700, 1500));
  }
}

/** Every Redis answers through nearcache. */
async function untilAnswered({ world }: Stage): Promise<void> {
  const deadline = performance.now() + HUNG_MS;
  while (performance.now() < deadline) {
    const client = await world.app({ proto: 3, db: 0 }).catch(() => undefined);
    const asked = client?.send(PROBES.map((key) => ['TTL', key])) ?? [];
    const outcomes = await Promise.all(asked);
    client?.close();
    if (outcomes.length > 0 && outcomes.every(({ reply }) => reply === '-2')) return;
    await delay(50);
  }
}

function reportOf(
  stage: Stage,
  options: RunOptions,
  facts: Pick<RunReport, 'stalenessMs' | 'countedHits' | 'problems'>,
): RunReport {
  const { history } = stage;
  const findings = history.registers.map((register) =>
    checkRegister(register, facts.stalenessMs, history.failovers),
  );
  const reads = history.registers.flatMap((register) => register.reads);
  const writes = history.registers.flatMap((register) => register.writes);
  const calm = reads.filter(({ start, end }) => history.isCalm(start, end));
  const calmErrors = history.calmErrors.slice(0, 3).map((error) => `without a fault: ${error}`);
  return {
    name: options.topology === 'single' ? options.fault.name : `${options.topology} ${options.fault.name}`,
    seed: options.seed,
    seconds: options.seconds,
    ...facts,
    problems: [...facts.problems, ...calmErrors],
    reads: reads.length,
    hits: findings.reduce((sum, { hits }) => sum + hits, 0),
    hitsOnOutsideWrites: findings.reduce((sum, { hitsOnOutsideWrites }) => sum + hitsOnOutsideWrites, 0),
    calmReads: calm.length,
    calmHits: calm.filter(({ isHit }) => isHit).length,
    writes: writes.length,
    outsideWrites: writes.filter(({ via }) => via === 'outside').length,
    faults: stage.strikes,
    behindMs: Math.max(0, ...findings.map(({ behindMs }) => behindMs)),
    failovers: history.failovers.length,
    lostWrites: findings.reduce((sum, { lostWrites }) => sum + lostWrites, 0),
    oldTimeMs: Math.max(0, ...findings.map(({ oldTimeMs }) => oldTimeMs)),
    noticedMs: Math.max(0, ...history.failovers.map(({ promotedAt, knownAt }) => knownAt - promotedAt)),
    errors: history.errors,
    violations: [
      ...history.violations,
      ...findings.flatMap(({ violations }) => violations),
      ...judgePermissions(history, stage.permissions, stage.tenants, TENANT_MAX_TTL_MS),
    ],
  };
}
