import { setTimeout as delay } from 'node:timers/promises';

import { startNearcache, type Nearcache } from '../../src/drill/servers/nearcache-process.ts';
import { connectRaw } from '../support/raw-client.ts';
import { startRedis } from '../support/redis-server.ts';
import { Health } from './health.ts';
import { Random } from './random.ts';
import type { FuzzReport } from './report.ts';
import { STRATEGIES } from './strategies/all.ts';
import { type FuzzTarget, type Strategy } from './strategy.ts';
import { Throttle } from './throttle.ts';
import { callWitness } from './witness.ts';

export interface FuzzOptions {
  readonly seconds: number;
  readonly seed: number;
  /** Names of strategies; all when absent. */
  readonly only?: readonly string[] | undefined;
  /** The seed of the only round. */
  readonly round?: number | undefined;
  /** Cores that fuzzer, nearcache and Redis may use together. */
  readonly cores?: number;
}

const MB = 1_048_576;
/** Tight, so that what is held for a client shows; but as many arguments as Redis allows, so that its answers can be
 *  compared. */
const FLAGS =
  '--cache-size 8mb --max-output-size 8mb --big-value-size 256kb --session-in-flight 512 --shard-in-flight 20000 ' +
  '--max-clients 500 --connect-timeout 10s --command-timeout 10s --slow-command-timeout 10s --max-args 2147483647';
/** What one bad session may make nearcache hold: its output limit and the largest request that is collected. */
const SESSION_BYTES = 8 * MB + MB / 2;
/** Garbage that is not collected yet, and buffers that are kept for reuse. */
const SLACK_BYTES = 150 * MB;
const WARM_UP_SECONDS = 5;
const FAILURES_MAX = 20;
const ROUND_MS = 60_000;
const TOO_LONG = `took over ${ROUND_MS} ms`;

/** Let all bad clients at one nearcache for a while. */
export async function runFuzz(options: FuzzOptions): Promise<FuzzReport> {
  const redis = await startRedis();
  const nearcache = await startNearcache({ upstream: redis.port, flags: FLAGS.split(' ') });
  try {
    return await fuzz(options, nearcache, redis);
  } finally {
    await nearcache.kill();
    await redis.stop();
  }
}

async function fuzz(
  options: FuzzOptions,
  nearcache: Nearcache,
  redis: { port: number; pid: number },
): Promise<FuzzReport> {
  const strategies = STRATEGIES.filter(({ name }) => options.only?.includes(name) !== false);
  const throttle = new Throttle([process.pid, nearcache.pid, redis.pid], options.cores ?? 1);
  const target: FuzzTarget = { port: nearcache.port, redisPort: redis.port, throttle };
  const health = new Health(nearcache);
  const dismissWitness = await callWitness(nearcache.port, redis.port);
  const run = new Run(target, performance.now() + options.seconds * 1000, nearcache);
  const random = new Random(options.seed);
  const { round } = options;
  await Promise.all(
    round === undefined
      ? strategies.flatMap((strategy) =>
          Array.from({ length: strategy.workers }, () => run.work(strategy, new Random(random.seed()))),
        )
      : strategies.map((strategy) => run.round(strategy, round)),
  );
  const statement = await dismissWitness();
  throttle.stop();
  const workers = strategies.reduce((sum, strategy) => sum + strategy.workers, 0);
  const failures = [
    ...run.failures,
    ...statement.problems,
    ...health.badLogLines().map((line) => `log: ${line}`),
  ];
  const left = await leftBehind(nearcache, health);
  health.stop();
  return {
    seed: options.seed,
    seconds: options.seconds,
    outcomes: run.outcomes,
    latencyMs: statement.latencyMs,
    directMs: statement.directMs,
    residentBytes: {
      start: health.startBytes,
      peak: health.peakAfter(Math.min(WARM_UP_SECONDS, options.seconds / 4)),
      end: health.residents.at(-1) ?? 0,
      limit: health.startBytes + 8 * MB + workers * SESSION_BYTES + SLACK_BYTES,
    },
    left,
    closings: health.closings(),
    exit: await exitOf(nearcache),
    failures,
  };
}

class Run {
  readonly outcomes = new Map<string, Map<string, number>>();
  readonly failures: string[] = [];
  #target: FuzzTarget;
  #endsAt: number;
  #nearcache: Nearcache;

  constructor(target: FuzzTarget, endsAt: number, nearcache: Nearcache) {
    this.#target = target;
    this.#endsAt = endsAt;
    this.#nearcache = nearcache;
  }

  async work(strategy: Strategy, random: Random): Promise<void> {
    while (performance.now() < this.#endsAt && !this.#nearcache.hasEnded) {
      await this.round(strategy, random.seed());
      await this.#target.throttle.rest();
    }
  }

  async round(strategy: Strategy, seed: number): Promise<void> {
    const outcome = await Promise.race([
      strategy.round(this.#target, new Random(seed)),
      delay(ROUND_MS, undefined, { ref: false }).then(() => Promise.reject(new Error(TOO_LONG))),
    ]).catch((error: Error) => {
      this.#fail(strategy, seed, error.message);
      return 'FAILED';
    });
    const counts = this.outcomes.get(strategy.name) ?? new Map<string, number>();
    this.outcomes.set(strategy.name, counts.set(outcome, (counts.get(outcome) ?? 0) + 1));
  }

  #fail(strategy: Strategy, seed: number, text: string): void {
    if (this.failures.length < FAILURES_MAX)
      this.failures.push(`${strategy.name}, round seed ${seed}: ${text}`);
  }
}

/** What is still open although every client is gone. */
async function leftBehind(nearcache: Nearcache, health: Health): Promise<FuzzReport['left']> {
  const deadline = performance.now() + 30_000;
  for (;;) {
    if (nearcache.hasEnded) return { sessions: 0, files: 0 };
    const observer = await connectRaw({ port: nearcache.port });
    const list = (await observer.call('CLIENT', 'LIST')).toString('latin1');
    observer.close();
    const sessions = list.split('\n').filter((line) => line.startsWith('id=')).length - 1;
    const files = health.openFiles() - health.startFiles;
    if ((sessions === 0 && files <= FILES_LEFT_MAX) || performance.now() > deadline)
      return { sessions, files };
    await delay(200);
  }
}

/** Idle pinned connections, the control and the authentication connection may stay. */
export const FILES_LEFT_MAX = 24;

async function exitOf(nearcache: Nearcache): Promise<number | string> {
  if (nearcache.hasEnded) return `ended by itself: ${await nearcache.exited}`;
  await nearcache.stop();
  return nearcache.exited;
}
