import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';
import { ByteSocket, sharedReadBuffer } from '../base/byte-socket.ts';
import type { Clock } from '../base/clock.ts';
import { Fifo } from '../base/fifo.ts';
import { LARGE_CHUNK, OutputBuffer } from '../base/output-buffer.ts';
import { atEndOfNextTurn, type EndOfTurn } from '../base/turn.ts';
import { ReplyScanner } from '../protocol/reply-scanner.ts';
import type { AdaptiveLimit } from './adaptive-limit.ts';
import type { Call, CallFailure } from './call.ts';
import type { Outcomes } from './outcomes.ts';
import type { ShardStats } from './shard-stats.ts';

/** Where a shard is. `tls` holds the material, already read. */
export interface ShardAddress {
  host: string;
  port: number;
  tls: ConnectionOptions | undefined;
}

/** Asked at each connect: a primary may have moved meanwhile. */
export type AddressSource = () => ShardAddress;

export interface ConnectionOwner {
  /** The socket is open (TLS agreed); nothing was sent yet. */
  opened(): void;
  /** A frame that answers no call: a push, or anything when `takesAll` is set. chunk[start, end) is a part of it. */
  unasked(chunk: Buffer, start: number, end: number, last: boolean, scanner: ReplyScanner): void;
  /** Gone; called once. Outstanding calls have been failed. */
  lost(reason: string): void;
  /** What was waiting to be written has left. */
  drained(): void;
}

const PUSH = 0x3e;
/** What Redis has not taken may wait here up to this; then whoever sends waits. */
const FULL_BYTES = 4_194_304;
/** An idle subscription sends nothing by itself: the kernel asks whether the other side is still there. */
const KEEP_ALIVE_MS = 30_000;

/** One socket to Redis: requests out, reply frames back to their calls in order. Replies are framed, not decoded.
 *
 *  The state machine above it (who may send when) belongs to its owner: SharedConnection, ControlConnection or
 *  PinnedConnection.
 *  Errors: a stream that is not RESP, or a reply nobody asked for, destroys the connection. */
export class Connection implements EndOfTurn {
  isListed = false;
  /** Sent and not answered, oldest first. */
  readonly calls: Fifo<Call> = new Fifo<Call>();
  readonly out: OutputBuffer = new OutputBuffer(LARGE_CHUNK);
  /** Monotonic ms of the last byte received (DESIGN rule 8). */
  lastByteAt: number;
  /** Redis takes requests more slowly than they come. Set at the end of a turn, so a turn's requests still go in. */
  isFull = false;
  /** Every frame goes to `owner.unasked`, also those that are no push (MONITOR, RESP2 subscriptions). */
  takesAll = false;
  /** Undefined = nobody counts. */
  outcomes: Outcomes | undefined;
  /** How much may be in flight follows from how long plain commands take; undefined = it does not. */
  limit: AdaptiveLimit | undefined;
  #clock: Clock;
  #owner: ConnectionOwner;
  #stats: ShardStats;
  #socket: ByteSocket;
  #scanner = new ReplyScanner();
  #isOpen = false;
  /** Closed, or about to be: nothing is sent any more. */
  isGone = false;
  /** The frame being received belongs to: a call, nobody yet, or `unasked`. */
  #current: Call | 'unasked' | undefined;

