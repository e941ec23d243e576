import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/log.ts';
import type { Random } from '../base/random.ts';
import { HoldOff } from '../cache/hold-off.ts';
import type { NearCache } from '../cache/near-cache.ts';
import { ApplicationChannel } from './application-channel.ts';
import { InvalidationStats } from './invalidation-stats.ts';
import { KeyspaceSource } from './keyspace-source.ts';
import type { SubscriberOptions, Target } from './subscriber.ts';

/** Units: ms. */
export interface InvalidationOptions extends SubscriberOptions {
  /** Undefined = no application channel. */
  readonly channel: string | undefined;
  /** How much later than a message of the channel Redis may show what it tells of; 0 = not at all. */
  readonly holdOffMs: number;
  readonly canaryMs: number;
  /** What the canaries' keys begin with, as latin1. */
  readonly canaryKey: string;
}

export interface InvalidationParts {
  readonly cache: NearCache;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** All primaries that there are now. */
  readonly targets: () => readonly Target[];
  /** Those of them whose keyspace events are to be listened to. */
  readonly untracked: () => readonly Target[];
}

/** One subscription, for metrics. */
export interface InvalidationLink {
  readonly shard: string;
  readonly source: 'channel' | 'keyspace';
  /** Does what it tells keep entries honest now? */
  readonly isUp: boolean;
  readonly losses: number;
}

/** Invalidations that come by pub/sub, beside those of the links: of writers whom Redis does not see, and of a Redis that
 *  cannot track. Follows the shards as they come and go. */
export class Invalidations {
  readonly stats: InvalidationStats = new InvalidationStats();
  readonly holdOff: HoldOff | undefined;
  readonly #options: InvalidationOptions;
  readonly #parts: InvalidationParts;
  readonly #channel: ApplicationChannel | undefined;
  readonly #keyspaces = new Map<string, KeyspaceSource>();
  #stop: () => void = () => undefined;

  constructor(options: InvalidationOptions, parts: InvalidationParts) {
    this.#options = options;
    this.#parts = parts;
    const { channel, holdOffMs } = options;
    if (channel === undefined) return;
    this.#channel = new ApplicationChannel(channel, options, { ...parts, stats: this.stats });
    if (holdOffMs > 0) this.holdOff = new HoldOff(holdOffMs, parts.clock);
    parts.cache.besides = this.#channel;
    parts.cache.holdOff = this.holdOff;
  }

  start(): void {
    const { maxStalenessMs } = this.#options;
    this.#follow();
    this.#stop = this.#parts.clock.every(maxStalenessMs / LOOKS_PER_STALENESS, () => this.#follow());
  }

  close(): void {
    this.#stop();
    this.#channel?.close();
    for (const source of this.#keyspaces.values()) source.close();
    this.#keyspaces.clear();
  }

  /** May entries of this shard be served at `now`, though its Redis does not track? */
  isHealthy(shard: string, now: number): boolean {
    return this.#keyspaces.get(shard)?.isHealthy(now) === true;
  }

  get links(): readonly InvalidationLink[] {
    const now = this.#parts.clock.now();
    const { maxStalenessMs } = this.#options;
    const ofChannel = (this.#channel?.links ?? []).map(({ target, freshAt, losses }) => {
      return {
        shard: target.name,
        source: 'channel',
        isUp: now - freshAt <= maxStalenessMs,
        losses,
      } as const;
    });
    const ofKeyspaces = [...this.#keyspaces].map(([shard, source]) => {
      return { shard, source: 'keyspace', isUp: source.isHealthy(now), losses: source.link.losses } as const;
    });
    return [...ofChannel, ...ofKeyspaces];
  }

  #follow(): void {
    this.#channel?.follow(this.#parts.targets());
    const untracked = this.#parts.untracked();
    for (const [name, source] of this.#keyspaces) {
      if (untracked.some((target) => target.name === name)) continue;
      source.close();
      this.#keyspaces.delete(name);
    }
    for (const target of untracked) {
      if (this.#keyspaces.has(target.name)) continue;
      const source = this.#keyspaceOf(target);
      this.#keyspaces.set(target.name, source);
      source.start();
    }
  }

  #keyspaceOf(target: Target): KeyspaceSource {
    const nonce = Math.floor(this.#parts.random() * 2 ** 48).toString(36);
    const canaryKey = `${this.#options.canaryKey}:keyspace:${nonce}`;
    return new KeyspaceSource(target, { ...this.#options, canaryKey }, { ...this.#parts, stats: this.stats });
  }
}

const LOOKS_PER_STALENESS = 8;
