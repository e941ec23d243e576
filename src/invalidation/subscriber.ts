import { Redis } from 'ioredis';
import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/log.ts';
import type { Random } from '../base/random.ts';
import { Backoff } from '../shard/backoff.ts';
import type { AddressSource } from '../shard/connection.ts';
import type { CredentialSource } from '../shard/credentials.ts';

/** One Redis to listen to. Its address and credentials are asked for at each connect. */
export interface Target {
  readonly name: string;
  readonly address: AddressSource;
  readonly credentials: CredentialSource;
}

/** Units: ms. */
export interface SubscriberOptions {
  readonly maxStalenessMs: number;
  readonly connectTimeoutMs: number;
  readonly linkDeadMs: number;
  readonly reconnectBaseMs: number;
  readonly reconnectMaxMs: number;
}

export interface SubscriberParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/** What becomes of a subscription. */
export interface SubscriptionListener {
  /** Messages come from now on; what was published before did not. A message may have come first. */
  subscribed(): void;
  message(channel: Buffer, payload: Buffer): void;
  /** No more messages until `subscribed`. */
  lost(): void;
}

const TICKS_PER_STALENESS = 8;
const PINGS_PER_STALENESS = 4;
/** How long a connection that was given up may take to say good-bye. */
const GOODBYE_MS = 100;

/** A subscription to one Redis that is kept up: it connects, subscribes, asks again and again whether the link delivers, and
 *  begins anew when it does not, or when the Redis has moved. Each try has a client of its own, so nothing of an earlier one
 *  is left in it. Units: ms of the monotonic clock. */
export class Subscriber {
  /** When the newest question was sent that was answered: all that had been published by then has been heard. */
  freshAt: number = Number.NEGATIVE_INFINITY;
  isSubscribed = false;
  /** Times a subscription was lost. */
  losses = 0;
  readonly target: Target;
  readonly #pattern: { readonly isGlob: boolean; readonly text: string };
  readonly #options: SubscriberOptions;
  readonly #listener: SubscriptionListener;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #backoff: Backoff;
  #client: Redis | undefined;
  /** Where the client connects. */
  #place = '';
  #startedAt = 0;
  #askedAt = 0;
  #isAsking = false;
  /** Why the last try failed. */
  #reason = '';
  #stopTicking: () => void = () => undefined;
  #isClosed = false;

  constructor(
    target: Target,
    pattern: { isGlob: boolean; text: string },
    options: SubscriberOptions,
    listener: SubscriptionListener,
    { clock, random, log }: SubscriberParts,
  ) {
    this.target = target;
    this.#pattern = pattern;
    this.#options = options;
    this.#listener = listener;
    this.#clock = clock;
    this.#log = log;
    this.#backoff = new Backoff(options.reconnectBaseMs, options.reconnectMaxMs, random);
  }

  start(): void {
    this.#connect();
    const periodMs = this.#options.maxStalenessMs / TICKS_PER_STALENESS;
    this.#stopTicking = this.#clock.every(periodMs, () => this.#tick());
  }

  /** Stop for good. */
  close(): void {
    this.#isClosed = true;
    this.#stopTicking();
    this.#drop();
  }

  /** Everything that was published before now has been heard when this resolves with true; false = the link is lost. */
  async caughtUp(): Promise<boolean> {
    const client = this.#client;
    if (client === undefined || !this.isSubscribed) return false;
    try {
      await client.ping();
      return client === this.#client;
    } catch {
      return false;
    }
  }

