import { setTimeout as delay } from 'node:timers/promises';
import { type KeyMove, type MoveEnd, moveKey, TARGET_TIMEOUT_MS } from '../route/key-move.ts';
import { printRecord, type RingRecord } from '../route/ring-record.ts';
import { dropArguments, migrateArguments, moveOutcome } from '../route/ring-scripts.ts';
import { KeyMap } from './key-map.ts';
import type { Pace } from './pace.ts';
import { isSameValue } from './same-value.ts';
import { scanShard, type ScanPlace } from './scan.ts';
import type { ShardClient } from './shard-client.ts';

/** What to do with a key that is on both shards with different values, which only a write past nearcache can bring about. */
export type OnConflict = 'stop' | 'keep-new' | 'keep-old';

export interface CopierOptions {
  /** Keys of one SCAN, and of one MIGRATE. */
  readonly batch: number;
  readonly onConflict: OnConflict;
  readonly pace: Pace;
  readonly signal: AbortSignal;
  /** So many keys were moved. */
  readonly onMoved: (keys: number) => void;
}

/** A key that could not be moved. */
export interface Conflict {
  readonly shard: string;
  readonly other: string;
  readonly db: number;
  readonly key: Buffer;
}

/** Where a copy goes on after it was stopped, in database 0 of the shard. */
const PLACE_KEY = 'nearcache:ring:place';
const SAVE_EVERY = 20;
const TRIES_MAX = 20;
const RETRY_MS = 500;

/** Moves in the background what has left a shard and has not been asked for. */
export class Copier {
  readonly conflicts: Conflict[] = [];
  readonly #clients: readonly ShardClient[];
  readonly #map: KeyMap;
  readonly #options: CopierOptions;

  constructor(clients: readonly ShardClient[], map: KeyMap, options: CopierOptions) {
    this.#clients = clients;
    this.#map = map;
    this.#options = options;
  }

  /** Move everything that leaves `shard`, whose record is `migrating`, until a whole scan finds nothing to move.
   *  Errors: rejects when a shard stays away or refuses; what was moved stays moved. */
  async empty(shard: number, record: RingRecord): Promise<void> {
    const client = this.#clients[shard] as ShardClient;
    let start = await loadPlace(client, record.id);
    for (;;) {
      const found = await this.#pass(shard, record, start);
      const hadStart = start !== undefined;
      start = undefined;
      // Conflicts stay where they are; they are told in the end.
      if (!hadStart && found === 0) break;
    }
    await client.redis.del(PLACE_KEY);
  }

