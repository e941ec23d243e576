import { setTimeout as delay } from 'node:timers/promises';
import type { Clock } from '../../base/clock.ts';
import { withRedis } from '../servers/redis-call.ts';
import type { StageShard } from '../stage.ts';
import { AppClient } from './app-client.ts';
import { findTags } from './layout.ts';
import type { Ledger, RequestFacts } from './ledger.ts';
import { Life } from './life.ts';
import type { ReadCheck } from './read-check.ts';

const HOT_KEYS_PER_SHARD = 8;
const LANES_PER_SHARD = 12;
const FOREIGN_KEYS_PER_SHARD = 3;
const FOREIGN_WRITE_MS = 80;
const HOT_CLIENTS = 2;
const OWN_CLIENTS_PER_SHARD = 2;
/** Of all requests. */
const HOT_SHARE = 0.6;
const OWN_SHARE = 0.3;
const TICK_MS = 10;
/** Write, read, read. */
const REQUESTS_PER_ROUND = 3;

/** Units: requests a second in all; they are sent when they are due, whether or not earlier ones were answered, except those on own
 *  keys, which wait for one another. */
export interface LoadOptions {
  readonly port: number;
  readonly shards: readonly StageShard[];
  readonly ratePerSecond: number;
  readonly ledger: Ledger;
  readonly check: ReadCheck;
  readonly clock: Clock;
}

/** Where a writer keeps the life that its key has now, and those it had. */
interface Slot {
  readonly shard: string;
  readonly name: string;
  readonly past: Life[];
  life: Life;
}

interface Hot {
  readonly shard: string;
  readonly life: Life;
  isLoading: boolean;
  /** How often its data was lost. */
  losses: number;
}

/** The app of a drill, and somebody who writes to the same Redis past nearcache. */
export class Load {
  readonly #options: LoadOptions;
  readonly #clients: AppClient[] = [];
  readonly #hot: Hot[] = [];
  readonly #own: Slot[] = [];
  readonly #foreign: Slot[] = [];
  readonly #over = new AbortController();
  readonly #running: Promise<void>[] = [];

  constructor(options: LoadOptions) {
    this.#options = options;
  }

  /** Connects, and writes the hot keys and reads them into the near-cache. */
  async prepare(): Promise<void> {
    const first = await this.#client();
    const tags = await findTags(first, this.#options.shards);
    for (const [shard, tagsThere] of tags) this.#lay(shard, tagsThere);
    for (const { life } of this.#hot) await first.redis.set(life.key, life.next());
    for (const { life } of this.#hot) {
      life.acknowledge(this.#options.clock.now());
      await first.redis.get(life.key);
    }
  }

  async start(): Promise<void> {
    const { shards, ratePerSecond } = this.#options;
    for (let i = 0; i < HOT_CLIENTS; i++) {
      const client = await this.#client();
      this.#everyDue((ratePerSecond * HOT_SHARE) / HOT_CLIENTS, (count) => this.#readHot(client, count));
    }
    const laneRate = (ratePerSecond * OWN_SHARE) / (shards.length * LANES_PER_SHARD);
    for (const shard of shards) await this.#startShard(shard, laneRate);
  }

  /** Asks nothing more, and waits until everything was answered, at most for so long. */
  async stop(timeoutMs: number): Promise<void> {
    this.#over.abort();
    const { clock, ledger } = this.#options;
    const deadline = clock.now() + timeoutMs;
    while (ledger.pending > 0 && clock.now() < deadline) await delay(10);
  }

  /** Asks nothing more; what is without an answer now, never gets one. */
  async close(): Promise<void> {
    this.#over.abort();
    for (const client of this.#clients) client.close();
    await Promise.all(this.#running);
  }

  /** Of the app to nearcache. */
  get connections(): number {
    return this.#clients.length;
  }

  /** How many of them are answered now. */
  async answered(): Promise<number> {
    const pongs = await Promise.allSettled(this.#clients.map(({ redis }) => redis.ping()));
    return pongs.filter(({ status }) => status === 'fulfilled').length;
  }

  /** From here on anything that Redis had there may be gone.
   *  Shape: all lives until now of the keys there that are not hot. */
  loseData(shard: string): Life[] {
    for (const hot of this.#hot) {
      if (hot.shard !== shard) continue;
      hot.life.isLost = true;
      hot.losses++;
    }
    const slots = [...this.#own, ...this.#foreign].filter((slot) => slot.shard === shard);
    for (const slot of slots) renew(slot);
    const lives = slots.flatMap(({ past }) => past);
    for (const life of lives) life.isLost = true;
    return lives;
  }

  #lay(shard: string, tags: readonly string[]): void {
    const name = (kind: string, i: number): string => `drill:${tags[i % tags.length]}:${kind}:${i}`;
    for (let i = 0; i < HOT_KEYS_PER_SHARD; i++)
      this.#hot.push({ shard, life: new Life(name('hot', i)), isLoading: false, losses: 0 });
    for (let i = 0; i < LANES_PER_SHARD; i++) this.#own.push(slot(shard, name('own', i)));
    for (let i = 0; i < FOREIGN_KEYS_PER_SHARD; i++) this.#foreign.push(slot(shard, name('foreign', i)));
  }

  async #startShard(shard: StageShard, laneRate: number): Promise<void> {
    const own = this.#own.filter((slot) => slot.shard === shard.name);
    const clients: AppClient[] = [];
    for (let i = 0; i < OWN_CLIENTS_PER_SHARD; i++) clients.push(await this.#client());
    for (const [i, slot] of own.entries())
      this.#running.push(this.#lane(clients[i % clients.length] as AppClient, slot, laneRate));
    const foreign = this.#foreign.filter((slot) => slot.shard === shard.name);
    this.#running.push(this.#writePast(shard, foreign));
    const { ratePerSecond, shards } = this.#options;
    const client = await this.#client();
    const seen = new WeakMap<Life, number>();
    this.#everyDue((ratePerSecond * (1 - HOT_SHARE - OWN_SHARE)) / shards.length, (count) => {
      // One's own writes must be seen by all sessions of this nearcache, so another session looks at them too.
      if (count % 2 === 0) return this.#readForeign(client, foreign[count % foreign.length] as Slot, seen);
      return this.#readOwn(client, own[count % own.length] as Slot);
    });
  }

  async #client(): Promise<AppClient> {
    const { port, ledger, clock } = this.#options;
    const client = new AppClient(port, this.#clients.length % 2 === 0 ? 3 : 2, ledger, clock);
    this.#clients.push(client);
    await client.connect();
    return client;
  }

  /** Calls `ask` with 0, 1, 2 … as often as the rate says. */
  #everyDue(ratePerSecond: number, ask: (count: number) => Promise<void>): void {
    const { clock } = this.#options;
    const { signal } = this.#over;
    const startedAt = clock.now();
    let count = 0;
    const cancel = clock.every(TICK_MS, () => {
      const due = ((clock.now() - startedAt) / 1000) * ratePerSecond;
      while (count < due) void ask(count++);
    });
    signal.addEventListener('abort', cancel, { once: true });
  }

  // --- what is asked ---------------------------------------------------------------------------------------------

  /** As a cache is used: what is not there is loaded from elsewhere and put there. */
  async #readHot(client: AppClient, count: number): Promise<void> {
    const hot = this.#hot[count % this.#hot.length] as Hot;
    const { life, shard, losses } = hot;
    const floor = life.isLost ? 0 : life.acked;
    const answer = await client.ask({ kind: 'hot', shard, isWrite: false }, (redis) => redis.get(life.key));
    if (answer === undefined) return;
    this.#options.check.own(life, hot.losses === losses ? floor : 0, answer.reply);
    if (answer.reply !== null || hot.isLoading) return;
    hot.isLoading = true;
    const facts: RequestFacts = { kind: 'hot', shard, isWrite: true };
    const loaded = await client.ask(facts, (redis) => redis.set(life.key, life.valueOf(1)));
    // It is there again, unless it was lost again meanwhile.
    if (loaded !== undefined && hot.losses === losses) life.isLost = false;
    hot.isLoading = false;
  }

  async #lane(client: AppClient, slot: Slot, ratePerSecond: number): Promise<void> {
    const { signal } = this.#over;
    const roundMs = (REQUESTS_PER_ROUND * 1000) / ratePerSecond;
    const { clock } = this.#options;
    while (!signal.aborted) {
      const startedAt = clock.now();
      await this.#write(client, slot);
      for (let i = 1; i < REQUESTS_PER_ROUND; i++) await this.#readOwn(client, slot);
      const rest = Math.max(1, roundMs - (clock.now() - startedAt));
      await delay(rest, undefined, { signal }).catch(() => {});
    }
  }

  async #write(client: AppClient, slot: Slot): Promise<void> {
    const { life } = slot;
    const facts: RequestFacts = { kind: 'own', shard: slot.shard, isWrite: true };
    const value = life.next();
    const onError = (text: string): void => {
      if (slot.life !== life) return;
      if (hasNotRun(text)) life.takeBack();
      else renew(slot);
    };
    const answer = await client.ask(facts, (redis) => redis.set(life.key, value), onError);
    if (answer !== undefined && slot.life === life) life.acknowledge(answer.now);
  }

