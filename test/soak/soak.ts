import { setTimeout as delay } from 'node:timers/promises';

import { StolenTime } from '../../bench/stolen.ts';
import { systemClock } from '../../src/base/clock.ts';
import type { Config } from '../../src/config/config.ts';
import { LiveScene } from '../../src/drill/live-scene.ts';
import { type FailedRequest, Ledger } from '../../src/drill/load/ledger.ts';
import type { Life } from '../../src/drill/load/life.ts';
import { Load } from '../../src/drill/load/load.ts';
import { ReadCheck } from '../../src/drill/load/read-check.ts';
import type { Limits } from '../../src/drill/promises.ts';
import type { DrillEvent } from '../../src/drill/record.ts';
import { configOf, DRILL_FLAGS, limitsOf } from '../../src/drill/run.ts';
import { Sampler } from '../../src/drill/sampler.ts';
import { type CallTarget, withRedis } from '../../src/drill/servers/redis-call.ts';
import { startRedisOn } from '../../src/drill/servers/redis-server.ts';
import { buildStage, type Stage, type StageShard } from '../../src/drill/stage.ts';
import { Random } from '../fuzz/random.ts';
import { type Fault, type PlannedFault, planFaults, WARM_UP } from './faults.ts';
import { holdings } from './holdings.ts';
import { judgeSoak, leaks, OWN_TIME_SHARE, type SoakFacts } from './judge.ts';
import type { LookAt, SoakOptions, SoakRecord, StruckFault } from './record.ts';
import { Supervisor } from './supervisor.ts';
import { Windows } from './windows.ts';

const SAMPLE_MS = 1000;
/** Parts of the time before the first fault and after the last. */
const QUIET_SHARE = 1 / 15;
const QUIET_LEAST_MS = 3000;
const QUIET_MOST_MS = 60_000;
/** A look takes about a second and nearcache some of its time, so that it needs room between faults. */
const LOOK_ROOM_MS = 2500;
const WARM_UP_MS = 2500;
const CLOSED_MS = 500;
const LAST_LOOKS = 5;
const LISTED = 5;
const LOST_CHECKED = 200;
/** Of one second. With more of it gone, the times of nearcache and of the soak itself do not hold. */
const TAKEN_SHARE = 0.3;
const TRIES = 3;
const BETWEEN_TRIES_MS = 5000;

const FLAGS: Readonly<Record<string, string>> = { ...DRILL_FLAGS, 'cache-size': '8mb' };

/** Random faults, one after another, under a load whose replies are checked.
 *  Errors: rejects when servers or nearcache do not start. A promise that was not kept is no error. */
export async function runSoak(options: SoakOptions): Promise<SoakRecord> {
  const flags = Object.entries(FLAGS).flatMap(([name, value]) => [`--${name}`, value]);
  const stage = await buildStage({ kind: 'ring', shards: options.shards, keepsData: true }, (redis) =>
    startRedisOn(options.backend, redis),
  );
  try {
    const nearcache = await Supervisor.start(stage.upstream, [
      ...flags,
      '--log-level',
      'warn',
      '--log-format',
      'json',
    ]);
    try {
      return await new Soak(options, stage, nearcache, configOf(flags)).run();
    } finally {
      await nearcache.stop();
    }
  } finally {
    await stage.stop();
  }
}

class Soak {
  readonly #options: SoakOptions;
  readonly #stage: Stage;
  readonly #nearcache: Supervisor;
  readonly #limits: Limits;
  readonly #windows: Windows;
  readonly #stolen = new StolenTime();
  readonly #ledger: Ledger;
  readonly #load: Load;
  readonly #sampler: Sampler;
  readonly #lost: { readonly shard: string; readonly life: Life }[] = [];
  readonly #events: DrillEvent[] = [];
  readonly #struck: StruckFault[] = [];
  readonly #looks: LookAt[] = [];
  readonly #revived: string[] = [];
  #startedAt = 0;
  #life = 1;
  #faultsOfLife = 0;
  #closedByCrashes = 0;
  #errorsTold = 0;