  /** Answers how many keys were there to move, less those in conflict. */
  async #pass(shard: number, record: RingRecord, start: ScanPlace | undefined): Promise<number> {
    const client = this.#clients[shard] as ShardClient;
    const { batch, signal } = this.#options;
    this.conflicts.splice(0, Infinity, ...this.conflicts.filter((each) => each.shard !== client.name));
    let found = 0;
    let steps = 0;
    for await (const { keys, db, next } of scanShard(client, batch, start)) {
      signal.throwIfAborted();
      for (const [to, leaving] of this.#byTarget(shard, keys)) {
        await this.#options.pace.take(leaving.length);
        const stuck = await this.#moveAll({ shard, to, db, record }, leaving);
        found += leaving.length - stuck;
        this.#options.onMoved(leaving.length - stuck);
      }
      if (next !== undefined && ++steps % SAVE_EVERY === 0) await savePlace(client, record.id, next);
    }
    return found;
  }

  #byTarget(shard: number, keys: readonly Buffer[]): Map<number, Buffer[]> {
    const byTarget = new Map<number, Buffer[]>();
    for (const key of keys) {
      if (KeyMap.isOwn(key) || this.#map.oldOwner(key) !== shard) continue;
      const to = this.#map.newOwner(key);
      if (to === shard) continue;
      const list = byTarget.get(to);
      if (list === undefined) byTarget.set(to, [key]);
      else list.push(key);
    }
    return byTarget;
  }

  /** Answers how many could not be moved. */
  async #moveAll(way: Way, keys: readonly Buffer[]): Promise<number> {
    if (way.record.method === 'migrate' && (await this.#migrate(way, keys))) return 0;
    // One by one, so that a key in conflict is known by name.
    const ends = await Promise.all(keys.map((key) => this.#moveOne(way, key)));
    let stuck = 0;
    for (const [index, end] of ends.entries()) {
      if (end.kind === 'moved') continue;
      if (end.kind !== 'conflict') throw this.#failure(way, end);
      if (!(await this.#settle(way, keys[index] as Buffer))) stuck++;
    }
    return stuck;
  }

  /** All at once; false = some may not have been moved. */
  async #migrate({ shard, to, db, record }: Way, keys: readonly Buffer[]): Promise<boolean> {
    const source = this.#clients[shard] as ShardClient;
    const { target } = this.#clients[to] as ShardClient;
    const command = migrateArguments(printRecord(record), db, target, TARGET_TIMEOUT_MS, keys);
    const end = await new Promise<MoveEnd>((resolve) => {
      source.link.send(command, db, (reply, failure) =>
        resolve(failure === undefined ? moveOutcome(reply) : { kind: 'lost', text: failure.reason }),
      );
    });
    return end.kind === 'moved';
  }

  /** A shard may be away for a moment: try again for some seconds. */
  async #moveOne({ shard, to, db, record }: Way, key: Buffer): Promise<MoveEnd> {
    const [source, sink] = [this.#clients[shard] as ShardClient, this.#clients[to] as ShardClient];
    for (let tries = 1; ; tries++) {
      const links = { source: source.link, sink: sink.link, target: sink.target };
      const move: KeyMove = { key, db, ...links, line: printRecord(record), record };
      const end = await new Promise<MoveEnd>((resolve) => moveKey[record.method](move, resolve));
      const mayPass = end.kind === 'unreachable' || end.kind === 'lost';
      if (!mayPass || tries === TRIES_MAX) return end;
      await delay(RETRY_MS, undefined, { signal: this.#options.signal });
    }
  }

  /** A move that broke off may have left the same value on both sides; then the old one goes. False = the key stays where it is. */
  async #settle(way: Way, key: Buffer): Promise<boolean> {
    const { shard, to, db, record } = way;
    const [source, sink] = [this.#clients[shard] as ShardClient, this.#clients[to] as ShardClient];
    const { onConflict } = this.#options;
    if (onConflict === 'keep-old') {
      await sink.call(db, ['UNLINK', key]);
      return (await this.#moveOne(way, key)).kind === 'moved';
    }
    if (onConflict === 'keep-new' || (await isSameValue(source, sink, db, key))) {
      await source.call(db, dropArguments(printRecord(record), db, key));
      return true;
    }
    this.conflicts.push({ shard: source.name, other: sink.name, db, key });
    return false;
  }

  #failure({ shard, to, db }: Way, { kind, text }: MoveEnd): Error {
    const words = kind === 'epoch' ? 'somebody else has changed its record of the ring' : text;
    const { names } = this.#map;
    return new Error(
      `keys of database ${db} could not be moved from shard ${names[shard]} to ${names[to]}: ${words}`,
    );
  }
}

interface Way {
  readonly shard: number;
  readonly to: number;
  readonly db: number;
  readonly record: RingRecord;
}

async function loadPlace(client: ShardClient, id: string): Promise<ScanPlace | undefined> {
  const [of, db, cursor] = ((await client.redis.get(PLACE_KEY)) ?? '').split(' ');
  return of === id && cursor !== undefined ? { db: Number(db), cursor } : undefined;
}

async function savePlace(client: ShardClient, id: string, { db, cursor }: ScanPlace): Promise<void> {
  await client.redis.set(PLACE_KEY, `${id} ${db} ${cursor}`);
}
