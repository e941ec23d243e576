import { setTimeout as delay } from 'node:timers/promises';

import type { Caller, Reply } from './client.ts';
import type { Register } from './keyspace.ts';
import type { Stage } from './stage.ts';

const ROUNDS = 3;
/** A round trip and some patience with a busy machine. */
const SETTLE_MS = 200;

/** When nobody writes any more, nearcache and Redis must agree about every register, whatever was cached (I4): first after the
 *  load has ended, then after last writes that met reads on their way.
 *  Units: `stalenessMs` is nearcache's D. */
export async function judgeQuiescence(stage: Stage, stalenessMs: number): Promise<void> {
  const databases = [...new Set(stage.keyspace.all.map(({ db }) => db))];
  const corners = await Promise.all(databases.map((db) => Corner.open(stage, db)));
  await delay(stalenessMs + SETTLE_MS);
  for (const corner of corners) await corner.compare('after the load');
  for (let round = 1; round <= ROUNDS; round++) {
    await Promise.all(corners.map((corner) => corner.lastWrites(round)));
    if (stage.keyspace.population === 'flushed' && round === ROUNDS) await corners[0]?.flush();
    await delay(stalenessMs + SETTLE_MS);
    for (const corner of corners) await corner.compare(`after the last writes, round ${round}`);
  }
  for (const corner of corners) corner.close();
}

/** Connections to one database. */
class Corner {
  readonly #stage: Stage;
  readonly #registers: readonly Register[];
  readonly #direct: Caller;
  readonly #apps: readonly Caller[];

  private constructor(stage: Stage, registers: readonly Register[], direct: Caller, apps: readonly Caller[]) {
    this.#stage = stage;
    this.#registers = registers;
    this.#direct = direct;
    this.#apps = apps;
  }

  static async open(stage: Stage, db: number): Promise<Corner> {
    const { world, keyspace } = stage;
    const registers = keyspace.all.filter((register) => register.db === db);
    const apps = [await world.app({ proto: 2, db }), await world.app({ proto: 3, db })];
    return new Corner(stage, registers, world.outside({ proto: 2, db }), apps);
  }

  close(): void {
    for (const client of [this.#direct, ...this.#apps]) client.close();
  }

  /** Something may expire meanwhile, so Redis is asked before and after. */
  async compare(when: string): Promise<void> {
    const before = await this.#readAll(this.#direct);
    const seen = [...this.#apps, ...this.#apps];
    const shown: Reply[][] = [];
    for (const app of seen) shown.push(await this.#readAll(app));
    const after = await this.#readAll(this.#direct);
    for (const [i, { history }] of this.#registers.entries()) {
      for (const replies of shown) {
        const reply = replies[i] as Reply;
        if (reply === before[i] || reply === after[i]) continue;
        this.#stage.violated({
          rule: 'I4',
          text: `${history.name}: ${JSON.stringify(reply)} ${when}, Redis has ${JSON.stringify(after[i])}`,
          excerpt: [],
        });
      }
    }
  }

  /** Every register is written while it is read: by one client while it is in flight, by another once it is there. */
  async lastWrites(round: number): Promise<void> {
    const [first, second] = this.#apps as [Caller, Caller];
    const writer = round === 2 ? second : this.#direct;
    await this.#readAll(first);
    await Promise.all([
      this.#readAll(first),
      ...writer.send(this.#registers.map((register) => writeOf(register, round))),
      this.#readAll(second),
      this.#readAll(first),
    ]);
  }

  async flush(): Promise<void> {
    const [first, second] = this.#apps as [Caller, Caller];
    await Promise.all([this.#readAll(first), this.#direct.call('FLUSHALL'), this.#readAll(second)]);
  }

  async #readAll(client: Caller): Promise<Reply[]> {
    const outcomes = await Promise.all(
      client.send(
        this.#registers.map(({ key, field }) => (field === undefined ? ['GET', key] : ['HGET', key, field])),
      ),
    );
    return outcomes.map(({ reply }) => reply);
  }
}

function writeOf({ key, field, history }: Register, round: number): string[] {
  if (history.isCounter) return field === undefined ? ['INCR', key] : ['HINCRBY', key, field, '1'];
  return field === undefined ? ['SET', key, `last${round}`] : ['HSET', key, field, `last${round}`];
}
