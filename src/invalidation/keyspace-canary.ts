import type { Redis } from 'ioredis';

import { connectTo, type SubscriberOptions, type Target } from './subscriber.ts';

/** One write of each type of value, and the event that Redis sends for it. */
const WRITES: readonly (readonly [event: string, ...args: string[]])[] = [
  ['set', '1'],
  ['rpush', '1'],
  ['sadd', '1'],
  ['hset', 'field', '1'],
  ['zadd', '1', 'member'],
  ['xadd', '*', 'field', '1'],
];
const DELETED = 'del';
const NEEDED: readonly string[] = [...WRITES.map(([event]) => event), DELETED];

/** Sees whether keyspace events come, for every type of value: writes and deletes a key of its own, over a connection of its
 *  own. No setting is read to decide that, since many a service does not show it; the setting only explains. Leaves no key
 *  behind. */
export class KeyspaceCanary {
  /** Raw bytes as latin1. */
  readonly key: string;
  readonly #target: Target;
  readonly #options: SubscriberOptions;
  #writer: Redis | undefined;
  #missing: Set<string> = new Set();

  constructor(target: Target, key: string, options: SubscriberOptions) {
    this.#target = target;
    this.key = key;
    this.#options = options;
  }

  /** An event of the canary's key. */
  heard(event: string): void {
    this.#missing.delete(event);
  }

  /** Write, wait until all that Redis has sent for it is here, and see what is missing. Returns what is wrong, if anything. */
  async fly(caughtUp: () => Promise<boolean>): Promise<string | undefined> {
    this.#missing = new Set(NEEDED);
    try {
      const writer = await this.#connected();
      await this.#write(writer);
      if (!(await caughtUp())) return 'the subscription was lost';
      return this.#missing.size === 0 ? undefined : await this.#explain(writer);
    } catch (error) {
      this.close();
      return error instanceof Error ? error.message : String(error);
    }
  }

  /** Give up what is on its way; a later one connects anew. */
  close(): void {
    this.#writer?.disconnect();
    this.#writer = undefined;
  }

  async #connected(): Promise<Redis> {
    if (this.#writer?.status === 'ready') return this.#writer;
    this.close();
    const writer = connectTo(this.#target, this.#options);
    this.#writer = writer;
    // Whoever waits for an answer hears of it too.
    writer.on('error', () => undefined);
    await new Promise<void>((resolve, reject) => {
      writer.once('ready', resolve);
      writer.once('end', () => reject(new Error('no connection to write the canary')));
    });
    return writer;
  }

  async #write(writer: Redis): Promise<void> {
    const key = Buffer.from(this.key, 'latin1');
    const block = writer.multi();
    for (const [event, ...args] of WRITES) block.call(event, key, ...args).del(key);
    for (const [error] of (await block.exec()) ?? []) if (error !== null) throw error;
  }

  async #explain(writer: Redis): Promise<string> {
    const missing = `no event for ${[...this.#missing].join(', ')}`;
    try {
      const [, value] = await writer.config('GET', 'notify-keyspace-events');
      return `${missing}: notify-keyspace-events is "${value}" and has to be "KA"`;
    } catch {
      return `${missing}: notify-keyspace-events has to be "KA"`;
    }
  }
}