  constructor(clock: Clock, owner: ConnectionOwner, stats: ShardStats) {
    this.#clock = clock;
    this.#owner = owner;
    this.#stats = stats;
    this.lastByteAt = clock.now();
    this.#socket = new ByteSocket({
      bytes: (buffer, length) => this.#received(buffer, length),
      ended: () => this.destroy('Redis closed the connection'),
      closed: (reason) => this.#closed(reason),
      drained: () => {
        this.isFull = false;
        this.#owner.drained();
      },
    });
  }

  /** Open the socket. Errors: `owner.lost` with the reason, also when it takes longer than `timeoutMs`. */
  connect(address: ShardAddress, timeoutMs: number): void {
    const { host, port, tls } = address;
    const socket: Socket =
      tls === undefined
        ? connectTcp({
            host,
            port,
            noDelay: true,
            keepAlive: true,
            keepAliveInitialDelay: KEEP_ALIVE_MS,
            onread: { buffer: sharedReadBuffer, callback: this.#socket.read },
          })
        : connectTls({ host, port, ...tls })
            .setNoDelay(true)
            .setKeepAlive(true, KEEP_ALIVE_MS);
    this.#socket.attach(socket, tls === undefined);
    const cancel = this.#clock.after(timeoutMs, () => this.destroy(`no connection within ${timeoutMs} ms`));
    socket.once('close', cancel);
    socket.once(tls === undefined ? 'connect' : 'secureConnect', () => {
      cancel();
      this.#isOpen = true;
      this.lastByteAt = this.#clock.now();
      this.#owner.opened();
      // What was written before the socket was open.
      if (this.out.length > 0) atEndOfNextTurn(this);
    });
  }

  /** Send bytes whose reply (one frame) is `call`'s. */
  send(call: Call, buffer: Buffer, start: number, end: number): void {
    call.sentAt = this.#clock.now();
    this.expect(call);
    this.write(buffer, start, end);
  }

  /** Wait for one more reply; its bytes are written apart. The caller has set `sentAt` (one clock reading a turn). */
  expect(call: Call): void {
    this.#stats.commands++;
    this.calls.push(call);
  }

  write(buffer: Buffer, start: number, end: number): void {
    this.out.append(buffer, start, end);
    this.#stats.bytesOut += end - start;
    if (!this.isListed) atEndOfNextTurn(this);
  }

  endTurn(): void {
    if (!this.#isOpen || this.isGone) return;
    this.out.flushTo(this.#socket);
    this.isFull = this.#socket.backlog > FULL_BYTES;
  }

  /** Bytes that Redis has not taken yet. */
  get backlog(): number {
    return this.out.length + this.#socket.backlog;
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** Close now; outstanding calls fail as lost. */
  destroy(reason: string): void {
    this.isGone = true;
    this.#socket.destroy(reason);
  }

  /** Give up calls that waited longer than their time-out; they keep their place (DESIGN rule 9). */
  expireCalls(now: number): void {
    let expired = 0;
    for (let i = 0; i < this.calls.length; i++) {
      const call = this.calls.at(i) as Call;
      if (call.timeoutMs === 0 || call.hasTimedOut || call.hasBegun || now - call.sentAt < call.timeoutMs)
        continue;
      this.#stats.timeouts++;
      expired++;
      call.fail({ kind: 'timeout', reason: `no reply within ${call.timeoutMs} ms` });
      call.hasTimedOut = true;
    }
    this.outcomes?.unanswered('commands time out', expired);
  }

  /** No byte for `silentMs` although something is expected, and the oldest call is not one that may take longer. */
  isSilent(now: number, silentMs: number): boolean {
    const oldest = this.calls.peek();
    if (oldest === undefined) return false;
    const since = Math.max(this.lastByteAt, oldest.sentAt);
    return now - since > Math.max(silentMs, oldest.hasTimedOut ? 0 : oldest.timeoutMs);
  }

  /** The same, whatever the oldest call is. */
  hasSaidNothingFor(now: number, silentMs: number): boolean {
    const oldest = this.calls.peek();
    return oldest !== undefined && now - Math.max(this.lastByteAt, oldest.sentAt) > silentMs;
  }

  #received(chunk: Buffer, length: number): void {
    this.lastByteAt = this.#clock.now();
    this.#stats.bytesIn += length;
    const scanner = this.#scanner;
    let from = 0;
    while (from < length && !this.isGone) {
      const to = scanner.next(chunk, from, length);
      if (to === -2) {
        this.destroy(`protocol error from Redis: ${scanner.error}`);
        return;
      }
      const last = to !== -1;
      const end = last ? to : length;
      this.#deliver(chunk, from, end, last);
      from = end;
    }
  }

  #deliver(chunk: Buffer, start: number, end: number, last: boolean): void {
    let target = this.#current;
    if (target === undefined) {
      target = this.takesAll || this.#scanner.type === PUSH ? 'unasked' : this.calls.peek();
      if (target === undefined) {
        this.destroy('a reply that nobody asked for');
        return;
      }
      this.#current = last ? undefined : target;
    } else if (last) {
      this.#current = undefined;
    }
    if (target === 'unasked') {
      this.#owner.unasked(chunk, start, end, last, this.#scanner);
      return;
    }
    if (this.outcomes !== undefined) {
      if (!target.hasBegun) this.outcomes.begun(chunk, start, end);
      if (last) this.outcomes.answered(target.sentAt, this.lastByteAt);
    }
    if (last) {
      // What may take long by itself says nothing of the server.
      if (this.limit?.isPlain(target.timeoutMs) === true) {
        this.limit.onAnswer(this.lastByteAt - target.sentAt, this.calls.length);
      }
      this.calls.shift();
    }
    target.reply(chunk, start, end, last, this.#scanner);
  }

  #closed(reason: string): void {
    this.isGone = true;
    this.out.clear(this.#socket);
    const failure: CallFailure = { kind: this.#isOpen ? 'lost' : 'unsent', reason };
    this.#stats.failed += this.calls.length;
    for (let call = this.calls.shift(); call !== undefined; call = this.calls.shift()) call.fail(failure);
    this.#owner.lost(reason);
  }
}
