import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { systemClock } from '../base/clock.ts';
import type { Config } from '../config/config.ts';
import { loadConfig } from '../config/load.ts';
import { LiveScene } from './live-scene.ts';
import { Ledger } from './load/ledger.ts';
import type { Life } from './load/life.ts';
import { Load } from './load/load.ts';
import { ReadCheck } from './load/read-check.ts';
import { judge, type Limits } from './promises.ts';
import type { DrillEvent, DrillRecord } from './record.ts';
import { Sampler } from './sampler.ts';
import type { Scenario } from './scenario.ts';
import { type Nearcache, startNearcache } from './servers/nearcache-process.ts';
import type { RedisBackend } from './servers/redis-backend.ts';
import { callRedis } from './servers/redis-call.ts';
import { startRedisOn } from './servers/redis-server.ts';
import { buildStage, type Stage } from './stage.ts';

/** Units: `seconds` for all of the drill but its start, `ratePerSecond` requests. */
export interface DrillOptions {
  readonly backend: RedisBackend;
  readonly seconds: number;
  readonly ratePerSecond: number;
  readonly shards: number;
  /** Called for each thing that is done, when it is done. */
  readonly onEvent?: (event: DrillEvent) => void;
  /** Called before everything is ended, with what runs where, for a person. */
  readonly onEnd?: (addresses: readonly string[]) => Promise<void>;
}

/** A drill is a matter of seconds, so nearcache runs with shorter times than it has by itself. */
export const DRILL_FLAGS: Readonly<Record<string, string>> = {
  'command-timeout': '1s',
  'connect-timeout': '500ms',
  'reconnect-max': '500ms',
  'link-dead-timeout': '1500ms',
  'queue-timeout': '500ms',
  'breaker-slow-call': '800ms',
  'breaker-window': '1s',
  'breaker-open-time': '500ms',
};

/** Parts of the time: before the fault, and of it; the rest is after it. */
const CALM_SHARE = 0.25;
const FAULT_SHARE = 0.4;
const SAMPLE_MS = 500;
/** Least time after the fault. */
const REST_MS = 1000;
/** What is promised of an outage's end, besides back-off. */
const RECOVERY_MS = 3000;

/** Play one scenario against servers, a nearcache and a load of its own, all of which end with it.
 *  Errors: rejects with `NotPossible` when this machine cannot do it, and when servers or nearcache do not start. A promise that
 *  was not kept is no error. */
export async function runDrill(scenario: Scenario, options: DrillOptions): Promise<DrillRecord> {
  const settings = { ...DRILL_FLAGS, ...scenario.flags };
  const flags = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
  const { stage: kind, keepsData = true } = scenario;
  const stage = await buildStage({ kind, shards: options.shards, keepsData }, (redis) =>
    startRedisOn(options.backend, redis),
  );
  try {
    const nearcache = await startNearcache({
      upstream: stage.upstream,
      flags: [...flags, '--log-level', 'warn', '--log-format', 'json'],
      launcher: stage.names?.launcher ?? [],
    });
    try {
      const limits = limitsOf(configOf(flags));
      const record = await new Drill({ scenario, options, stage, nearcache, limits }).run(settings);
      await options.onEnd?.(addressesOf(stage, nearcache));
      return record;
    } finally {
      await nearcache.kill();
    }
  } finally {
    await stage.stop();
  }
}

interface DrillParts {
  readonly scenario: Scenario;
  readonly options: DrillOptions;
  readonly stage: Stage;
  readonly nearcache: Nearcache;
  readonly limits: Limits;
}

class Drill {
  readonly #parts: DrillParts;
  readonly #ledger = new Ledger();
  readonly #lost: Life[] = [];
  readonly #scene: LiveScene;
  readonly #load: Load;
  readonly #sampler: Sampler;

