import type { Clock } from '../base/clock.ts';
import type { Fifo } from '../base/fifo.ts';
import { encodeRequest } from '../protocol/encoder.ts';
import { type Call, type CallFailure, OwnCall } from './call.ts';
import { Connection, type AddressSource } from './connection.ts';
import type { CredentialSource } from './credentials.ts';
import { logIn } from './handshake.ts';
import type { ShardStats } from './shard-stats.ts';
import type { Waiter } from './shared-options.ts';
import { Waiters } from './waiters.ts';

export interface OnDemandOptions {
  address: AddressSource;
  /** What it is called at Redis, asked at each connect. */
  clientName?: () => string;
  credentials: CredentialSource;
  connectTimeoutMs: number;
  /** A connection that is silent for so long is dead. */
  linkDeadMs: number;
  /** Closed when it was of no use for so long. */
  idleMs: number;
  inFlightMax: number;
}

export interface OnDemandOwner {
  /** Must it stay open although nothing is outstanding? */
  readonly isUsed: boolean;
  /** One whole push. The bytes are valid only during the call. */
  pushed(frame: Buffer, start: number, end: number): void;
  /** Gone: what was outstanding has failed. `wasReady` = it was usable before. */
  lost(reason: string, wasReady: boolean): void;
  ready(): void;
}

interface Held {
  call: Call;
  bytes: Buffer;
}

/** Permitted to every user, and answered while a script runs. */
const HELLO = encodeRequest(['HELLO']);
/** What may wait while it is being opened, besides one turn's requests. */
const HELD_BYTES_MAX = 4_194_304;

/** A connection in RESP3 that is opened by the first request and closed when it is of no use any more. It never comes back
 *  by itself: whoever needs it asks again.
 *  Errors: what cannot be sent fails its call at once. Bounds: `inFlightMax` calls; 4 MiB held, besides one turn's requests. */
export class OnDemandConnection {
  readonly #options: OnDemandOptions;
  readonly #owner: OnDemandOwner;
  readonly #clock: Clock;
  readonly #stats: ShardStats;
  /** Why it would be in vain to connect now; undefined = try. */
  readonly #obstacle: () => CallFailure | undefined;
  #connection: Connection | undefined;
  #isReady = false;
  #refusal: CallFailure | undefined;
  #held: Held[] = [];
  #heldBytes = 0;
  readonly #waiters = new Waiters();
  #parts: Buffer[] = [];
  #usedAt = 0;

  constructor(
    options: OnDemandOptions,
    parts: {
      owner: OnDemandOwner;
      clock: Clock;
      stats: ShardStats;
      obstacle: () => CallFailure | undefined;
    },
  ) {
    this.#options = options;
    this.#owner = parts.owner;
    this.#clock = parts.clock;
    this.#stats = parts.stats;
    this.#obstacle = parts.obstacle;
  }

  /** Is it open, or being opened? */
  get isOpen(): boolean {
    return this.#connection?.isGone === false;
  }

  /** Sent and not answered, oldest first. */
  get calls(): Fifo<Call> | undefined {
    return this.#connection?.calls;
  }

