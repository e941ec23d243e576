import { answerRead, type Data, type Item, keysRead, nameOf, type Outcome, write } from './keyspace.ts';
import { ServerLink } from './server-link.ts';

/** The state after one write, for whoever judges later what might have been read. Steps count from 0. */
export interface Snapshot {
  /** The command as text; of a transaction all its commands. */
  readonly cause: string;
  readonly atMs: number;
  readonly data: Data;
}

/** A Redis with the semantics that coherence rests on: commands run one at a time, each link's replies and invalidations
 *  are one stream (the reply, then what its command caused, then the next), tracking is the default mode (a key is forgotten
 *  once it was invalidated, an invalidation names no database, one's own writes are told too), SWAPDB tells nobody,
 *  and the end of a key's life is told to nobody.
 *  Source: Redis 7.0.15; coherence spec §3.3 and §4. */
export class FakeRedis {
  readonly links: ServerLink[] = [];
  readonly snapshots: Snapshot[];
  /** Commands that links have run; the way to tell a hit from a read. */
  commands = 0;
  #data = new Map<string, Item>();
  readonly #tracked = new Map<string, Set<ServerLink>>();
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
    this.snapshots = [{ cause: 'start', atMs: now(), data: new Map() }];
  }

  get now(): number {
    return this.#now();
  }

  /** The number of the newest state. */
  get step(): number {
    return this.snapshots.length - 1;
  }

  accept(): ServerLink {
    const link = new ServerLink(this, this.links.length + 1);
    this.links.push(link);
    return link;
  }

  /** Another program writes. */
  outside(args: readonly string[], db = 0): void {
    this.runAll([args], db, undefined);
  }

  /** Run commands as one: nothing comes between them, and they are one step. Invalidations go to all links but `own`, whose
   *  are returned, since its reply goes first. */
  runAll(commands: readonly (readonly string[])[], db: number, own: ServerLink | undefined): RunResult {
    const touched: Outcome['touched'][] = [];
    const replies = commands.map((args) => {
      const keys = keysRead(args);
      if (keys !== undefined) {
        if (own?.isTracking === true) for (const key of keys) this.#track(key, own);
        return answerRead(args, db, this.#data, this.now);
      }
      const outcome = write(args, db, this.#data, this.now);
      if (outcome === undefined) throw new Error(`the fake Redis does not know ${args.join(' ')}`);
      touched.push(outcome.touched);
      return outcome.reply;
    });
    const cause = commands.map((args) => args.join(' ')).join('; ');
    if (touched.length > 0) this.#snap(own === undefined ? `outside: ${cause}` : cause);
    return { replies, pushes: touched.flatMap((keys) => this.#invalidate(keys, db, own)) };
  }

  /** Time has passed: keys whose time is up are gone for readers. Nobody is told. */
  expire(): void {
    for (const [name, { expiresAt }] of this.#data) {
      if (expiresAt === undefined || this.now <= expiresAt) continue;
      this.#data.delete(name);
      this.#snap(`end of ${name}`);
    }
  }

  #snap(cause: string): void {
    this.snapshots.push({ cause, atMs: this.now, data: new Map(this.#data) });
  }

  #track(key: string, link: ServerLink): void {
    const links = this.#tracked.get(key) ?? new Set();
    links.add(link);
    this.#tracked.set(key, links);
  }

  #invalidate(keys: Outcome['touched'], db: number, own: ServerLink | undefined): Buffer[] {
    const later: Buffer[] = [];
    const tell = (link: ServerLink, push: Buffer): void => {
      if (link === own) later.push(push);
      else link.push(push);
    };
    if (keys === 'all') {
      this.#tracked.clear();
      for (const link of this.links) {
        link.dirty(undefined);
        if (link.isTracking) tell(link, invalidation(undefined));
      }
      return later;
    }
    for (const key of keys) {
      for (const link of this.links) link.dirty(nameOf(db, key));
      for (const link of this.#tracked.get(key) ?? []) tell(link, invalidation(key));
      this.#tracked.delete(key);
    }
    return later;
  }
}

export interface RunResult {
  readonly replies: readonly ReturnType<typeof answerRead>[];
  readonly pushes: readonly Buffer[];
}

function invalidation(key: string | undefined): Buffer {
  const payload = key === undefined ? '_\r\n' : `*1\r\n$${key.length}\r\n${key}\r\n`;
  return Buffer.from(`>2\r\n$10\r\ninvalidate\r\n${payload}`, 'latin1');
}