  async #readOwn(client: AppClient, slot: Slot): Promise<void> {
    const { life, shard } = slot;
    const floor = life.acked;
    const answer = await client.ask({ kind: 'own', shard, isWrite: false }, (redis) => redis.get(life.key));
    if (answer !== undefined) this.#options.check.own(life, floor, answer.reply);
  }

  async #readForeign(client: AppClient, slot: Slot, seen: WeakMap<Life, number>): Promise<void> {
    const { life, shard } = slot;
    const from = this.#options.clock.now();
    const facts: RequestFacts = { kind: 'foreign', shard, isWrite: false };
    const answer = await client.ask(facts, (redis) => redis.get(life.key));
    if (answer !== undefined)
      this.#options.check.foreign({ life, shard, from, to: answer.now }, seen, answer.reply);
  }

  /** The other writer. It is not what is tried, so it just begins anew when its connection fails. */
  async #writePast(shard: StageShard, slots: readonly Slot[]): Promise<void> {
    const { signal } = this.#over;
    const { clock } = this.#options;
    while (!signal.aborted) {
      await withRedis(
        shard.server,
        async (redis) => {
          for (let i = 0; !signal.aborted; i++) {
            const slot = slots[i % slots.length] as Slot;
            const { life } = slot;
            const value = life.next();
            await redis.set(life.key, value).catch((error: unknown) => {
              if (slot.life === life) renew(slot);
              throw error;
            });
            if (slot.life === life) life.acknowledge(clock.now());
            await delay(FOREIGN_WRITE_MS, undefined, { signal });
          }
        },
        1000,
      ).catch(() => delay(FOREIGN_WRITE_MS, undefined, { signal }).catch(() => {}));
    }
  }
}

function slot(shard: string, name: string): Slot {
  return { shard, name, past: [], life: new Life(`${name}:0`) };
}

function renew(slot: Slot): void {
  slot.past.push(slot.life);
  slot.life = new Life(`${slot.name}:${slot.past.length}`);
}

/** Errors of nearcache say whether a command may have run; Redis's OOM says that it has not. */
function hasNotRun(text: string): boolean {
  return text.includes('was not sent') || text.startsWith('OOM ') || text.startsWith('READONLY ');
}