  #connect(): void {
    this.#startedAt = this.#clock.now();
    let client: Redis;
    try {
      client = connectTo(this.target, this.#options);
    } catch (error) {
      this.#again(textOf(error));
      return;
    }
    this.#place = placeOf(this.target);
    this.#client = client;
    let problem = 'the connection was closed';
    client.on('error', (error: Error) => {
      problem = error.message;
    });
    client.on('ready', () => void this.#subscribe(client));
    client.on('end', () => this.#lost(client, problem));
    client.on('messageBuffer', (channel: Buffer, payload: Buffer) => this.#heard(client, channel, payload));
    client.on('pmessageBuffer', (_: unknown, channel: Buffer, payload: Buffer) =>
      this.#heard(client, channel, payload),
    );
  }

  #heard(client: Redis, channel: Buffer, payload: Buffer): void {
    if (client === this.#client) this.#listener.message(channel, payload);
  }

  async #subscribe(client: Redis): Promise<void> {
    const sentAt = this.#clock.now();
    const { isGlob, text } = this.#pattern;
    try {
      await (isGlob ? client.psubscribe(text) : client.subscribe(text));
    } catch (error) {
      this.#lost(client, textOf(error));
      return;
    }
    if (client !== this.#client) return;
    this.#backoff.reset();
    this.#reason = '';
    this.#isAsking = false;
    this.#askedAt = sentAt;
    this.freshAt = sentAt;
    this.isSubscribed = true;
    this.#listener.subscribed();
    this.#log.info({ state: 'subscribed' }, 'invalidations by pub/sub');
  }

  #tick(): void {
    const client = this.#client;
    if (client === undefined) return;
    const now = this.#clock.now();
    const { connectTimeoutMs, linkDeadMs, maxStalenessMs } = this.#options;
    if (this.#place !== placeOf(this.target)) this.#lost(client, 'the shard has moved');
    else if (!this.isSubscribed) {
      if (now - this.#startedAt > connectTimeoutMs) this.#lost(client, 'no answer to SUBSCRIBE in time');
    } else if (this.#isAsking) {
      if (now - this.#askedAt > linkDeadMs) this.#lost(client, 'no answer to PING in time');
    } else if (now - this.#askedAt >= maxStalenessMs / PINGS_PER_STALENESS) void this.#ask(client, now);
  }

  async #ask(client: Redis, now: number): Promise<void> {
    this.#isAsking = true;
    this.#askedAt = now;
    const isAnswered = await this.caughtUp();
    if (client !== this.#client) return;
    this.#isAsking = false;
    if (isAnswered) this.freshAt = now;
  }

  #lost(client: Redis, reason: string): void {
    if (client !== this.#client) return;
    this.#drop();
    this.#again(reason);
  }

  #drop(): void {
    const client = this.#client;
    this.#client = undefined;
    client?.disconnect();
    if (!this.isSubscribed) return;
    this.isSubscribed = false;
    this.losses++;
    this.#listener.lost();
  }

  #again(reason: string): void {
    if (reason !== this.#reason) this.#log.warn({ state: 'down', reason }, 'no invalidations by pub/sub');
    this.#reason = reason;
    this.#clock.after(this.#backoff.nextMs(), () => {
      if (!this.#isClosed) this.#connect();
    });
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** A client that makes one try and repeats nothing by itself. */
export function connectTo(
  { address, credentials }: Target,
  { connectTimeoutMs }: Pick<SubscriberOptions, 'connectTimeoutMs'>,
): Redis {
  const { host, port, tls } = address();
  const { user, password } = credentials();
  return new Redis({
    host,
    port,
    ...(tls === undefined ? {} : { tls }),
    ...(password === undefined ? {} : { password: password.toString() }),
    ...(password === undefined || user === undefined ? {} : { username: user.toString() }),
    // A server without tracking may know no RESP3 either.
    protocol: 2,
    connectTimeout: connectTimeoutMs,
    disconnectTimeout: GOODBYE_MS,
    enableReadyCheck: false,
    enableOfflineQueue: false,
    autoResubscribe: false,
    autoResendUnfulfilledCommands: false,
    disableClientInfo: true,
    retryStrategy: null,
  });
}

function placeOf({ address }: Target): string {
  const { host, port } = address();
  return `${host}:${port}`;
}
