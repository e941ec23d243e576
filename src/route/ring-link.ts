import type { Clock } from '../base/clock.ts';
import { encodeRequest } from '../protocol/encoder.ts';
import { parseReply, type Reply } from '../protocol/reply-parser.ts';
import type { Backoff } from '../shard/backoff.ts';
import { type CallFailure, OwnCall } from '../shard/call.ts';
import { type AddressSource, Connection } from '../shard/connection.ts';
import { type CredentialSource, helloArguments } from '../shard/credentials.ts';
import type { ShardStats } from '../shard/shard-stats.ts';
import { RING_KEY } from './ring-record.ts';

export interface RingLinkOptions {
  readonly address: AddressSource;
  readonly credentials: CredentialSource;
  readonly connectTimeoutMs: number;
  /** Longest wait for a record. */
  readonly commandTimeoutMs: number;
}

export interface RingLinkListener {
  /** What this connection is to be called now. */
  name(): string;
  /** The shard's record; '' = it has none. */
  read(line: string): void;
  /** There is no connection. `problem`: nor could one be made; undefined = that has not been tried yet. */
  lost(problem: string | undefined): void;
}

const READ = ['GET', RING_KEY];
/** A move takes as long as its value is big, and its source does nothing else meanwhile. */
const MOVE_TIMEOUT_MS = 30_000;

/** The connection on which one shard of a ring tells its record and by whose name it knows how far we are; keys are moved on it as well.
 *  It reconnects by itself.
 *  Errors: what cannot be sent fails at once. */
export class RingLink {
  /** Undefined = there is none, or it was not answered yet. */
  #open: Connection | undefined;
  #connection: Connection | undefined;
  #isClosed = false;
  #isReading = false;
  #db = 0;
  #name = '';
  readonly #options: RingLinkOptions;
  readonly #backoff: Backoff;
  readonly #clock: Clock;
  readonly #stats: ShardStats;
  readonly #listener: RingLinkListener;
  #reason = 'not connected yet';

  constructor(
    options: RingLinkOptions,
    parts: { clock: Clock; backoff: Backoff; stats: ShardStats },
    listener: RingLinkListener,
  ) {
    this.#options = options;
    this.#backoff = parts.backoff;
    this.#clock = parts.clock;
    this.#stats = parts.stats;
    this.#listener = listener;
  }

  start(): void {
    if (this.#connection !== undefined || this.#isClosed) return;
    const connection = new Connection(
      this.#clock,
      {
        opened: () => this.#shakeHands(connection),
        unasked: () => undefined,
        lost: (reason) => this.#lost(reason),
        drained: () => undefined,
      },
      this.#stats,
    );
    this.#connection = connection;
    connection.connect(this.#options.address(), this.#options.connectTimeoutMs);
  }

  /** Try again now, however long the last tries were in vain. */
  retryNow(): void {
    this.#backoff.reset();
    this.start();
  }

  close(): void {
    this.#isClosed = true;
    this.#connection?.destroy('nearcache is stopping');
  }

  /** Ask for the record; it goes to the listener. */
  readRecord(): void {
    const connection = this.#open;
    if (connection === undefined || this.#isReading) return;
    this.#isReading = true;
    this.#ask(connection, READ, this.#options.commandTimeoutMs, (reply, failure) => {
      this.#isReading = false;
      if (failure === undefined) this.#heard(connection, reply);
      else if (failure.kind === 'timeout') connection.destroy(failure.reason);
    });
  }

  /** The name that the listener gives may be another now. */
  rename(): void {
    const connection = this.#open;
    const name = this.#listener.name();
    if (connection === undefined || name === this.#name) return;
    this.#name = name;
    this.#ask(connection, ['CLIENT', 'SETNAME', name], 0, (reply) => {
      if (typeof reply === 'object') connection.destroy('CLIENT SETNAME was refused');
    });
  }

  /** Send one request of nearcache's own in `db`. */
  send(
    request: readonly (string | Buffer)[],
    db: number,
    done: (reply: Reply, failure: CallFailure | undefined) => void,
  ): void {
    const connection = this.#open;
    if (connection === undefined) return done(undefined, { kind: 'unsent', reason: this.#reason });
    if (db !== this.#db) {
      this.#db = db;
      this.#ask(connection, ['SELECT', String(db)], 0, (reply) => {
        // What is behind it would run in the wrong database.
        if (reply !== 'OK') connection.destroy(`SELECT ${db} was refused`);
      });
    }
    this.#ask(connection, request, MOVE_TIMEOUT_MS, done);
  }

  tick(now: number): void {
    this.#connection?.expireCalls(now);
  }

  #shakeHands(connection: Connection): void {
    let hello: (string | Buffer)[];
    try {
      hello = helloArguments(3, this.#options.credentials());
    } catch (error) {
      return connection.destroy(error instanceof Error ? error.message : String(error));
    }
    this.#name = this.#listener.name();
    const { connectTimeoutMs } = this.#options;
    // The name first: whoever has read a record is seen by those who change it.
    this.#ask(connection, [...hello, 'SETNAME', this.#name], connectTimeoutMs, (reply, failure) => {
      const refusal = errorOf(reply) ?? (failure?.kind === 'timeout' ? failure.reason : undefined);
      if (refusal !== undefined) connection.destroy(refusal);
    });
    this.#ask(connection, READ, connectTimeoutMs, (reply, failure) => {
      if (failure !== undefined) return;
      this.#backoff.reset();
      this.#db = 0;
      this.#open = connection;
      this.#heard(connection, reply);
    });
  }

  #heard(connection: Connection, reply: Reply): void {
    const refusal = errorOf(reply);
    if (refusal !== undefined) return connection.destroy(`GET ${RING_KEY}: ${refusal}`);
    this.#listener.read(typeof reply === 'string' ? reply : '');
    this.rename();
  }

  #ask(
    connection: Connection,
    request: readonly (string | Buffer)[],
    timeoutMs: number,
    done: (reply: Reply, failure: CallFailure | undefined) => void,
  ): void {
    const bytes = encodeRequest(request);
    const call = new OwnCall((reply, failure) => {
      done(reply === undefined ? undefined : parseReply(reply, 0, reply.length), failure);
    }, timeoutMs);
    connection.send(call, bytes, 0, bytes.length);
  }

  #lost(reason: string): void {
    const wasOpen = this.#open !== undefined;
    this.#connection = undefined;
    this.#open = undefined;
    this.#isReading = false;
    this.#reason = reason;
    this.#listener.lost(wasOpen ? undefined : reason);
    if (this.#isClosed) return;
    // At once, the first time: what waits for the record waits for a connection only.
    if (wasOpen) this.start();
    else this.#clock.after(this.#backoff.nextMs(), () => this.start());
  }
}

function errorOf(reply: Reply): string | undefined {
  return typeof reply === 'object' && 'error' in reply ? reply.error : undefined;
}
