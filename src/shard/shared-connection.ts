import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/log.ts';
import { Generation } from '../cache/generation.ts';
import { encodeRequest } from '../protocol/encoder.ts';
import type { Request } from '../protocol/request.ts';
import type { Backoff } from './backoff.ts';
import { BusyProbe } from './busy-probe.ts';
import { Call, type CallFailure, OwnCall } from './call.ts';
import { Connection } from './connection.ts';
import type { CredentialSource } from './credentials.ts';
import { type ServerInfo, shakeHands, whyUntracked } from './handshake.ts';
import { HeldCalls } from './held-calls.ts';
import { Heartbeat } from './heartbeat.ts';
import { PushReader } from './invalidation-push.ts';
import { SendGate } from './send-gate.ts';
import type { ShardStats } from './shard-stats.ts';
import type { SharedListener, SharedOptions, Waiter } from './shared-options.ts';
import { trackLater } from './track-later.ts';

/** idle = not asked for yet; connecting = a first try is under way and commands wait for it; ready; down = commands
 *  fail at once until a retry succeeds; closed = for good. */
export type SharedState = 'idle' | 'connecting' | 'ready' | 'down' | 'closed';

/** For commands that look at no key. */
export const ANY_DB = -1;

const OK_LINE = Buffer.from('+OK\r\n', 'latin1');

/** THE connection of one identity to one shard: the pipelined commands of many sessions, replies and invalidations in
 *  one ordered stream (DESIGN §2). Exactly one, since a pool would multiply the server's tracking cost and break that
 *  order. Also used, without tracking, as the control connection. Reconnects by itself.
 *  Errors: a command that cannot be sent fails its call at once; nothing is ever sent twice. */
export class SharedConnection {
  static #lastPosition = 0;
  state: SharedState = 'idle';
  generation: Generation = new Generation();
  /** The place of its newest request among those of all shared connections. */
  position = 0;
  /** What the last successful handshake told; kept while down, so that HELLO can be answered. */
  server: ServerInfo | undefined;
  /** Why it is not ready, in words. */
  problem: CallFailure = { kind: 'unsent', reason: 'not connected yet' };
  readonly options: SharedOptions;
  #clock: Clock;
  #backoff: Backoff;
  #listener: SharedListener;
  #stats: ShardStats;
  #log: Logger;
  #connection: Connection | undefined;
  #db = 0;
  readonly #held = new HeldCalls();
  #waiters = new Set<Waiter>();
  #pushes = new PushReader();
  #heartbeat: Heartbeat | undefined;
  readonly #busyProbe: BusyProbe;
  readonly #gate: SendGate;

  constructor(
    options: SharedOptions,
    parts: { clock: Clock; backoff: Backoff; listener: SharedListener; stats: ShardStats; log: Logger },
  ) {
    this.options = options;
    this.#clock = parts.clock;
    this.#busyProbe = new BusyProbe(parts.clock);
    this.#gate = new SendGate(options.breaker, options.queueTimeoutMs, parts.clock);
    this.#backoff = parts.backoff;
    this.#listener = parts.listener;
    this.#stats = parts.stats;
    this.#log = parts.log;
  }

  /** Begin to connect, if that has not begun. */
  start(): void {
    if (this.state !== 'idle') return;
    this.state = 'connecting';
    this.#connect();
  }