  constructor(parts: DrillParts) {
    this.#parts = parts;
    const { scenario, options, stage, nearcache, limits } = parts;
    const ledger = this.#ledger;
    const clock = systemClock;
    const { ratePerSecond, seconds, onEvent } = options;
    this.#scene = new LiveScene({
      stage,
      shards: scenario.hurts === 'all' ? stage.shards : stage.shards.slice(0, 1),
      faultMs: seconds * FAULT_SHARE * 1000,
      clock,
      onEvent,
      onLoss: (shard) => this.#lost.push(...this.#load.loseData(shard)),
    });
    const staleSince = this.#scene.staleSince(limits.recoveryMs);
    const check = new ReadCheck(ledger, limits.maxStalenessMs, staleSince);
    const { port } = nearcache;
    this.#load = new Load({ port, shards: stage.shards, ratePerSecond, ledger, check, clock });
    this.#sampler = new Sampler(nearcache, ledger, clock, SAMPLE_MS);
  }

  async run(settings: Readonly<Record<string, string>>): Promise<DrillRecord> {
    const { scenario, options } = this.#parts;
    const startedAt = new Date();
    const from = systemClock.now();
    const unanswered = await this.#play();
    const scene = this.#scene;
    const facts = {
      ...this.#parts.limits,
      ledger: this.#ledger,
      samples: this.#sampler.samples,
      reads: this.#sampler.reads,
      hurt: new Set(scene.shards.map(({ name }) => name)),
      hurtFrom: scene.hurtFrom,
      hurtAt: scene.hurtAt,
      healedAt: scene.healedAt,
      unanswered,
      servedOfBefore: await this.#servedOfBefore(),
    };
    return {
      scenario: scenario.name,
      title: scenario.title,
      backend: options.backend.name,
      startedAt: startedAt.toISOString(),
      seconds: Math.round(systemClock.now() - from) / 1000,
      settings,
      samples: this.#sampler.samples,
      events: scene.events,
      verdicts: judge(facts, scenario.promises),
    };
  }

  /** Resolves with the number of requests that never got an answer. */
  async #play(): Promise<number> {
    const { scenario, options, limits } = this.#parts;
    const totalMs = options.seconds * 1000;
    try {
      await this.#load.prepare();
      await this.#load.start();
      this.#sampler.start();
      this.#scene.begin();
      const endsAt = systemClock.now() + totalMs;
      await delay(totalMs * CALM_SHARE);
      await scenario.play(this.#scene);
      await delay(Math.max(REST_MS, endsAt - systemClock.now()));
      await this.#load.stop(2 * limits.commandTimeoutMs + RECOVERY_MS);
      return this.#ledger.pending;
    } finally {
      await this.#sampler.stop();
      await this.#load.close();
    }
  }

  /** Of what a server has lost that came back empty, nothing may be served by anyone. */
  async #servedOfBefore(): Promise<number> {
    const { scenario, nearcache } = this.#parts;
    if (scenario.keepsData !== false) return 0;
    const app = { host: '127.0.0.1', port: nearcache.port };
    const counts = await Promise.all(this.#lost.map(({ key }) => callRedis(app, ['EXISTS', key])));
    return counts.filter((count) => count !== 0).length;
  }
}

function addressesOf({ shards }: Stage, { port, adminPort }: Nearcache): string[] {
  return [
    `nearcache  127.0.0.1:${port}  (admin http://127.0.0.1:${adminPort})`,
    ...shards.map(({ name, server }) => `${name}  ${server.host}:${server.port}`),
  ];
}

/** What nearcache makes of its flags; defaults included. */
export function configOf(flags: readonly string[]): Config {
  const loaded = loadConfig(flags, {}, (path) => readFileSync(path, 'utf8'));
  if ('problems' in loaded) throw new Error(loaded.problems.join('; '));
  return loaded.config;
}

/** What is promised of such a nearcache. */
export function limitsOf(config: Config): Limits {
  const { commandTimeoutMs, maxStalenessMs, linkDeadMs, reconnectMaxMs, breakerOpenMs } = config;
  const recoveryMs = RECOVERY_MS + Math.max(reconnectMaxMs, breakerOpenMs);
  return { commandTimeoutMs, maxStalenessMs, linkDeadMs, recoveryMs };
}
