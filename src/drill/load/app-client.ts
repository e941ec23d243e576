import { Redis } from 'ioredis';
import type { Clock } from '../../base/clock.ts';
import type { Ledger, RequestFacts } from './ledger.ts';

/** A connection of the app to nearcache: a real client, as apps use it. It connects again by itself and sends nothing twice. */
export class AppClient {
  readonly redis: Redis;
  readonly #ledger: Ledger;
  readonly #clock: Clock;
  #isOver = false;

  constructor(port: number, protocol: 2 | 3, ledger: Ledger, clock: Clock) {
    this.#ledger = ledger;
    this.#clock = clock;
    this.redis = new Redis({
      host: '127.0.0.1',
      port,
      protocol,
      lazyConnect: true,
      disableClientInfo: true,
      enableReadyCheck: false,
      maxRetriesPerRequest: 0,
      retryStrategy: () => 50,
    });
    // What fails, fails the request.
    this.redis.on('error', () => {});
    this.redis.on('close', () => {
      if (!this.#isOver) this.#ledger.closed++;
    });
  }

  async connect(): Promise<void> {
    await this.redis.connect();
  }

  /** Ask, and account for it. Resolves with the reply, or with undefined when it was an error; `onError` has its text. */
  async ask<T>(
    facts: RequestFacts,
    send: (redis: Redis) => Promise<T>,
    onError?: (text: string) => void,
  ): Promise<{ readonly reply: T; readonly now: number } | undefined> {
    const startedAt = this.#clock.now();
    this.#ledger.began(facts);
    try {
      const reply = await send(this.redis);
      const now = this.#clock.now();
      this.#ledger.succeeded(facts, startedAt, now);
      return { reply, now };
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      this.#ledger.failedWith(facts, text, startedAt, this.#clock.now());
      onError?.(text);
      return undefined;
    }
  }

  close(): void {
    this.#isOver = true;
    this.redis.disconnect();
  }
}
