import { setTimeout as delay } from 'node:timers/promises';

import type { Random } from '../../fuzz/random.ts';
import { READS } from './app-reads.ts';
import type { Client, Login } from './client.ts';
import { StepMix } from './request.ts';
import { pauseMs, type Stage } from './stage.ts';

/** Connections that may wait for an answer at a time. */
const CONNECTIONS_MAX = 150;

/** Reads on and on, whatever becomes of the reads before: each goes out on a connection that waits for nothing. Apps soon
 *  all wait when Redis does not answer, and then nobody would see what is served meanwhile. */
export async function runWatcher(
  stage: Stage,
  random: Random,
  login: Login,
  meanPauseMs: number,
): Promise<void> {
  const watcher = new Watcher(stage, random, login);
  while (!stage.isOver) {
    await watcher.look();
    await delay(pauseMs(random, meanPauseMs));
  }
  await watcher.finish();
}

class Watcher {
  readonly #stage: Stage;
  readonly #random: Random;
  readonly #login: Login;
  readonly #reads: StepMix;
  readonly #idle: Client[] = [];
  readonly #looks = new Set<Promise<void>>();

  constructor(stage: Stage, random: Random, login: Login) {
    this.#stage = stage;
    this.#random = random;
    this.#login = login;
    this.#reads = new StepMix(READS, stage.keyspace);
  }

  async look(): Promise<void> {
    if (this.#looks.size >= CONNECTIONS_MAX) return;
    const client = this.#idle.pop() ?? (await this.#connect());
    if (client === undefined || client.isClosed) return;
    const look = this.#read(client).finally(() => this.#looks.delete(look));
    this.#looks.add(look);
  }

  async finish(): Promise<void> {
    await Promise.all(this.#looks);
    for (const client of this.#idle) client.close();
  }

  async #connect(): Promise<Client | undefined> {
    const client = await this.#stage.world.app(this.#login).catch(() => undefined);
    if (client !== undefined && this.#login.user !== undefined) this.#stage.tenants.add(client.number);
    return client;
  }

  async #read(client: Client): Promise<void> {
    const { requests, done } = this.#reads.make(this.#stage, this.#random, this.#login.db);
    done(await Promise.all(client.send(requests)));
    this.#idle.push(client);
  }
}
