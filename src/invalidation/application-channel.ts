import type { Source } from '../cache/near-cache.ts';
import { ChannelReader, type ReaderParts } from './channel-reader.ts';
import { Subscriber, type SubscriberOptions, type SubscriberParts, type Target } from './subscriber.ts';

/** The channel on which writers say what they have changed out of Redis's sight (CDC, another region): one subscription to
 *  each shard, since it may be published on any of them. Entries are served while every one of them delivers.
 *  Pub/sub has no replay: after each (re-)subscription everything is dropped. Source: coherence spec §8. */
export class ApplicationChannel implements Source {
  readonly #channel: string;
  readonly #options: SubscriberOptions;
  readonly #parts: ReaderParts & SubscriberParts;
  #links: readonly Subscriber[] = [];

  constructor(channel: string, options: SubscriberOptions, parts: ReaderParts & SubscriberParts) {
    this.#channel = channel;
    this.#options = options;
    this.#parts = parts;
  }

  get links(): readonly Subscriber[] {
    return this.#links;
  }

  /** Listen to these, and to no others any more. They are told apart by name. */
  follow(targets: readonly Target[]): void {
    const before = this.#links;
    this.#links = targets.map(
      (target) => before.find((link) => link.target.name === target.name) ?? this.#link(target),
    );
    for (const link of before) if (!this.#links.includes(link)) link.close();
    for (const link of this.#links) if (!before.includes(link)) link.start();
  }

  close(): void {
    this.follow([]);
  }

  /** Has all been heard that was published up to `maxStalenessMs` ago? */
  covers(now: number, maxStalenessMs: number): boolean {
    for (const { freshAt } of this.#links) if (now - freshAt > maxStalenessMs) return false;
    return this.#links.length > 0;
  }

  #link(target: Target): Subscriber {
    const log = this.#parts.log.child({ shard: target.name });
    const reader = new ChannelReader({ ...this.#parts, log });
    const listener = {
      subscribed: () => reader.subscribed(),
      message: (_: Buffer, payload: Buffer) => reader.message(payload),
      lost: () => reader.lost(),
    };
    const pattern = { isGlob: false, text: this.#channel };
    return new Subscriber(target, pattern, this.#options, listener, { ...this.#parts, log });
  }
}
