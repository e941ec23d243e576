import { setTimeout as delay } from 'node:timers/promises';

import type { Random } from '../../fuzz/random.ts';
import { READS } from './app-reads.ts';
import { countingWrites, recordTransaction } from './app-writes.ts';
import type { Client, Login } from './client.ts';
import { pickHot } from './keyspace.ts';
import { type Step, StepMix } from './request.ts';
import { operationOf, pauseMs, type Stage, tokenOf } from './stage.ts';

/** How an app behaves. Units: `pauseMs` on average between two batches. Shape: `window` = batches it has out at a time. */
export interface AppOptions {
  readonly login: Login;
  readonly window: number;
  readonly pauseMs: number;
  readonly databases: readonly number[];
}

const BATCH_MAX = 8;
const WRITE_SHARE = 0.007;
const HELD_SHARE = 0.002;

/** One app connection, which comes back when it is lost: batches of pipelined reads and writes, at times a transaction in
 *  pieces. Resolves when the run is over and everything was answered. */
export async function runApp(stage: Stage, random: Random, options: AppOptions): Promise<void> {
  while (!stage.isOver) {
    const client = await stage.world.app(options.login).catch(() => undefined);
    if (client === undefined) {
      await delay(20);
      continue;
    }
    if (options.login.user !== undefined) stage.tenants.add(client.number);
    await new App(stage, random, client, options).run();
    client.close();
  }
}

class App {
  readonly #stage: Stage;
  readonly #random: Random;
  readonly #client: Client;
  readonly #options: AppOptions;
  readonly #reads: StepMix;
  readonly #writes: StepMix | undefined;
  #db: number;

  constructor(stage: Stage, random: Random, client: Client, options: AppOptions) {
    this.#stage = stage;
    this.#random = random;
    this.#client = client;
    this.#options = options;
    this.#db = options.login.db;
    this.#reads = new StepMix(READS, stage.keyspace);
    if (stage.keyspace.counters.length > 0)
      this.#writes = new StepMix(countingWrites('proxy'), stage.keyspace);
  }

  async run(): Promise<void> {
    const out = new Set<Promise<void>>();
    while (!this.#stage.isOver && !this.#client.isClosed) {
      if (this.#writes !== undefined && this.#random.chance(HELD_SHARE)) {
        await Promise.all(out);
        await this.#heldTransaction();
      }
      const batch = this.#batch().finally(() => out.delete(batch));
      out.add(batch);
      if (out.size >= this.#options.window) await Promise.race(out);
      await delay(pauseMs(this.#random, this.#options.pauseMs));
    }
    await Promise.all(out);
  }

  /** Steps that leave in one write, in one or two databases. */
  async #batch(): Promise<void> {
    const steps = this.#random.list(1, BATCH_MAX, () => this.#step());
    if (this.#random.chance(0.1)) steps.push(this.#select(), this.#step());
    const outcomes = this.#client.send(steps.flatMap(({ requests }) => requests));
    let at = 0;
    await Promise.all(
      steps.map(async ({ requests, done }) => {
        done(await Promise.all(outcomes.slice(at, (at += requests.length))));
      }),
    );
  }

  #step(): Step {
    const mix = this.#writes !== undefined && this.#random.chance(WRITE_SHARE) ? this.#writes : this.#reads;
    return mix.make(this.#stage, this.#random, this.#db);
  }

  #select(): Step {
    this.#db = this.#random.pick(this.#options.databases);
    return {
      requests: [['SELECT', String(this.#db)]],
      done: ([outcome]) => {
        if (outcome !== undefined) this.#stage.failed(outcome, operationOf(outcome, 'proxy', 'SELECT'));
      },
    };
  }

  /** WATCH, a read, and MULTI … EXEC command by command: the session holds a connection of its own meanwhile. */
  async #heldTransaction(): Promise<void> {
    const register = pickHot(this.#random, this.#stage.keyspace.countersOf(this.#db));
    const { key } = register;
    const send = (...args: string[]): ReturnType<Client['call']> => this.#client.call(...args);
    if (this.#random.chance(0.5)) {
      await send('WATCH', key);
      const get = await send('GET', key);
      const operation = operationOf(get, 'proxy', 'WATCH GET');
      if (this.#stage.failed(get, operation)) {
        await send('UNWATCH');
        return;
      }
      this.#stage.read(register, tokenOf(get.reply), operation, false);
    }
    const multi = await send('MULTI');
    if (this.#stage.failed(multi, operationOf(multi, 'proxy', 'MULTI'))) return;
    const incr = await send('INCR', key);
    // A read behind EXEC in the same write: it must see what EXEC has done (I1p).
    const read = this.#reads.make(this.#stage, this.#random, this.#db);
    const [exec, ...others] = await Promise.all(this.#client.send([['EXEC'], ...read.requests]));
    if (exec === undefined) return;
    recordTransaction(this.#stage, [register], [incr, exec], 'proxy');
    read.done(others);
  }
}
