import { setTimeout as delay } from 'node:timers/promises';

import type { Random } from '../../fuzz/random.ts';
import { Failure, type Outcome } from './client.ts';
import type { Register } from './keyspace.ts';
import { allRoutes, type Route } from './routes.ts';
import { operationOf, type Stage } from './stage.ts';

/** What a flush does to the registers of all databases. */
interface Flush {
  readonly requests: readonly (readonly string[])[];
  /** The databases that are emptied. */
  readonly empties: readonly number[];
  /** Two databases that change places. */
  readonly swaps?: readonly [number, number];
}

/** Fills several databases and flushes or swaps them, one after another, mostly through nearcache (I11): it alone knows what each
 *  of them holds. Of a SWAPDB elsewhere Redis tells nobody, so there is none. */
export async function runFlusher(stage: Stage, random: Random): Promise<void> {
  const flusher = new Flusher(stage, random);
  const routes = stage.keyspace.flushed.map((_, db) => allRoutes(stage, db));
  while (!stage.isOver) {
    for (let i = random.int(4, 12); i > 0 && !stage.isOver; i--) {
      const db = random.int(0, routes.length - 1);
      await flusher.set(random.pick(routes[db] as Route[]), random.pick(stage.keyspace.flushed[db] ?? []));
      await delay(random.int(0, 8));
    }
    const db = random.int(0, routes.length - 1);
    await flusher.flush(random.pick(routes[db] as Route[]), db);
    await delay(random.int(100, 500));
  }
  for (const route of routes.flat()) route.close();
}

class Flusher {
  readonly #stage: Stage;
  readonly #random: Random;
  readonly #tokens = new Map<Register, string | null>();
  #count = 0;

  constructor(stage: Stage, random: Random) {
    this.#stage = stage;
    this.#random = random;
  }

  async set(route: Route, register: Register): Promise<void> {
    const token = `f${++this.#count}`;
    const outcome = await route.call('SET', register.key, token);
    if (outcome !== undefined) this.#wrote(register, token, outcome, route, 'SET');
  }

  async flush(route: Route, db: number): Promise<void> {
    const flush = this.#any(db, route.via === 'proxy');
    const client = await route.client();
    if (client === undefined) return;
    const outcomes = await Promise.all(client.send(flush.requests));
    const outcome = outcomes.at(-1) as Outcome;
    const command = flush.requests.map((request) => request.join(' ')).join(', ');
    const { flushed } = this.#stage.keyspace;
    const lefts = new Map<Register, string | null>();
    for (const each of flush.empties) {
      for (const register of flushed[each] ?? []) lefts.set(register, null);
    }
    const [one, other] = (flush.swaps ?? []).map((each) => flushed[each] ?? []);
    for (const [i, register] of (one ?? []).entries()) {
      const partner = other?.[i] as Register;
      lefts.set(register, this.#tokens.get(partner) ?? null);
      lefts.set(partner, this.#tokens.get(register) ?? null);
    }
    for (const [register, token] of lefts) this.#wrote(register, token, outcome, route, command);
  }

  #any(db: number, mayswap: boolean): Flush {
    const all = this.#stage.keyspace.flushed.map((_, each) => each);
    const choice = this.#random.next();
    if (mayswap && choice < 0.35) {
      const other = this.#random.pick(all.filter((each) => each !== db));
      return { ...this.#wrapped(['SWAPDB', String(db), String(other)]), empties: [], swaps: [db, other] };
    }
    if (choice < 0.6) return { ...this.#wrapped(['FLUSHDB']), empties: [db] };
    if (choice < 0.7) return { requests: [['EVAL', "return redis.call('FLUSHALL')", '0']], empties: all };
    return { ...this.#wrapped(['FLUSHALL', ...(choice < 0.8 ? ['ASYNC'] : [])]), empties: all };
  }

  /** Plain, or in a transaction. */
  #wrapped(request: string[]): Pick<Flush, 'requests'> {
    return { requests: this.#random.chance(0.3) ? [['MULTI'], request, ['EXEC']] : [request] };
  }

  #wrote(register: Register, token: string | null, outcome: Outcome, route: Route, command: string): void {
    const operation = operationOf(outcome, route.via, command);
    const isKnown = !(outcome.reply instanceof Failure);
    this.#stage.failed(outcome, operation);
    this.#tokens.set(register, token);
    const version = ++register.lastVersion;
    register.history.writes.push({ ...operation, version, token, end: isKnown ? operation.end : Infinity });
  }
}