  /** Is there room for more requests? If not, `waiter` is woken once there may be. */
  hasRoomFor(waiter: Waiter): boolean {
    if (this.#connection?.isFull !== true && this.#heldBytes <= HELD_BYTES_MAX) return true;
    this.#waiters.add(waiter);
    return false;
  }

  submit(call: Call, buffer: Buffer, start: number, end: number): void {
    const connection = this.#connection;
    const { inFlightMax } = this.#options;
    if ((this.#isReady ? (connection?.calls.length ?? 0) : this.#held.length) >= inFlightMax) {
      this.#fail(call, { kind: 'busy', reason: String(inFlightMax) });
    } else if (this.#isReady && connection?.isGone === false) {
      connection.send(call, buffer, start, end);
    } else {
      this.#hold(call, Buffer.from(buffer.subarray(start, end)));
    }
  }

  /** Periodic work: time-outs, a sign of life when nothing else is heard, and the end when nobody needs it. */
  tick(now: number): void {
    const connection = this.#connection;
    if (connection === undefined || !this.#isReady) return;
    const { linkDeadMs, idleMs } = this.#options;
    connection.expireCalls(now);
    const isWaiting = connection.calls.length > 0;
    if (isWaiting || this.#owner.isUsed) this.#usedAt = now;
    if (connection.isSilent(now, linkDeadMs)) {
      connection.destroy(`no byte received for ${linkDeadMs} ms`);
    } else if (now - this.#usedAt > idleMs) {
      // At once, so that a request that comes before the socket has closed opens the next one.
      this.#lost(connection, 'idle');
      connection.destroy('idle');
    } else if (!isWaiting && now - connection.lastByteAt > linkDeadMs / 2) {
      connection.send(new OwnCall(() => undefined), HELLO, 0, HELLO.length);
    }
  }

  /** Destroy it: what came over it cannot be trusted, or it is of no use any more. */
  reset(reason: string): void {
    this.#connection?.destroy(reason);
  }

  #hold(call: Call, bytes: Buffer): void {
    const obstacle = this.isOpen ? undefined : this.#obstacle();
    if (obstacle !== undefined) return this.#fail(call, obstacle);
    this.#held.push({ call, bytes });
    this.#heldBytes += bytes.length;
    if (this.#connection === undefined) this.#connect();
  }

  #fail(call: Call, failure: CallFailure): void {
    this.#stats.failed++;
    call.fail(failure);
  }

  #connect(): void {
    const connection: Connection = new Connection(
      this.#clock,
      {
        opened: () => this.#opened(connection),
        unasked: (chunk, start, end, last) => {
          if (this.#connection === connection) this.#unasked(chunk, start, end, last);
        },
        lost: (reason) => this.#lost(connection, reason),
        drained: () => this.#waiters.wakeAll(),
      },
      this.#stats,
    );
    this.#connection = connection;
    this.#refusal = undefined;
    connection.connect(this.#options.address(), this.#options.connectTimeoutMs);
  }

  #opened(connection: Connection): void {
    const wishes = {
      clientName: this.#options.clientName?.() ?? 'nearcache',
      tracks: false,
      hasFieldTtl: false,
      asksReady: false,
    };
    logIn(connection, this.#options, this.#clock, wishes, (result) => {
      if ('server' in result) return this.#ready(connection);
      if (result.failure.kind !== 'refused') return;
      this.#refusal = result.failure;
      connection.destroy(result.failure.reason);
    });
  }

  #ready(connection: Connection): void {
    this.#stats.connects++;
    this.#isReady = true;
    this.#usedAt = this.#clock.now();
    this.#owner.ready();
    for (const { call, bytes } of this.#takeHeld()) connection.send(call, bytes, 0, bytes.length);
    this.#waiters.wakeAll();
  }

  #unasked(chunk: Buffer, start: number, end: number, last: boolean): void {
    if (last && this.#parts.length === 0) return this.#owner.pushed(chunk, start, end);
    this.#parts.push(Buffer.from(chunk.subarray(start, end)));
    if (!last) return;
    const frame = Buffer.concat(this.#parts);
    this.#parts = [];
    this.#owner.pushed(frame, 0, frame.length);
  }

  #lost(connection: Connection, reason: string): void {
    if (this.#connection !== connection) return;
    const wasReady = this.#isReady;
    this.#connection = undefined;
    this.#isReady = false;
    this.#parts = [];
    if (!wasReady) this.#stats.connectFailures++;
    const failure = this.#refusal ?? ({ kind: 'unsent', reason } as const);
    for (const { call } of this.#takeHeld()) this.#fail(call, failure);
    this.#owner.lost(reason, wasReady);
    this.#waiters.wakeAll();
  }

  #takeHeld(): Held[] {
    const held = this.#held;
    this.#held = [];
    this.#heldBytes = 0;
    return held;
  }
}
