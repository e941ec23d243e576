import { Generation } from '../cache/generation.ts';
import type { Request } from '../protocol/request.ts';
import { BusyProbe } from './busy-probe.ts';
import type { Call, CallFailure } from './call.ts';
import type { ServerInfo } from './handshake.ts';
import { HeldCalls } from './held-calls.ts';
import { SendGate } from './send-gate.ts';
import { SharedLink, type SharedLinkOwner } from './shared-link.ts';
import type { SharedOptions, SharedParts, Waiter } from './shared-options.ts';
import { Waiters } from './waiters.ts';

/** idle = not asked for yet; connecting = a first try is under way and commands wait for it; ready; down = commands
 *  fail at once until a retry succeeds; closed = for good. */
export type SharedState = 'idle' | 'connecting' | 'ready' | 'down' | 'closed';

/** For commands that look at no key. */
export const ANY_DB = -1;

/** THE connection of one identity to one shard: the pipelined commands of many sessions, replies and invalidations in
 *  one ordered stream (DESIGN §2). Exactly one, since a pool would multiply the server's tracking cost and break that
 *  order. Also used, without tracking, as the control connection. Reconnects by itself: a `SharedLink` is one life of it.
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
  readonly #parts: SharedParts;
  /** Ready or being made; undefined = not asked for yet, lost, or it is not known where to. */
  #link: SharedLink | undefined;
  readonly #held = new HeldCalls();
  readonly #waiters = new Waiters();
  readonly #busyProbe: BusyProbe;
  readonly #gate: SendGate;
  #wasSilent = false;

  constructor(options: SharedOptions, parts: SharedParts) {
    this.options = options;
    this.#parts = parts;
    this.#busyProbe = new BusyProbe(parts.clock);
    this.#gate = new SendGate(options.breaker, options.queueTimeoutMs, parts.clock);
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
    if (this.state === 'connecting' && this.#link === undefined) return this.#connect();
    if (this.state !== 'down') return;
    this.state = 'connecting';
    this.#parts.backoff.reset();
    if (this.#link === undefined) this.#connect();
  }

  /** Is there room for more requests? If not, `waiter` is woken once there may be. */
  hasRoomFor(waiter: Waiter): boolean {
    if (!this.isFull && !this.#held.isFull) return true;
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
    return this.#link?.connection.hasSaidNothingFor(now, silentMs) === true;
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
    const link = this.#link;
    const obstacle = db === ANY_DB ? undefined : this.#gate.obstacle;
    if (obstacle !== undefined) return call.fail(obstacle);
    // One that has gone but has not said so yet is replaced at once, so that it is worth waiting.
    if (this.state === 'ready' && link?.connection.isGone === false) {
      const { connection } = link;
      if (connection.calls.length >= this.inFlightMax) return call.fail(this.#busy());
      if (db !== link.db && db !== ANY_DB) link.select(db);
      connection.expect(call);
      connection.write(buffer, start, end);
      return;
    }
    this.#hold(call, Buffer.from(buffer.subarray(start, end)), db);
  }

  /** Send a read with the PTTL of its key (argument 1) in front, in one packet. `head` is the encoded beginning of
   *  that PTTL, whose key is copied from the request as it stands there. */
  submitWithTtl(ttl: Call, call: Call, head: Buffer, request: Request, db: number): void {
    const link = this.#link;
    const isSendable =
      this.state === 'ready' &&
      link?.connection.isGone === false &&
      link.connection.calls.length < this.inFlightMax &&
      this.#gate.obstacle === undefined;
    if (!isSendable) return this.submit(call, request.buffer, request.start, request.end, db);
    this.position = ++SharedConnection.#lastPosition;
    const { connection } = link;
    if (db !== link.db) link.select(db);
    connection.expect(ttl);
    connection.write(head, 0, head.length);
    connection.write(request.buffer, request.argEnd(0) + 2, request.argEnd(1) + 2);
    connection.expect(call);
    connection.write(request.buffer, request.start, request.end);
  }

  /** Send several requests side by side, so that nothing comes between them (MULTI … EXEC). buffer[start, end) holds
   *  them all; `calls` has one call a request. */
  submitBlock(calls: readonly Call[], buffer: Buffer, start: number, end: number, db: number): void {
    const link = this.#link;
    const obstacle = db === ANY_DB ? undefined : this.#gate.obstacle;
    if (this.state !== 'ready' || link === undefined || obstacle !== undefined) {
      // Not worth holding: the session would rather hear it now than see half a transaction wait.
      for (const call of calls) call.fail(obstacle ?? this.problem);
      return;
    }
    const { connection } = link;
    if (connection.calls.length + calls.length > this.inFlightMax) {
      for (const call of calls) call.fail(this.#busy());
      return;
    }
    this.position = ++SharedConnection.#lastPosition;
    if (db !== link.db && db !== ANY_DB) link.select(db);
    for (const call of calls) connection.expect(call);
    connection.write(buffer, start, end);
  }

  /** Is Redis slower than requests come? */
  get isFull(): boolean {
    return this.#link?.connection.isFull === true;
  }

  /** Is there a link, so that a block would be sent at once unless it is refused? */
  get isReady(): boolean {
    return this.state === 'ready';
  }

  /** Redis, though asked, says nothing: the link goes, and the next has to show that writes are answered, too. */
  giveUp(reason: string): void {
    this.#wasSilent = true;
    this.reset(reason);
  }

  /** Destroy the link because what came over it cannot be trusted; it reconnects. */
  reset(reason: string): void {
    this.#link?.connection.destroy(reason);
  }

  /** Stop for good. */
  close(): void {
    this.state = 'closed';
    this.#link?.connection.destroy('nearcache is stopping');
  }

  /** How many may be in flight now. */
  get inFlightMax(): number {
    return this.options.limit?.limit ?? this.options.inFlightMax;
  }

  get inFlight(): number {
    return (this.#link?.connection.calls.length ?? 0) + this.#held.length;
  }

  isSilent(now: number, silentMs: number): boolean {
    return this.#link?.connection.isSilent(now, silentMs) === true;
  }

  /** Periodic work: time-outs and heartbeats. */
  tick(now: number): void {
    const link = this.#link;
    if (link === undefined) return;
    link.connection.expireCalls(now);
    this.options.limit?.tick(now);
    this.#gate.look(link.connection.isFull, now);
    if (this.#gate.isOverdue) this.wakeAll();
    if (this.state === 'ready') link.heartbeat?.tick(now);
  }

  /** Monotonic ms at which Redis last answered `probe` that a script keeps it busy. */
  get busyAt(): number {
    return this.#busyProbe.busyAt;
  }

  /** Ask whether a script keeps Redis busy. Redis answers HELLO all the same then, but not PING. */
  probe(): void {
    this.start();
    if (this.state === 'ready' && this.#link !== undefined) this.#busyProbe.ask(this.#link.connection);
  }

  #connect(): void {
    if (this.options.address().port === 0) return this.#awaitAddress();
    const owner: SharedLinkOwner = {
      ready: (server, generation) => this.#ready(server, generation),
      refused: (failure) => {
        this.problem = failure;
      },
      invalidated: (keys) => this.#parts.listener.invalidated(keys),
      lost: (reason) => this.#lost(link, reason),
      drained: () => this.wakeAll(),
    };
    const link = new SharedLink(this.options, this.#parts, owner, this.#wasSilent);
    this.#link = link;
    link.open();
  }

  /** Sentinels have not said yet where the primary is: `retryNow` follows when they have. */
  #awaitAddress(): void {
    this.problem = { kind: 'unsent', reason: 'it is not known yet where its primary is' };
    this.#parts.clock.after(this.options.connectTimeoutMs, () => {
      if (this.state !== 'connecting' || this.#link !== undefined) return;
      this.state = 'down';
      this.#failHeld();
      this.wakeAll();
    });
  }

  #ready(server: ServerInfo, generation: Generation): void {
    this.#parts.stats.connects++;
    this.state = 'ready';
    this.#wasSilent = false;
    this.server = server;
    this.generation = generation;
    this.#parts.backoff.reset();
    this.#parts.listener.ready(this);
    for (const { call, bytes, db } of this.#held.take()) this.submit(call, bytes, 0, bytes.length, db);
    this.wakeAll();
  }

  #lost(link: SharedLink, reason: string): void {
    if (this.#link !== link) return;
    const { stats, listener, clock, backoff } = this.#parts;
    this.#link = undefined;
    this.generation.isAlive = false;
    this.wakeAll();
    const wasReady = this.state === 'ready';
    if (wasReady || this.problem.reason !== reason) this.problem = { kind: 'unsent', reason };
    if (this.state === 'closed') return this.#failHeld();
    if (wasReady) stats.losses++;
    else stats.connectFailures++;
    listener.lost(this, reason);
    if (wasReady) {
      // One immediate try, with commands held: a killed connection costs the app nothing.
      this.state = 'connecting';
      this.#connect();
      return;
    }
    this.state = 'down';
    this.#failHeld();
    clock.after(backoff.nextMs(), () => {
      if (this.state === 'down' && this.#link === undefined) this.#connect();
    });
  }

  #hold(call: Call, bytes: Buffer, db: number): void {
    this.start();
    const isHopeful = this.state === 'connecting' || this.state === 'ready';
    if (isHopeful && this.#held.length < this.inFlightMax) return this.#held.add({ call, bytes, db });
    this.#parts.stats.failed++;
    call.fail(isHopeful ? this.#busy() : this.problem);
  }

  #failHeld(): void {
    const held = this.#held.take();
    this.#parts.stats.failed += held.length;
    for (const { call } of held) call.fail(this.problem);
  }

  /** Let all that wait for room try again. */
  wakeAll(): void {
    this.#waiters.wakeAll();
  }

  #busy(): CallFailure {
    return { kind: 'busy', reason: String(this.inFlightMax) };
  }
}
