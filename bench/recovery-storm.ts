/** `npm run bench -- recovery-storm`: many nearcaches in front of one Redis that is killed and comes back, while their apps go on
 *  asking: what does Redis get in its first seconds? Once with the ramp, once without it. */
import { setTimeout as delay } from 'node:timers/promises';

import { type Nearcache, startNearcache } from '../src/drill/servers/nearcache-process.ts';
import type { RedisServer } from '../src/drill/servers/redis-backend.ts';
import { withRedis } from '../src/drill/servers/redis-call.ts';
import { processBackend } from '../src/drill/servers/redis-process.ts';
import { startRedisOn } from '../src/drill/servers/redis-server.ts';
import { describeMachine, machineLine } from './machine.ts';
import { watchOthers } from './others.ts';
import { writeResults } from './report/results.ts';
import { stormPlot } from './report/storm-report.ts';
import { percent } from './report/table.ts';
import { verdictTable } from './report/verdict-table.ts';
import { RedisWatch } from './storm/redis-watch.ts';
import { StormLoad, stormKey, stormValue } from './storm/storm-load.ts';
import type { StormOptions } from './storm/storm-options.ts';
import { breakerStory, judgeStorm, type StormRun } from './storm/storm-rows.ts';
import { seededRandom } from './workload/seeded-random.ts';

const SEED = 1;
const QUIET_MS = 3_000;
/** Watched after the ramp has ended. */
const AFTER_SECONDS = 5;
/** More at once would only wait for the machine's few cores. */
const STARTED_AT_ONCE = 4;

/** Runs the recovery twice, prints a table of verdicts, writes bench/results/.
 *  Returns false when the gate was asked for and failed. */
export async function recoveryStorm(options: StormOptions, command: string): Promise<boolean> {
  const machine = describeMachine(command);
  console.log(machineLine(machine));
  // Its data survive: what is asked for must be there again.
  const redis = await startRedisOn(processBackend, { args: ['--appendonly', 'yes'] });
  try {
    await fill(redis, options.keys);
    const ramped = await run(redis, options, options.rampSeconds);
    const unlimited = await run(redis, options, 0);
    const othersShare = Math.max(ramped.othersShare, unlimited.othersShare);
    const verdicts = judgeStorm(ramped, unlimited, options);
    console.log(`\n${verdictTable(verdicts)}`);
    console.log(`\nOther programs used ${percent(othersShare)} of the CPU.`);
    const name = options.preset === 'full' ? 'recovery-storm' : `recovery-storm-${options.preset}`;
    const data = { options, othersShare, ramped, unlimited, verdicts };
    const files = writeResults(name, machine, data, stormPlot(ramped, unlimited, options));
    console.log(`\nwritten: ${files.join(', ')}`);
    return options.preset !== 'gate' || verdicts.every(({ pass }) => pass);
  } finally {
    await redis.stop();
  }
}

async function fill(redis: RedisServer, keys: number): Promise<void> {
  await withRedis(redis, (client) =>
    Promise.all(Array.from({ length: keys }, (_, i) => client.set(stormKey(i), stormValue(i)))),
  );
}

/** One outage. Shape: times of the result are seconds since Redis came back. */
async function run(
  redis: RedisServer,
  options: StormOptions,
  rampSeconds: number,
): Promise<StormRun & { readonly othersShare: number }> {
  console.log(`${options.nearcaches} nearcaches, ramp of ${rampSeconds} s`);
  const nearcaches = await startNearcaches(redis, options, rampSeconds);
  const watch = new RedisWatch(redis.port);
  const ports = nearcaches.map(({ port }) => port);
  const load = new StormLoad(ports, options.rate, options.keys, seededRandom(SEED));
  // Redis is another process after the outage: it counts as a stranger, and it is the one that is measured.
  const others = watchOthers(nearcaches.map(({ pid }) => pid));
  try {
    await load.warm();
    load.start();
    await delay(QUIET_MS);
    // The watch has a connection too.
    const connectionsBefore = watch.connectedClients - 1;
    await redis.kill('SIGKILL');
    await delay(options.outageSeconds * 1000);
    const backAt = performance.now();
    watch.cameBack(backAt);
    await redis.restart();
    await delay((options.rampSeconds + AFTER_SECONDS) * 1000);
    const othersShare = others();
    if (load.wrong > 0) throw new Error(`${load.wrong} replies were wrong`);
    const since = (ms: number): number => (ms - backAt) / 1000;
    return {
      points: watch.points.map((point) => ({ ...point, at: since(point.at) })),
      app: load.steps.map((step) => ({ ...step, from: since(step.from), to: since(step.to) })),
      breakers: nearcaches.map(({ logs }) => breakerStory(logs)),
      connectionsBefore,
      othersShare,
    };
  } finally {
    await load.stop();
    await watch.stop();
    await Promise.all(nearcaches.map((nearcache) => nearcache.kill()));
  }
}

async function startNearcaches(
  redis: RedisServer,
  { nearcaches, recoveryRate }: StormOptions,
  rampSeconds: number,
): Promise<Nearcache[]> {
  const ramp = ['--recovery-rate', String(recoveryRate), '--recovery-ramp', `${rampSeconds}s`];
  const flags = ['--cache-size', '4mb', '--log-level', 'info', '--log-format', 'json', ...ramp];
  const started: Nearcache[] = [];
  while (started.length < nearcaches) {
    const some = Math.min(STARTED_AT_ONCE, nearcaches - started.length);
    const more = Array.from({ length: some }, () => startNearcache({ upstream: redis.port, flags }));
    started.push(...(await Promise.all(more)));
  }
  return started;
}
