import type { Clock } from '../base/clock.ts';
import { errorLine } from '../base/errors.ts';
import { encodeRequest } from '../protocol/encoder.ts';
import { OwnCall, type CallFailure } from './call.ts';
import { type AddressSource, Connection } from './connection.ts';
import type { ShardStats } from './shard-stats.ts';

/** Close the connection after this long without a check: most apps authenticate once, at their start. */
const IDLE_MS = 30_000;

const RESET = encodeRequest(['RESET']);
const PING = encodeRequest(['PING']);
const NOAUTH = '-NOAUTH';

/** Asks Redis whether credentials are right, on a connection that does nothing else: an AUTH changes who a connection
 *  is, so it may not run where commands do. Every AUTH of every session is asked anew; nothing is remembered.
 *  Bounds: one connection; checks are pipelined. */
export class AuthConnection {
  #address: AddressSource;
  #connectTimeoutMs: number;
  #commandTimeoutMs: number;
  #clock: Clock;
  #stats: ShardStats;
  #connection: Connection | undefined;
  #lastUsedAt = 0;

  constructor(
    address: AddressSource,
    timeouts: { connectTimeoutMs: number; commandTimeoutMs: number },
    clock: Clock,
    stats: ShardStats,
  ) {
    this.#address = address;
    this.#connectTimeoutMs = timeouts.connectTimeoutMs;
    this.#commandTimeoutMs = timeouts.commandTimeoutMs;
    this.#clock = clock;
    this.#stats = stats;
  }

  /** Send an AUTH request as it is; Redis's own answer comes back. */
  check(auth: Buffer, done: (reply: Buffer | undefined, failure: CallFailure | undefined) => void): void {
    this.#connection ??= this.#connect();
    this.#lastUsedAt = this.#clock.now();
    this.#connection.send(new OwnCall(done, this.#commandTimeoutMs), auth, 0, auth.length);
  }

  /** Ask what Redis answers to someone who has not authenticated: its own words for a request that it will refuse. A Redis that
   *  asks nobody for a password would run what only our table does not know, so it is asked for that first; then the answer
   *  is what it would say to a PING. */
  askStranger(
    request: Buffer,
    done: (reply: Buffer | undefined, failure: CallFailure | undefined) => void,
  ): void {
    this.#asStranger(PING, (reply, failure) => {
      if (reply?.latin1Slice(0, NOAUTH.length) === NOAUTH) this.#asStranger(request, done);
      else done(reply === undefined ? undefined : errorLine('NOAUTH'), failure);
    });
  }

  /** RESET and the request leave side by side: no AUTH of another session comes between. */
  #asStranger(
    request: Buffer,
    done: (reply: Buffer | undefined, failure: CallFailure | undefined) => void,
  ): void {
    this.check(RESET, () => undefined);
    this.check(request, done);
  }

  tick(now: number): void {
    this.#connection?.expireCalls(now);
    if (now - this.#lastUsedAt > IDLE_MS) this.close();
  }

  close(): void {
    this.#connection?.destroy('not needed any more');
  }

  #connect(): Connection {
    this.#stats.controlConnections++;
    const connection = new Connection(
      this.#clock,
      {
        opened: () => undefined,
        unasked: () => undefined,
        drained: () => undefined,
        lost: () => {
          this.#stats.controlConnections--;
          if (this.#connection === connection) this.#connection = undefined;
        },
      },
      this.#stats,
    );
    connection.connect(this.#address(), this.#connectTimeoutMs);
    return connection;
  }
}
