import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/log.ts';
import { KeyPattern } from '../cache/key-pattern.ts';
import type { NearCache } from '../cache/near-cache.ts';
import type { InvalidationStats } from './invalidation-stats.ts';
import { parseMessage } from './message.ts';
import { Publishers } from './publishers.ts';

/** More patterns in one message than this are not worth a look at every entry. */
const PATTERNS_MAX = 64;
const LOG_PERIOD_MS = 60_000;

export interface ReaderParts {
  readonly cache: NearCache;
  readonly stats: InvalidationStats;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Does what the messages of one subscription to the application channel say. What it does not understand, and what it has
 *  missed, may have named anything: everything is dropped. */
export class ChannelReader {
  readonly #parts: ReaderParts;
  #publishers = new Publishers();
  #saidAt = Number.NEGATIVE_INFINITY;

  constructor(parts: ReaderParts) {
    this.#parts = parts;
  }

  /** Messages come from now on. Those that never will may be about writes that Redis does not show yet either. */
  subscribed(): void {
    this.#parts.stats.flushes.subscribed++;
    this.#parts.cache.changedElsewhere('all');
  }

  /** The subscription has ended: its publishers go on counting meanwhile. */
  lost(): void {
    this.#publishers = new Publishers();
  }

  message(payload: Buffer): void {
    const { cache, stats } = this.#parts;
    const message = parseMessage(payload);
    stats.messages[message?.form ?? 'bad']++;
    if (message === undefined) {
      this.#complain(payload.length);
      stats.flushes.bad++;
      cache.changedElsewhere('all');
      return;
    }
    const { keys, patterns, publisher } = message;
    const missed = publisher && this.#publishers.missedBefore(publisher);
    if (missed !== undefined) {
      stats.gaps++;
      stats.flushes.gap++;
      if (missed === '') cache.changedElsewhere('all');
      else cache.changedElsewhere([], [KeyPattern.beginsWith(missed)]);
    }
    cache.changedElsewhere(patterns.length > PATTERNS_MAX ? 'all' : keys, patterns);
  }

  /** Not what it said: that may be a key of the app. */
  #complain(bytes: number): void {
    const { clock, log } = this.#parts;
    const now = clock.now();
    if (now - this.#saidAt < LOG_PERIOD_MS) return;
    this.#saidAt = now;
    log.warn({ bytes }, 'a message of the invalidation channel was not understood: everything is dropped');
  }
}
