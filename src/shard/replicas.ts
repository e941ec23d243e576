import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/log.ts';
import type { Random } from '../base/random.ts';
import type { PolicyTable } from '../policy/policy-table.ts';
import { Backoff } from './backoff.ts';
import type { ShardAddress } from './connection.ts';
import { Replica } from './replica.ts';
import { isClearlyLess, RoundTrip } from './round-trip.ts';
import type { HostPort } from './sentinel-answer.ts';
import type { Shard } from './shard.ts';

export interface ReplicasOptions {
  /** Which keys may be read from them. */
  readonly policies: PolicyTable;
  readonly addressOf: (at: HostPort) => ShardAddress;
}

const COMPARE_MS = 1000;

/** The replicas of one shard, and which of them a read goes to.
 *  Bounds: one connection each. */
export class Replicas {
  readonly policies: PolicyTable;
  readonly #shard: Shard;
  readonly #options: ReplicasOptions;
  readonly #parts: { clock: Clock; random: Random; log: Logger };
  readonly #all = new Map<string, Replica>();
  readonly #primaryTrip: RoundTrip;
  /** Not all sidecars that have few sessions prefer the same replica. */
  readonly #offset: number;
  #usable: readonly Replica[] = [];
  /** Undefined = the primary. */
  #nearest: Replica | undefined;
  #comparedAt = Number.NEGATIVE_INFINITY;
  #isStarted = false;

  constructor(shard: Shard, options: ReplicasOptions, parts: { clock: Clock; random: Random; log: Logger }) {
    this.policies = options.policies;
    this.#shard = shard;
    this.#options = options;
    this.#parts = { ...parts, log: parts.log.child({ shard: shard.name }) };
    this.#primaryTrip = new RoundTrip(shard.stats);
    this.#offset = Math.floor(parts.random() * 2 ** 16);
  }

  get all(): Iterable<Replica> {
    return this.#all.values();
  }

  /** Where a session's read goes; undefined = to the primary. A session stays with one replica as long as the usable ones are
   *  the same. */
  pick(preference: 'replica' | 'nearest', session: number): Replica | undefined {
    if (preference === 'nearest') return this.#nearest;
    return this.#usable[(session + this.#offset) % this.#usable.length];
  }

  /** These are the replicas now. */
  follow(addresses: readonly HostPort[]): void {
    const names = new Set(addresses.map(nameOf));
    for (const [name, replica] of this.#all) {
      if (names.has(name)) continue;
      this.#all.delete(name);
      replica.isUp = false;
      replica.link.close();
    }
    for (const at of addresses) if (!this.#all.has(nameOf(at))) this.#add(at);
    this.#review();
  }

  start(): void {
    this.#isStarted = true;
    for (const { link } of this.all) link.start();
  }

  close(): void {
    for (const { link } of this.all) link.close();
  }

  tick(now: number): void {
    for (const replica of this.all) replica.tick(now);
    this.#primaryTrip.update();
    this.#review();
    if (now - this.#comparedAt < COMPARE_MS) return;
    this.#comparedAt = now;
    this.#compare();
  }

  #add(at: HostPort): void {
    const { reconnectBaseMs, reconnectMaxMs } = this.#shard.options;
    const { clock, random, log } = this.#parts;
    const replica = new Replica(this.#shard, this.#options.addressOf(at), {
      clock,
      log,
      backoff: new Backoff(reconnectBaseMs, reconnectMaxMs, random),
      changed: () => this.#review(),
    });
    this.#all.set(nameOf(at), replica);
    if (this.#isStarted) replica.link.start();
  }

  /** Which can be used now? */
  #review(): void {
    const now = this.#parts.clock.now();
    for (const replica of this.all) replica.isUp = replica.isUsable(now);
    this.#usable = [...this.all].filter(({ isUp }) => isUp);
    if (this.#nearest?.isUp === false) this.#compare();
  }

  #compare(): void {
    const current = this.#nearest;
    const isCurrentUsable = current === undefined ? this.#shard.own.shared.isReady : current.isUp;
    const [best] = this.#usable.toSorted((a, b) => a.roundTripSeconds - b.roundTripSeconds);
    const primary = this.#shard.own.shared.isReady ? this.#primaryTrip.seconds : Number.POSITIVE_INFINITY;
    const isBest = best !== undefined && best.roundTripSeconds < primary;
    const nearest = isBest ? best : undefined;
    if (!isCurrentUsable) {
      this.#nearest = nearest;
      return;
    }
    const now = current?.roundTripSeconds ?? primary;
    const then = nearest?.roundTripSeconds ?? primary;
    if (isClearlyLess(then, now)) this.#nearest = nearest;
  }
}

function nameOf({ host, port }: HostPort): string {
  return `${host}:${port}`;
}
