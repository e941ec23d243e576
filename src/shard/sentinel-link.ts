import type { ConnectionOptions } from 'node:tls';
import { Redis, ReplyError } from 'ioredis';
import type { Clock } from '../base/clock.ts';
import type { Random } from '../base/random.ts';
import { Backoff } from './backoff.ts';
import { questionsAbout, readAnswer } from './sentinel-answer.ts';
import type { HostPort, SentinelAnswer } from './sentinel-answer.ts';

export interface SentinelLinkOptions {
  /** The name under which the sentinels know the primary. */
  readonly master: string;
  /** For the sentinels themselves, which have users of their own. */
  readonly user?: string | undefined;
  readonly password?: string | undefined;
  readonly tls?: ConnectionOptions | undefined;
  /** Also the longest wait for an answer. Units: ms. */
  readonly connectTimeoutMs: number;
}

export interface SentinelLinkOwner {
  /** `answer` has changed: there is a newer one, or none any more. */
  answered(link: SentinelLink): void;
  /** This sentinel says that something has happened to the primary or its replicas. */
  heard(): void;
  /** Said once, until the sentinel has answered again. */
  problem(text: string): void;
}

/** What may change who the primary is or who its replicas are; `+promoted-slave` comes up to a failover's length before
 *  `+switch-master`, and only from the sentinel that leads it. A message has no epoch and may be old, so it is a reason to ask, and
 *  never an answer. Source: https://redis.io/docs/latest/operate/oss_and_stack/management/sentinel/ */
const CHANNELS = [
  '+switch-master',
  '+promoted-slave',
  '+failover-end',
  '+reboot',
  '+slave',
  '+convert-to-slave',
  '+sdown',
  '-sdown',
] as const;

const RETRY_MIN_MS = 50;
const RETRY_MAX_MS = 2000;
/** A frozen sentinel never answers the end of a connection. */
const DISCONNECT_MS = 50;

/** One sentinel: a connection to ask on and one to hear on, each of which comes back by itself.
 *  Errors: none; what goes wrong is told to the owner, and no answer means that there is none. */
export class SentinelLink {
  readonly address: HostPort;
  /** Named in the configuration, as opposed to learned from another sentinel. */
  readonly isConfigured: boolean;
  /** The newest; undefined once the sentinel has failed to give one. */
  answer: SentinelAnswer | undefined;
  readonly #options: SentinelLinkOptions;
  readonly #owner: SentinelLinkOwner;
  readonly #clock: Clock;
  readonly #asker: Redis;
  readonly #askerRetry: Backoff;
  readonly #hearer: Redis;
  readonly #hearerRetry: Backoff;
  #isAsking = false;
  /** Something happened after the questions on their way were sent. */
  #mustAskAgain = false;
  #isChecking = false;
  #isFailing = false;
  #isDeaf = false;
  #isClosed = false;

  constructor(
    address: HostPort,
    isConfigured: boolean,
    options: SentinelLinkOptions,
    owner: SentinelLinkOwner,
    parts: { clock: Clock; random: Random },
  ) {
    this.address = address;
    this.isConfigured = isConfigured;
    this.#options = options;
    this.#owner = owner;
    this.#clock = parts.clock;
    this.#askerRetry = new Backoff(RETRY_MIN_MS, RETRY_MAX_MS, parts.random);
    this.#hearerRetry = new Backoff(RETRY_MIN_MS, RETRY_MAX_MS, parts.random);
    this.#asker = connect(address, options, this.#askerRetry);
    this.#asker.on('ready', () => this.poll());
    this.#asker.on('error', (error: Error) => this.#failed(error.message));
    this.#asker.on('close', () => this.#failed('the connection is lost'));
    this.#hearer = connect(address, options, this.#hearerRetry);
    this.#hearer.on('ready', () => void this.#subscribe());
    // What keeps it from connecting keeps the other one from it too, which tells it.
    this.#hearer.on('error', () => {});
    this.#hearer.on('message', (_channel, text) => {
      if (text.split(' ').includes(this.#options.master)) this.#owner.heard();
    });
  }

  /** Ask, unless it is not connected; while an answer is awaited, ask once more after it. */
  poll(): void {
    if (this.#isAsking) this.#mustAskAgain = true;
    else if (this.#asker.status === 'ready') void this.#ask();
  }

  /** See whether the subscription still stands: nothing else would tell a silent sentinel from a lost one. */
  async checkSubscription(): Promise<void> {
    if (this.#isChecking || this.#hearer.status !== 'ready') return;
    this.#isChecking = true;
    try {
      await this.#hearer.ping();
    } catch {
      this.#hearer.disconnect(true);
    }
    this.#isChecking = false;
  }

  close(): void {
    this.#isClosed = true;
    this.#asker.disconnect();
    this.#hearer.disconnect();
  }

  async #ask(): Promise<void> {
    this.#isAsking = true;
    this.#mustAskAgain = false;
    const answer = await this.#answerOrNone();
    this.#isAsking = false;
    if (this.#isClosed) return;
    if (answer !== undefined) this.#succeeded(answer);
    if (this.#mustAskAgain) this.poll();
  }

  async #answerOrNone(): Promise<SentinelAnswer | undefined> {
    const askedAt = this.#clock.now();
    try {
      const replies = await Promise.all(
        questionsAbout(this.#options.master).map((question) => this.#asker.call('SENTINEL', ...question)),
      );
      const answer = readAnswer(replies, askedAt);
      this.#mustAskAgain ||= answer === undefined;
      return answer;
    } catch (error) {
      this.#failed((error as Error).message);
      // Replies that come too late would pile up behind a sentinel that is frozen for long.
      if (!(error instanceof ReplyError)) this.#asker.disconnect(true);
      return undefined;
    }
  }

  #succeeded(answer: SentinelAnswer): void {
    this.#askerRetry.reset();
    this.#isFailing = false;
    this.answer = answer;
    this.#owner.answered(this);
  }

  #failed(reason: string): void {
    if (this.#isClosed) return;
    if (!this.#isFailing) this.#tell(reason);
    this.#isFailing = true;
    if (this.answer === undefined) return;
    this.answer = undefined;
    this.#owner.answered(this);
  }

  async #subscribe(): Promise<void> {
    try {
      await this.#hearer.subscribe(...CHANNELS);
      this.#hearerRetry.reset();
      this.#isDeaf = false;
    } catch (error) {
      this.#hearer.disconnect(true);
      if (error instanceof ReplyError && !this.#isDeaf) {
        this.#isDeaf = true;
        this.#tell(`no subscription: ${(error as Error).message}`);
      }
      return;
    }
    // What happened before was not heard.
    this.poll();
  }

  #tell(problem: string): void {
    if (!this.#isClosed) {
      this.#owner.problem(`sentinel ${this.address.host}:${this.address.port}: ${problem}`);
    }
  }
}

function connect(address: HostPort, options: SentinelLinkOptions, retry: Backoff): Redis {
  return new Redis({
    ...address,
    username: options.user,
    password: options.password,
    tls: options.tls,
    // What is asked here needs no RESP3, and this needs no handshake.
    protocol: 2,
    disableClientInfo: true,
    enableReadyCheck: false,
    connectTimeout: options.connectTimeoutMs,
    commandTimeout: options.connectTimeoutMs,
    disconnectTimeout: DISCONNECT_MS,
    // A question belongs to its connection: a new one asks anew.
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    autoResubscribe: false,
    maxRetriesPerRequest: 0,
    retryStrategy: () => retry.nextMs(),
  });
}