  constructor(options: SoakOptions, stage: Stage, nearcache: Supervisor, config: Config) {
    this.#options = options;
    this.#stage = stage;
    this.#nearcache = nearcache;
    this.#limits = limitsOf(config);
    // What stands still for a while has to recover, too.
    const { recoveryMs } = this.#limits;
    this.#windows = new Windows(config.staleIfErrorMs, (from, to) =>
      this.#stolen.firstOver(TAKEN_SHARE, from - recoveryMs, to),
    );
    this.#ledger = new Ledger(config.commandTimeoutMs);
    const ledger = this.#ledger;
    const check = new ReadCheck(ledger, config.maxStalenessMs, this.#windows.staleSince);
    const { port } = nearcache;
    const { ratePerSecond } = options;
    this.#load = new Load({ port, shards: stage.shards, ratePerSecond, ledger, check, clock: systemClock });
    this.#sampler = new Sampler(nearcache, ledger, systemClock, SAMPLE_MS);
  }

  async run(): Promise<SoakRecord> {
    const { everySeconds, seed, backend } = this.#options;
    const startedAt = new Date();
    const end = await this.#play();
    const exit = await this.#nearcache.stop();
    const samples = this.#sampler.samples;
    return {
      scenario: 'soak',
      title: `Random faults every ${everySeconds} s, seed ${seed}`,
      backend: backend.name,
      startedAt: startedAt.toISOString(),
      seconds: Math.round(this.#now()) / 1000,
      settings: FLAGS,
      samples,
      events: this.#events,
      verdicts: judgeSoak({
        ...end,
        limits: this.#limits,
        windows: this.#windows,
        shards: this.#stage.shards.map(nameOf),
        ledger: this.#ledger,
        reads: this.#sampler.reads,
        breakers: samples.at(-1)?.breakers ?? {},
        looks: this.#looks,
        closed: this.#ledger.closed - this.#closedByCrashes,
        revived: this.#revived,
        deaths: this.#nearcache.deaths,
        exit,
        seconds: this.#options.seconds,
        ownSeconds: this.#stolen.secondsUnder(TAKEN_SHARE),
      }),
      seed,
      faults: this.#struck,
      looks: this.#looks,
      logs: this.#nearcache.logs,
    };
  }

  /** How many connections were answered at the end, and how many requests never were. */
  async #play(): Promise<Pick<SoakFacts, 'connections' | 'unanswered'>> {
    const { seconds, mostSeconds, everySeconds, seed } = this.#options;
    const everyMs = everySeconds * 1000;
    const quietMs = Math.min(QUIET_MOST_MS, Math.max(QUIET_LEAST_MS, seconds * 1000 * QUIET_SHARE));
    const count = Math.max(1, Math.floor((seconds * 1000 - 2 * quietMs) / everyMs));
    const random = new Random(seed);
    const planned = planFaults(random, count, { ...this.#options, everyMs });
    const spares = Math.floor(((mostSeconds - seconds) * 1000) / everyMs);
    const spare = planFaults(random, spares, { ...this.#options, crashes: false, everyMs });
    this.#say(`seed ${seed}, ${count} faults; at rest for ${quietMs / 1000} s`);
    try {
      await this.#load.prepare();
      await this.#load.start();
      this.#sampler.start();
      this.#startedAt = systemClock.now();
      await this.#warmUp();
      await delay(quietMs);
      await this.#look();
      this.#sayHow();
      await this.#strikeAll([...planned, ...spare], everyMs, count);
      await delay(quietMs);
      await this.#lastLook();
      await this.#findRevived();
      const connected = await this.#load.answered();
      await this.#load.stop(2 * this.#limits.commandTimeoutMs + this.#limits.recoveryMs);
      this.#sayHow();
      return { unanswered: this.#ledger.pending, connections: { connected, of: this.#load.connections } };
    } finally {
      this.#stolen.stop();
      await this.#sampler.stop();
      await this.#load.close();
    }
  }

  /** At least the first `least`, and more while the time that was the machine's own is too short to be judged. */
  async #strikeAll(planned: readonly PlannedFault[], everyMs: number, least: number): Promise<void> {
    const from = systemClock.now();
    const needed = OWN_TIME_SHARE * this.#options.seconds;
    for (const [i, { fault, shards, lastsMs }] of planned.entries()) {
      if (i >= least && this.#stolen.secondsUnder(TAKEN_SHARE) >= needed) return;
      if (i === least) this.#say('goes on, since other machines had too much of this one’s CPU');
      const next = from + (i + 1) * everyMs;
      const where = fault === undefined ? [] : shards.map((n) => this.#stage.shards[n] as StageShard);
      const struck = {
        atMs: Math.round(this.#now()),
        name: fault?.name ?? 'crash',
        shards: where.map(nameOf),
      };
      this.#say(`#${i + 1} ${[struck.name, ...struck.shards].join(' ')}`);
      if (fault === undefined) await this.#crash();
      else await this.#strike(fault, where, lastsMs);
      await this.#rest(next, fault === undefined);
      this.#struck.push({ ...struck, errors: this.#sayHow() });
      await delay(Math.max(0, next - systemClock.now()));
    }
  }

  /** What is opened when it is first needed, and stays open, is there before anything is compared. */
  async #warmUp(): Promise<void> {
    await this.#strike(WARM_UP, this.#stage.shards, WARM_UP_MS);
    await delay(this.#limits.recoveryMs);
    this.#faultsOfLife = 0;
  }

  /** The time until the next fault, some of which a look needs; after a crash there is one at any rate, to compare with. */
  async #rest(next: number, isCrash: boolean): Promise<void> {
    const { recoveryMs } = this.#limits;
    const room = next - systemClock.now() - LOOK_ROOM_MS;
    if (isCrash) {
      await delay(recoveryMs);
      await this.#warmUp();
    } else if (room < recoveryMs) return;
    else await delay(room);
    await this.#look();
    if (room >= recoveryMs) await this.#findRevived();
  }

  async #strike(fault: Fault, shards: readonly StageShard[], faultMs: number): Promise<void> {
    const { recoveryMs, linkDeadMs } = this.#limits;
    const scene = new LiveScene({
      stage: this.#stage,
      shards,
      faultMs,
      clock: systemClock,
      onEvent: ({ text }) => this.#note(text),
      onLoss: (shard) => this.#lost.push(...this.#load.loseData(shard).map((life) => ({ shard, life }))),
    });
    // Nobody but nearcache itself can find out that its connections lead nowhere.
    const alone = fault.promises.includes('recovery by itself') ? linkDeadMs : 0;
    this.#windows.addFault(scene.staleSince(alone + recoveryMs));
    await fault.play(scene);
    this.#faultsOfLife++;
  }

  async #crash(): Promise<void> {
    const from = systemClock.now();
    let until = Infinity;
    this.#windows.addCrash((_, start, end) => (end >= from && start < until ? from : undefined));
    this.#note('nearcache killed');
    const { closed } = this.#ledger;
    await this.#nearcache.crash();
    until = systemClock.now() + this.#limits.recoveryMs;
    this.#life++;
    this.#faultsOfLife = 0;
    this.#note('nearcache started');
    // Some tried to come back just before it was there again.
    await delay(CLOSED_MS);
    this.#closedByCrashes += this.#ledger.closed - closed;
  }

  /** What was just let go of may take a moment to be gone. */
  async #lastLook(): Promise<void> {
    for (let i = 0; i < LAST_LOOKS; i++) {
      await this.#look();
      if (leaks(this.#looks).every(({ passed }) => passed)) return;
      await delay(1000);
    }
  }

  async #look(): Promise<void> {
    const { longestMs, long } = this.#ledger;
    const { length } = long;
    const held = await this.#tried(() => holdings(this.#nearcache, this.#stage.shards));
    // It stands still while its heap is looked at, which is our doing.
    this.#ledger.longestMs = longestMs;
    long.length = length;
    this.#looks.push({ atMs: Math.round(this.#now()), life: this.#life, faults: this.#faultsOfLife, held });
  }

  /** Of what Redis has lost, nothing may be served. */
  async #findRevived(): Promise<void> {
    const { port } = this.#nearcache;
    for (const [name, lost] of Map.groupBy(this.#lost.splice(0), ({ shard }) => shard)) {
      const { server } = this.#stage.shards.find((shard) => shard.name === name) as StageShard;
      const keys = lost.slice(-LOST_CHECKED).map(({ life }) => life.key);
      // A write that was under way when all was lost may have run behind that.
      const ask = (target: CallTarget): Promise<(string | null)[]> =>
        this.#tried(() => withRedis(target, (redis) => redis.mget(keys)));
      const kept = await ask(server);
      const served = await ask({ host: '127.0.0.1', port });
      for (const [i, key] of keys.entries())
        if (served[i] !== kept[i]) this.#revived.push(`${key}: ${served[i]} is served, ${kept[i]} is there`);
    }
  }

  /** A machine that stands still for some seconds shall not end the soak. */
  async #tried<T>(look: () => Promise<T>): Promise<T> {
    for (let tries = TRIES; ; tries--) {
      try {
        return await look();
      } catch (error) {
        if (tries === 1) throw error;
        this.#say(`   tried again: ${String(error)}`);
        await delay(BETWEEN_TRIES_MS);
      }
    }
  }

  /** What came of the time since this was said last. Shape: how many errors. */
  #sayHow(): number {
    const failed = this.#ledger.failed.slice(this.#errorsTold);
    this.#errorsTold += failed.length;
    const { wrong, stale, answered } = this.#ledger;
    const odd = failed.filter((each) => !this.#isAllowed(each));
    for (const { kind, shard, isWrite, at, ms, text } of odd.slice(0, LISTED)) {
      const what = `${isWrite ? 'write' : 'read'} of a key (${kind}) of ${shard}`;
      this.#say(
        `   NOT ALLOWED: ${what} at ${((at - this.#startedAt) / 1000).toFixed(2)} s, after ${ms.toFixed(0)} ms: ${text}`,
      );
    }
    const look = this.#looks.at(-1)?.held;
    const mb = (bytes: number | undefined): string => ((bytes ?? 0) / 1e6).toFixed(1);
    this.#say(
      `   ${failed.length} errors, ${odd.length} not allowed; in all ${answered} answered, ${wrong.length} wrong, ${stale.length} too old`,
    );
    this.#say(
      `   ${look?.files} files, ${look?.timers} timers, heap ${mb(look?.heapBytes)} MB, resident ${mb(look?.residentBytes)} MB`,
    );
    return failed.length;
  }

  /** Hot keys are to be had while shards are away that were there before. */
  #isAllowed(failed: FailedRequest): boolean {
    const cause = this.#windows.explains(failed);
    return cause !== undefined && (cause !== 'fault' || failed.kind !== 'hot' || failed.isWrite);
  }

  #now(): number {
    return systemClock.now() - this.#startedAt;
  }

  #note(text: string): void {
    this.#events.push({ atMs: Math.round(this.#now()), text });
    this.#say(`   ${text}`);
  }

  #say(text: string): void {
    const at = this.#startedAt === 0 ? 0 : this.#now();
    this.#options.say(`${(at / 1000).toFixed(1).padStart(7)} s  ${text}`);
  }
}

function nameOf({ name }: StageShard): string {
  return name;
}
