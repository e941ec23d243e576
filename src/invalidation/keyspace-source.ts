import type { Logger } from '../base/log.ts';
import type { NearCache } from '../cache/near-cache.ts';
import type { InvalidationStats } from './invalidation-stats.ts';
import { KeyspaceCanary } from './keyspace-canary.ts';
import { Subscriber, type SubscriberOptions, type SubscriberParts, type Target } from './subscriber.ts';

/** Longest life of an entry that only keyspace events keep honest. Units: ms. */
export const WEAK_TTL_MS = 5000;
/** How often the canary is written; `--canary-interval` may say more often. Units: ms. */
const CANARY_MS_MAX = 5000;
const PATTERN = '__keyspace@*__:*';
const HEAD = /^__keyspace@\d+__:/;

export interface KeyspaceOptions extends SubscriberOptions {
  /** 0 = as seldom as is allowed. */
  readonly canaryMs: number;
  /** A key that nobody else uses. Shape: raw bytes as latin1. */
  readonly canaryKey: string;
}

export interface KeyspaceParts extends SubscriberParts {
  readonly cache: Pick<NearCache, 'invalidate'>;
  readonly stats: InvalidationStats;
}

/** Keyspace notifications of one Redis, for servers without tracking. A weak source: Redis sends nothing for FLUSHALL,
 *  FLUSHDB and SWAPDB, nor for what expires before it notices, so entries may live only `WEAK_TTL_MS`; and nothing may be served before `isHealthy`. The
 *  server's settings are never changed. Source: coherence spec §8. */
export class KeyspaceSource {
  readonly link: Subscriber;
  readonly #canary: KeyspaceCanary;
  readonly #periodMs: number;
  readonly #options: KeyspaceOptions;
  readonly #parts: KeyspaceParts;
  readonly #log: Logger;
  /** The newest canary has come back, on this subscription. */
  #isProven = false;
  #isOut = false;
  #problem = '';
  #stop: () => void = () => undefined;

  constructor(target: Target, options: KeyspaceOptions, parts: KeyspaceParts) {
    this.#options = options;
    this.#parts = parts;
    this.#log = parts.log.child({ shard: target.name });
    this.#periodMs = options.canaryMs === 0 ? CANARY_MS_MAX : Math.min(options.canaryMs, CANARY_MS_MAX);
    this.#canary = new KeyspaceCanary(target, options.canaryKey, options);
    const listener = {
      subscribed: () => void this.#fly(),
      message: (channel: Buffer, event: Buffer) => this.#heard(channel, event),
      lost: () => {
        this.#isProven = false;
        this.#canary.close();
      },
    };
    const pattern = { isGlob: true, text: PATTERN };
    this.link = new Subscriber(target, pattern, options, listener, { ...parts, log: this.#log });
  }

  start(): void {
    this.link.start();
    this.#stop = this.#parts.clock.every(this.#periodMs, () => void this.#fly());
  }

  close(): void {
    this.#stop();
    this.link.close();
    this.#canary.close();
  }

  /** May entries that this source keeps honest be served at `now`? */
  isHealthy(now: number): boolean {
    return this.#isProven && now - this.link.freshAt <= this.#options.maxStalenessMs;
  }

  #heard(channel: Buffer, event: Buffer): void {
    const name = channel.toString('latin1');
    const key = name.replace(HEAD, '');
    if (key === this.#canary.key) {
      this.#canary.heard(event.toString('latin1'));
      return;
    }
    this.#parts.stats.messages.event++;
    this.#parts.cache.invalidate([key]);
  }

  async #fly(): Promise<void> {
    if (this.#isOut || !this.link.isSubscribed) return;
    this.#isOut = true;
    const { losses } = this.link;
    const cancel = this.#parts.clock.after(this.#options.linkDeadMs, () => this.#canary.close());
    const problem = await this.#canary.fly(() => this.link.caughtUp());
    cancel();
    this.#isOut = false;
    // Of an earlier subscription it says nothing; the next one asks again.
    if (losses === this.link.losses && this.link.isSubscribed) this.#judge(problem);
    else void this.#fly();
  }

  #judge(problem: string | undefined): void {
    const { stats, cache } = this.#parts;
    if (problem === undefined) {
      if (!this.#isProven) {
        // What was kept until now may have changed unheard.
        stats.flushes.canary++;
        cache.invalidate('all');
        this.#log.info({ state: 'proven' }, 'keyspace events come: the near-cache may be used');
      }
      this.#isProven = true;
      this.#problem = '';
      return;
    }
    stats.canaryFailures++;
    this.#isProven = false;
    if (problem !== this.#problem)
      this.#log.error({ reason: problem }, 'keyspace events do not come: the near-cache is off');
    this.#problem = problem;
  }
}