  /** Do not wait for the next try: there is reason to believe that it will go better now. */
  retryNow(): void {
    // It was only waiting for an address.
    if (this.state === 'connecting' && this.#connection === undefined) return this.#connect();
    if (this.state !== 'down') return;
    this.state = 'connecting';
    this.#backoff.reset();
    if (this.#connection === undefined) this.#connect();
  }

  /** Is there room for more requests? If not, `waiter` is woken once there may be. */
  hasRoomFor(waiter: Waiter): boolean {
    if (this.#connection?.isFull !== true && !this.#held.isFull) return true;
    // They are refused at once then, and that is no reason to wait.
    if (this.obstacle !== undefined) return true;
    this.#waiters.add(waiter);
    return false;
  }

  /** Why commands of apps are refused now without being sent; undefined = they are not. */
  get obstacle(): CallFailure | undefined {
    return this.state === 'down' ? this.problem : this.#gate.obstacle;
  }

  /** Is something outstanding, and no byte has come for so long? Units: ms. */
  hasSaidNothingFor(now: number, silentMs: number): boolean {
    return this.#connection?.hasSaidNothingFor(now, silentMs) === true;
  }

  /** Has Redis, though asked, said nothing for so long? One that refuses the user has said something. Units: ms. */
  isUnresponsive(now: number, silentMs: number): boolean {
    const { obstacle } = this;
    return obstacle === undefined ? this.hasSaidNothingFor(now, silentMs) : obstacle.kind !== 'refused';
  }

  /** Is it not yet known whether it can be used? `waiter` is woken then. */
  isConnecting(waiter: Waiter): boolean {
    this.start();
    if (this.state !== 'connecting') return false;
    this.#waiters.add(waiter);
    return true;
  }

  /** Send one request in `db`; its reply is `call`'s. `call.sentAt` is set by the caller. */
  submit(call: Call, buffer: Buffer, start: number, end: number, db: number): void {
    this.position = ++SharedConnection.#lastPosition;
    const connection = this.#connection;
    const obstacle = db === ANY_DB ? undefined : this.#gate.obstacle;
    if (obstacle !== undefined) return call.fail(obstacle);
    // One that has gone but has not said so yet is replaced at once, so that it is worth waiting.
    if (this.state === 'ready' && connection?.isGone === false) {
      if (connection.calls.length >= this.inFlightMax) return call.fail(this.#busy());
      if (db !== this.#db && db !== ANY_DB) this.#select(connection, db);
      connection.expect(call);
      connection.write(buffer, start, end);
      return;
    }
    this.#hold(call, Buffer.from(buffer.subarray(start, end)), db);
  }

  /** Send a read with the PTTL of its key (argument 1) in front, in one packet. `head` is the encoded beginning of
   *  that PTTL, whose key is copied from the request as it stands there. */
  submitWithTtl(ttl: Call, call: Call, head: Buffer, request: Request, db: number): void {
    const connection = this.#connection;
    const isSendable =
      this.state === 'ready' &&
      connection?.isGone === false &&
      connection.calls.length < this.inFlightMax &&
      this.#gate.obstacle === undefined;
    if (!isSendable) return this.submit(call, request.buffer, request.start, request.end, db);
    this.position = ++SharedConnection.#lastPosition;
    if (db !== this.#db) this.#select(connection, db);
    connection.expect(ttl);
    connection.write(head, 0, head.length);
    connection.write(request.buffer, request.argEnd(0) + 2, request.argEnd(1) + 2);
    connection.expect(call);
    connection.write(request.buffer, request.start, request.end);
  }

  /** Send several requests side by side, so that nothing comes between them (MULTI … EXEC). buffer[start, end) holds
   *  them all; `calls` has one call a request. */
  submitBlock(calls: readonly Call[], buffer: Buffer, start: number, end: number, db: number): void {
    const connection = this.#connection;
    const obstacle = db === ANY_DB ? undefined : this.#gate.obstacle;
    if (this.state !== 'ready' || connection === undefined || obstacle !== undefined) {
      // Not worth holding: the session would rather hear it now than see half a transaction wait.
      for (const call of calls) call.fail(obstacle ?? this.problem);
      return;
    }
    if (connection.calls.length + calls.length > this.inFlightMax) {
      for (const call of calls) call.fail(this.#busy());
      return;
    }
    this.position = ++SharedConnection.#lastPosition;
    if (db !== this.#db && db !== ANY_DB) this.#select(connection, db);
    for (const call of calls) connection.expect(call);
    connection.write(buffer, start, end);
  }

  /** Is Redis slower than requests come? */
  get isFull(): boolean {
    return this.#connection?.isFull === true;
  }

  /** Is there room and a link, so that a block would be sent at once? */
  get isReady(): boolean {
    return this.state === 'ready';
  }

  /** Destroy the link because what came over it cannot be trusted; it reconnects. */
  reset(reason: string): void {
    this.#connection?.destroy(reason);
  }

  /** Stop for good. */
  close(): void {
    this.state = 'closed';
    this.#connection?.destroy('nearcache is stopping');
  }

  /** How many may be in flight now. */
  get inFlightMax(): number {
    return this.options.limit?.limit ?? this.options.inFlightMax;
  }

  get inFlight(): number {
    return (this.#connection?.calls.length ?? 0) + this.#held.length;
  }

  isSilent(now: number, silentMs: number): boolean {
    return this.#connection?.isSilent(now, silentMs) === true;
  }

  /** Periodic work: time-outs and heartbeats. */
  tick(now: number): void {
    const connection = this.#connection;
    if (connection === undefined) return;
    connection.expireCalls(now);
    this.options.limit?.tick(now);
    this.#gate.look(connection.isFull, now);
    if (this.#gate.isOverdue) this.wakeAll();
    if (this.state === 'ready') this.#heartbeat?.tick(now);
  }

  /** Monotonic ms at which Redis last answered `probe` that a script keeps it busy. */
  get busyAt(): number {
    return this.#busyProbe.busyAt;
  }

  /** Ask whether a script keeps Redis busy. Redis answers HELLO all the same then, but not PING. */
  probe(): void {
    this.start();
    if (this.state === 'ready' && this.#connection !== undefined) this.#busyProbe.ask(this.#connection);
  }

  #connect(): void {
    if (this.options.address().port === 0) return this.#awaitAddress();
    const connection = new Connection(
      this.#clock,
      {
        opened: () => this.#opened(connection),
        unasked: (chunk, start, end, last) => {
          const keys = this.#pushes.read(chunk, start, end, last);
          if (keys !== undefined) this.#listener.invalidated(keys);
        },
        lost: (reason) => this.#lost(connection, reason),
        drained: () => this.wakeAll(),
      },
      this.#stats,
    );
    this.#connection = connection;
    connection.outcomes = this.options.outcomes;
    connection.limit = this.options.limit;
    connection.connect(this.options.address(), this.options.connectTimeoutMs);
  }

  /** Sentinels have not said yet where the primary is: `retryNow` follows when they have. */
  #awaitAddress(): void {
    this.problem = { kind: 'unsent', reason: 'it is not known yet where its primary is' };
    this.#clock.after(this.options.connectTimeoutMs, () => {
      if (this.state !== 'connecting' || this.#connection !== undefined) return;
      this.state = 'down';
      this.#failHeld();
      this.wakeAll();
    });
  }

  #opened(connection: Connection): void {
    let credentials: ReturnType<CredentialSource>;
    try {
      credentials = this.options.credentials();
    } catch (error) {
      connection.destroy(error instanceof Error ? error.message : String(error));
      return;
    }
    const { connectTimeoutMs } = this.options;
    const cancel = this.#clock.after(connectTimeoutMs, () =>
      connection.destroy(`no answer to the handshake within ${connectTimeoutMs} ms`),
    );
    const startedAt = this.#clock.now();
    const wishes = {
      clientName: this.options.clientName?.() ?? 'nearcache',
      tracks: this.options.tracks,
      hasFieldTtl: this.options.knownServer()?.hasFieldTtl,
      asksReady: this.options.asksReady === true,
    };
    shakeHands(connection, credentials, wishes, (result) => {
      cancel();
      if ('server' in result) this.#ready(connection, result.server, startedAt);
      else if (result.failure.kind !== 'lost') this.#refused(connection, result.failure);
    });
  }

  #ready(connection: Connection, server: ServerInfo, startedAt: number): void {
    this.#stats.connects++;
    this.state = 'ready';
    this.server = server;
    this.#backoff.reset();
    this.#db = 0;
    const generation = new Generation();
    generation.isTracking = server.isTracking && server.isPrimary && server.hasOrderedPushes;
    generation.freshAt = startedAt;
    generation.confirmation = this.options.confirmation;
    this.generation = generation;
    const parts = { clock: this.#clock, stats: this.#stats };
    this.#heartbeat = new Heartbeat(
      connection,
      generation,
      server.isPrimary,
      this.options.heartbeatMs,
      parts,
    );
    if (server.isTrackingBusy) {
      trackLater(this.#clock, connection, () => {
        generation.isTracking = server.isPrimary && server.hasOrderedPushes;
      });
    }
    if (this.options.tracks && !generation.isTracking) {
      this.#log.warn({ ...whyUntracked(server) }, 'near-cache is off on this link');
    }
    this.#listener.ready(this);
    for (const { call, bytes, db } of this.#held.take()) this.submit(call, bytes, 0, bytes.length, db);
    this.wakeAll();
  }

  #refused(connection: Connection, failure: CallFailure): void {
    this.problem = failure;
    connection.destroy(failure.reason);
  }

  #lost(connection: Connection, reason: string): void {
    if (this.#connection !== connection) return;
    this.#connection = undefined;
    // Half a push may have come: what follows on the next link has nothing to do with it.
    this.#pushes = new PushReader();
    this.generation.isAlive = false;
    this.wakeAll();
    const wasReady = this.state === 'ready';
    if (wasReady || this.problem.reason !== reason) this.problem = { kind: 'unsent', reason };
    if (this.state === 'closed') return this.#failHeld();
    if (wasReady) this.#stats.losses++;
    else this.#stats.connectFailures++;
    this.#listener.lost(this, reason);
    if (wasReady) {
      // One immediate try, with commands held: a killed connection costs the app nothing.
      this.state = 'connecting';
      this.#connect();
      return;
    }
    this.state = 'down';
    this.#failHeld();
    this.#clock.after(this.#backoff.nextMs(), () => {
      if (this.state === 'down' && this.#connection === undefined) this.#connect();
    });
  }

  #hold(call: Call, bytes: Buffer, db: number): void {
    this.start();
    const isHopeful = this.state === 'connecting' || this.state === 'ready';
    if (isHopeful && this.#held.length < this.inFlightMax) return this.#held.add({ call, bytes, db });
    this.#stats.failed++;
    call.fail(isHopeful ? this.#busy() : this.problem);
  }

  #failHeld(): void {
    const held = this.#held.take();
    this.#stats.failed += held.length;
    for (const { call } of held) call.fail(this.problem);
  }

  /** Let all that wait for room try again. */
  wakeAll(): void {
    const waiters = this.#waiters;
    if (waiters.size === 0) return;
    this.#waiters = new Set();
    for (const waiter of waiters) waiter.wake();
  }

  #busy(): CallFailure {
    return { kind: 'busy', reason: String(this.inFlightMax) };
  }

  /** Switch the database. Only ever to one that a SELECT of this identity has confirmed, so anything but OK means that
   *  commands behind it would run in the wrong database: the connection goes (DESIGN §2). */
  #select(connection: Connection, db: number): void {
    const bytes = encodeRequest(['SELECT', String(db)]);
    connection.send(
      new OwnCall((reply) => {
        if (reply?.equals(OK_LINE) === false)
          connection.destroy(`SELECT ${db} was refused: ${reply.toString('latin1')}`);
      }),
      bytes,
      0,
      bytes.length,
    );
    this.#db = db;
  }
}
