import { setTimeout as delay } from 'node:timers/promises';

import type { Random } from '../../fuzz/random.ts';
import { readOf } from './app-reads.ts';
import { counting, INCR_DECLARED, INCR_UNDECLARED, recordTransaction } from './app-writes.ts';
import { pickHot, type Register } from './keyspace.ts';
import type { Step } from './request.ts';
import { allRoutes, Route } from './routes.ts';
import { operationOf, pauseMs, type Stage, tokenOf } from './stage.ts';

/** Does on purpose what else happens by chance: a value is cached, somebody writes it in one of many ways, and in the moment in
 *  which that is known others read it again. */
export async function runProvoker(stage: Stage, random: Random, meanPauseMs: number): Promise<void> {
  const provoker = new Provoker(stage, random);
  while (!stage.isOver) {
    await provoker.provoke(pickHot(random, stage.keyspace.countersOf(0)));
    await delay(pauseMs(random, meanPauseMs));
  }
  provoker.close();
}

class Provoker {
  readonly #stage: Stage;
  readonly #random: Random;
  readonly #writers: readonly Route[];
  readonly #readers: readonly Route[];

  constructor(stage: Stage, random: Random) {
    this.#stage = stage;
    this.#random = random;
    this.#writers = allRoutes(stage);
    this.#readers = ([2, 3] as const).map((proto) => new Route(stage, 'proxy', { proto, db: 0 }));
  }

  close(): void {
    for (const route of [...this.#writers, ...this.#readers]) route.close();
  }

  async provoke(register: Register): Promise<void> {
    const get = ['GET', register.key];
    const [first, second] = this.#readers as [Route, Route];
    await this.#take(first, () => readOf(this.#stage, register, get));
    await this.#take(second, () => readOf(this.#stage, register, get));
    const writer = this.#random.pick(this.#writers);
    if (writer.via === 'outside') await this.#peek(first, register, () => this.#write(writer, register));
    else await this.#write(writer, register);
    const others = ['GETRANGE', register.key, '0', '-1'];
    await Promise.all([
      this.#take(first, () => readOf(this.#stage, register, get)),
      this.#take(second, () => readOf(this.#stage, register, this.#random.chance(0.8) ? get : others)),
    ]);
  }

  async #write(route: Route, register: Register): Promise<void> {
    const { key } = register;
    const { hasScripts, hasUndeclared } = this.#stage.keyspace;
    const choice = this.#random.int(0, hasUndeclared ? 5 : hasScripts ? 3 : 2);
    if (choice === 0) return this.#transact(route, register);
    const request = [
      ['INCR', key],
      ['INCR', key],
      ['EVAL', INCR_DECLARED, '1', key],
      ['EVAL', INCR_UNDECLARED, '0', key],
      ['EVAL', INCR_UNDECLARED, '0', key],
    ][choice - 1] as string[];
    await this.#take(route, () => counting(this.#stage, register, request, route.via));
  }

  /** WATCH … EXEC, on a connection of its own. */
  async #transact(route: Route, register: Register): Promise<void> {
    const client = await route.client();
    if (client === undefined) return;
    await client.call('WATCH', this.#beside(register));
    const multi = await client.call('MULTI');
    if (this.#stage.failed(multi, operationOf(multi, route.via, 'MULTI'))) return;
    const incr = await client.call('INCR', register.key);
    recordTransaction(this.#stage, [register], [incr, await client.call('EXEC')], route.via);
  }

  /** Sees what `write` has written on a link of its own, perhaps before the near-cache hears of it; who has seen it so may not see
   *  the old value next (R14). */
  async #peek(route: Route, register: Register, write: () => Promise<void>): Promise<void> {
    const client = await route.client();
    if (client === undefined) return;
    await client.call('WATCH', this.#beside(register));
    await write();
    const [get] = await Promise.all(client.send([['GET', register.key], ['UNWATCH']]));
    if (get === undefined) return;
    const operation = operationOf(get, 'proxy', 'WATCH GET');
    if (!this.#stage.failed(get, operation)) this.#stage.read(register, tokenOf(get.reply), operation, false);
  }

  /** A key that may be watched when this one is to be used. */
  #beside({ key }: Register): string {
    return this.#stage.keyspace.isSpread ? key : 'nothing';
  }

  async #take(route: Route, step: () => Step): Promise<void> {
    const client = await route.client();
    if (client === undefined) return;
    const { requests, done } = step();
    done(await Promise.all(client.send(requests)));
  }
}
