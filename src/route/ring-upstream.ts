import type { Clock } from '../base/clock.ts';
import type { Random } from '../base/random.ts';
import type { Shard } from '../shard/shard.ts';
import { KeyMover } from './key-mover.ts';
import type { RingPlan } from './ring-change.ts';
import { RingGate } from './ring-gate.ts';
import { instanceName } from './ring-report.ts';
import { RingWatch } from './ring-watch.ts';
import type { Upstream } from './upstream.ts';

/** Tells shards where their primaries are. */
export interface Watcher {
  start(): void;
  close(): void;
}

/** A ring, and the one that it is to become. Shape: `shards` are those of both, in the order of `RingChange.names`; their index is
 *  their place. */
export interface RingSetup {
  readonly old: RingPlan;
  readonly next: RingPlan | undefined;
  readonly shards: readonly Shard[];
  readonly watchers: readonly Watcher[];
}

/** What is done beyond the ring's own shards when it changes. */
export interface RingHost {
  /** See RingChangeHost: end what waits on a shard, and call `done` when nothing is unanswered there. */
  drain(shard: Shard, done: () => void): void;
  /** Keys may be elsewhere: forget what is known of those. */
  moved(isAt: (bytes: Buffer, start: number, end: number) => Shard | undefined): void;
  /** No ring has it any more. */
  retire(shard: Shard): void;
}

const INSTANCE_CHARS = 16;

/** A ring of shards that nearcache manages itself; a plain Redis is a ring of one.
 *  A failed shard keeps its keys: given to others, they would come back stale after its recovery (twemproxy#604). */
export class RingUpstream implements Upstream {
  readonly kind = 'ring';
  readonly redirects: undefined;
  version = 0;
  #setup: RingSetup;
  #watch: RingWatch | undefined;
  #gate: RingGate | undefined;
  #isStarted = false;
  readonly #host: RingHost;
  readonly #parts: { clock: Clock; random: Random };
  readonly #instance: string;

  constructor(setup: RingSetup, host: RingHost, parts: { clock: Clock; random: Random }) {
    this.#host = host;
    this.#parts = parts;
    this.#instance = Array.from({ length: INSTANCE_CHARS }, () =>
      Math.floor(parts.random() * 36).toString(36),
    ).join('');
    this.#setup = setup;
    this.#watchSetup();
  }

  get shards(): readonly Shard[] {
    return this.#setup.shards;
  }

  get isSingle(): boolean {
    return this.#watch === undefined;
  }

  /** The epochs of the ring and of the next one; undefined = one plain Redis. */
  get epoch(): { from: string; to: string } | undefined {
    const change = this.#watch?.change;
    return change && { from: change.from, to: change.to ?? '-' };
  }

  get isChanging(): boolean {
    return this.#setup.next !== undefined;
  }

  get gate(): RingGate | undefined {
    return this.#gate;
  }

  get home(): Shard {
    return this.shards[0] as Shard;
  }

  placeOf(bytes: Buffer, start: number, end: number): number {
    return this.#watch === undefined ? 0 : this.#watch.change.placeOf(bytes, start, end);
  }

  placeOfChannel(bytes: Buffer, start: number, end: number): number {
    // The shards of the ring that is in force by the configuration are the first.
    return this.#watch === undefined ? 0 : this.#watch.change.oldPlaceOf(bytes, start, end);
  }

  shardAt(place: number): Shard | undefined {
    return this.shards[place];
  }

  spaceAt(_place: number, db: number): number {
    return db;
  }

  start(): void {
    this.#isStarted = true;
    this.#startBeside(undefined);
  }

  close(): void {
    this.#watch?.close();
    for (const watcher of this.#setup.watchers) watcher.close();
    for (const shard of this.shards) shard.close();
  }

  /** Another configuration has been read: shards that are in both stay as they are. Where a ring becomes another without a
   *  migration (docs/operating.md), keys that have another shard are looked for there at once, and their data stays behind. */
  become(setup: RingSetup): void {
    const before = this.#setup;
    const oldGate = this.#gate;
    this.#watch?.close();
    this.#setup = setup;
    this.#watchSetup();
    for (const watcher of before.watchers) if (!setup.watchers.includes(watcher)) watcher.close();
    if (this.#isStarted) this.#startBeside(before);
    this.version++;
    this.#changed();
    oldGate?.changed();
    for (const shard of before.shards) if (!setup.shards.includes(shard)) this.#host.retire(shard);
  }

  /** Start what was not there before. */
  #startBeside(before: RingSetup | undefined): void {
    const { watchers, shards } = this.#setup;
    for (const watcher of watchers) if (before?.watchers.includes(watcher) !== true) watcher.start();
    for (const shard of shards) if (before?.shards.includes(shard) !== true) shard.start();
    this.#watch?.start();
  }

  #watchSetup(): void {
    const { old, next, shards } = this.#setup;
    this.#watch = undefined;
    this.#gate = undefined;
    if (shards.length === 1) return;
    const name = instanceName(this.#instance);
    // An app that asks for the name of its connection inside MULTI is not to see this one, but while keys move.
    for (const shard of shards) shard.nameAs(name, next === undefined ? '' : name);
    const shardOf = (name: string): Shard => shards.find((shard) => shard.name === name) as Shard;
    const watch = new RingWatch(
      { old, next },
      this.#instance,
      (name) => {
        const { addressSource, options } = shardOf(name);
        const { credentials, connectTimeoutMs, commandTimeoutMs } = options;
        return { address: addressSource, credentials, connectTimeoutMs, commandTimeoutMs };
      },
      {
        drain: (shard, done) => this.#host.drain(shards[shard] as Shard, done),
        changed: () => this.#changed(),
        isAway: (shard) => shards[shard]?.breakers?.all.isClosed === false,
        // Its own link may be about to find out.
        unreachable: (shard, reason) => {
          if (shards[shard]?.own.shared.isReady === false) shards[shard].breakers?.linkIsDown(reason);
        },
      },
      this.#parts,
    );
    const mover = new KeyMover({
      change: watch.change,
      clock: this.#parts.clock,
      link: (shard) => watch.link(shard),
      target: (shard) => {
        const { address, options } = shards[shard] as Shard;
        return { host: address.host, port: address.port, ...options.credentials() };
      },
      reread: (shard) => watch.link(shard).readRecord(),
    });
    shards.forEach((shard, place) => {
      shard.onUp = () => watch.retry(place);
    });
    this.#watch = watch;
    this.#gate = new RingGate(watch.change, mover);
  }

  #changed(): void {
    // Without a next ring a key's place is one shard or nobody's: nothing that was sent can be on its way to another.
    if (this.isChanging) this.version++;
    const change = this.#watch?.change;
    this.#host.moved((bytes, start, end) => this.shardAt(change?.cachedPlaceOf(bytes, start, end) ?? 0));
    this.#gate?.changed();
  }
}
