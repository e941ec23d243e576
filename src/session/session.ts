import type { Socket } from 'node:net';
import { ByteSocket } from '../base/byte-socket.ts';
import type { Clock } from '../base/clock.ts';
import { type ErrorCode, errorLine } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import { OutputBuffer, settleRun } from '../base/output-buffer.ts';
import { atEndOfTurn, type EndOfTurn } from '../base/turn.ts';
import { errorReply } from '../protocol/encoder.ts';
import type { RequestLimits } from '../protocol/limits.ts';
import { BIG, EMPTY, ERROR, MORE, RequestDecoder } from '../protocol/request-decoder.ts';
import type { Credentials } from '../shard/credentials.ts';
import type { Identity } from '../shard/identity.ts';
import type { Shard } from '../shard/shard.ts';
import { mustAuthenticate } from './authentication.ts';
import { BigRequestStream } from './big-request-stream.ts';
import { dispatch } from './dispatch.ts';
import { InputBuffer } from './input-buffer.ts';
import { rereadHit } from './near-cache-path.ts';
import { Pin } from './pin.ts';
import { ReplyQueue } from './reply-queue.ts';
import type { SessionRegistry } from './session-registry.ts';
import type { SessionCloseReason, SessionStats } from './session-stats.ts';
import { Slot, type SlotOwner } from './slot.ts';
import { Subscription } from './subscription.ts';

export interface SessionOptions {
  requests: RequestLimits;
  outputBytes: number;
  inFlightMax: number;
  commandTimeoutMs: number;
  slowCommandTimeoutMs: number;
  blockingGraceMs: number;
  requireAuth: boolean;
}

/** What all sessions of one nearcache share. */
export interface SessionContext {
  options: SessionOptions;
  shard: Shard;
  registry: SessionRegistry;
  /** Looks ahead for the end of a transaction; one for all, since it is used within one call. */
  lookahead: RequestDecoder;
  stats: SessionStats;
  clock: Clock;
  log: Logger;
}

/** Which of the shard's links holds this session's unanswered commands. */
export type Link = 'shared' | 'pinned' | 'control' | 'subscription';

/** Above this backlog a client is not read until it has read. */
const OUTPUT_HIGH_BYTES = 1_048_576;

/** One app connection: decodes requests, sends each on its way (dispatch.ts) and keeps the replies in request order.
 *
 *  A request that may not go yet (another link still owes replies, a pinned connection is being opened, too much is in
 *  flight) stalls the session: its bytes stay in the input buffer, its socket is paused, and it is tried again when
 *  something was answered. So commands always run in the order sent (DESIGN rule 1). */
export class Session implements SlotOwner, EndOfTurn {
  readonly id: number;
  readonly context: SessionContext;
  readonly address: string;
  readonly localAddress: string;
  readonly createdAt: number;
  readonly queue: ReplyQueue = new ReplyQueue();
  readonly pin: Pin;
  readonly subscription: Subscription;
  isListed = false;
  isClosed = false;
  proto: 2 | 3 = 2;
  db = 0;
  name = '';
  identity: Identity;
  isAuthenticated = false;
  /** CLIENT REPLY. skip-next = the next command is not answered. */
  replyMode: 'on' | 'off' | 'skip-next' = 'on';
  lastCommand = 'NULL';
  lastActiveAt: number;
  link: Link = 'shared';
  /** Commands that `link` has not answered yet. */
  outstanding = 0;
  /** Commands of unknown keys that are not answered: reads neither hit nor join (DESIGN rule 2). */
  unknownOutstanding = 0;
  /** Hits that wait for their turn (DESIGN rule 3). */
  waitingHits = 0;
  /** Monotonic ms, read once for each chunk. */
  now: number;
  #socket: ByteSocket;
  #decoder: RequestDecoder;
  #input = new InputBuffer();
  #out = new OutputBuffer();
  #keptBytes = 0;
  #heldPushes: Buffer[] = [];
  #isProcessing = false;
  #isStalled = false;
  #isEnding = false;
  #inputEnded = false;
  #isDraining = false;
  #endReason: SessionCloseReason = 'client';
  #stream: BigRequestStream | undefined;

  constructor(context: SessionContext, id: number, socket: Socket) {
    this.context = context;
    this.id = id;
    this.now = context.clock.now();
    this.createdAt = this.now;
    this.lastActiveAt = this.now;
    this.address = addressOf(socket.remoteAddress, socket.remotePort);
    this.localAddress = addressOf(socket.localAddress, socket.localPort);
    this.identity = context.shard.own;
    this.identity.sessions++;
    this.#decoder = new RequestDecoder(context.options.requests);
    this.#decoder.authenticated = !mustAuthenticate(this);
    this.pin = new Pin(this);
    this.subscription = new Subscription(this);
    this.#socket = new ByteSocket({
      bytes: (buffer, length) => this.#received(buffer, length),
      ended: () => this.#clientEnded(),
      closed: (reason) => this.#closed(reason),
      drained: () => this.#resumeIfRead(),
    });
    this.#socket.attach(socket, false);
  }

  get shardName(): string {
    return this.context.shard.name;
  }

  /** Bytes this session has made nearcache hold on its behalf. */
  get backlog(): number {
    return this.#out.length + this.#socket.backlog + this.#keptBytes;
  }

  /** May a command go to `link` now? Only when every earlier command on another link was answered (DESIGN rule 1). */
  mayUse(link: Link): boolean {
    if (this.link === link) return true;
    if (this.outstanding > 0 || this.queue.length > 0) return false;
    this.link = link;
    return true;
  }

  /** Served as the sidecar's own user, who may do everything that needs no key. */
  get isOwnIdentity(): boolean {
    return this.identity === this.context.shard.own;
  }

  /** CLIENT LIST's TYPE. */
  get clientType(): 'normal' | 'pubsub' {
    return this.subscription.isActive ? 'pubsub' : 'normal';
  }

  /** Redis has accepted these credentials. `auth` is the request that said them. */
  become(user: string, credentials: Credentials, auth: Buffer): void {
    const { shard } = this.context;
    this.#leaveIdentity();
    this.identity = shard.identityOf(user, credentials) ?? shard.passingIdentity(user, credentials);
    this.identity.sessions++;
    this.isAuthenticated = true;
    this.#decoder.authenticated = true;
    this.pin.reauthenticate(auth);
  }

  /** RESET: as new. */
  startOver(): void {
    this.#leaveIdentity();
    this.identity = this.context.shard.own;
    this.identity.sessions++;
    this.isAuthenticated = false;
    this.#decoder.authenticated = !mustAuthenticate(this);
    this.proto = 2;
    this.db = 0;
    this.name = '';
  }

  #leaveIdentity(): void {
    this.identity.sessions--;
    if (this.identity.isPassing) this.context.shard.forget(this.identity);
  }

  /** A new slot at the end of the queue. */
  slot(): Slot {
    const slot = new Slot(this);
    slot.sentAt = this.now;
    if (this.replyMode !== 'on') this.#silence(slot);
    this.queue.push(slot);
    return slot;
  }

  /** Answer the next request here. Bytes are in the session's protocol. */
  answer(bytes: Buffer): void {
    if (this.queue.length === 0 && this.replyMode === 'on') {
      this.#out.appendAll(bytes);
      this.#touch();
    } else {
      this.slot().answer(bytes);
    }
  }

  answerError(code: ErrorCode, fields: Record<string, string | number> = {}): void {
    this.context.stats.ownErrors++;
    this.answer(errorLine(code, fields));
  }

  /** Bytes outside the order of replies: pushes of RESP3, messages, MONITOR lines. */
  push(chunk: Buffer, start: number, end: number): void {
    if (this.isClosed) return;
    if (this.queue.head?.isPartlyOut === true && this.link === 'shared') {
      // Half of a large reply has left: a message may not come in between.
      this.#heldPushes.push(Buffer.from(chunk.subarray(start, end)));
      this.kept(end - start);
      return;
    }
    this.#out.append(chunk, start, end);
    this.#touch();
    if (this.#out.length > OUTPUT_HIGH_BYTES) this.#checkBacklog();
  }

  /** Try again what had to wait. */
  wake(): void {
    if (this.#isStalled || this.#isDraining) atEndOfTurn(this);
  }

  /** Take no more requests; close when all replies have left. */
  endAfterReplies(reason: SessionCloseReason): void {
    this.#isEnding = true;
    this.#endReason = reason;
    this.#touch();
  }

  /** For drain: stop once nothing is outstanding. */
  drain(): void {
    this.#isDraining = true;
    atEndOfTurn(this);
  }

  close(reason: SessionCloseReason, why: string): void {
    if (this.isClosed) return;
    if (reason !== 'client' && reason !== 'quit') {
      this.context.log.info({ sessionId: this.id, address: this.address, reason: why }, 'session closed');
    }
    this.#endReason = reason;
    this.#socket.destroy(why);
    this.#closed(why);
  }

  pauseReading(): void {
    this.#socket.pause();
  }

  resumeReading(): void {
    this.#resumeIfRead();
  }

  // --- SlotOwner -----------------------------------------------------------------------------------------------

  isHead(slot: Slot): boolean {
    return this.queue.head === slot;
  }

  emit(slot: Slot, chunk: Buffer, start: number, end: number): void {
    if (this.isClosed || slot.isSilent) return;
    this.#out.append(chunk, start, end);
    this.#touch();
    if (this.#out.length + this.#keptBytes > OUTPUT_HIGH_BYTES) this.#checkBacklog();
  }

  answered(slot: Slot): void {
    if (this.queue.head === slot) this.#advance();
  }

  settled(_slot: Slot): void {
    this.outstanding--;
    if (this.outstanding === 0) this.pin.idle();
  }

  kept(bytes: number): void {
    this.#keptBytes += bytes;
    if (bytes > 0) this.#checkBacklog();
  }

  outOfStep(_slot: Slot): void {
    const reason = 'a reply that does not fit its request';
    if (this.link === 'shared') this.identity.shared.reset(reason);
    this.close('upstream', reason);
  }

  // --- the way in ----------------------------------------------------------------------------------------------

  #received(buffer: Buffer, length: number): void {
    if (this.#isEnding) return;
    this.now = this.context.clock.now();
    this.lastActiveAt = this.now;
    this.context.stats.bytesIn += length;
    if (this.#isStalled || this.#input.length > 0) {
      this.#input.append(buffer, 0, length);
      if (!this.#isStalled) this.#processInput();
      return;
    }
    const used = this.#process(buffer, 0, length);
    if (used < length && !this.#isEnding) this.#input.append(buffer, used, length);
  }

  #processInput(): void {
    const { bytes, start, end } = this.#input;
    if (bytes === undefined) return;
    this.#input.consumeTo(this.#process(bytes, start, end));
    // The input buffer moves its bytes when it needs room; nothing may still refer to them.
    settleRun();
  }

  /** Take as many requests as may go now; returns where the rest begins. */
  #process(buffer: Buffer, start: number, end: number): number {
    this.#isProcessing = true;
    let at = start;
    while (at < end && !this.#isEnding) {
      const next = this.#stream === undefined ? this.#step(buffer, at, end) : this.#skim(buffer, at, end);
      if (next === at) break;
      at = next;
    }
    this.#isProcessing = false;
    return this.#isEnding ? end : at;
  }

  /** One request: where the next begins, or `at` itself when nothing can be done now. */
  #step(buffer: Buffer, at: number, end: number): number {
    const decoder = this.#decoder;
    switch (decoder.next(buffer, at, end)) {
      case MORE:
        return at;
      case EMPTY:
        return decoder.consumedTo;
      case ERROR:
        this.#protocolError(decoder.error);
        return end;
      case BIG:
        this.#stream = BigRequestStream.begin(this, decoder.request);
        if (this.#stream === undefined) return this.#stall(at);
        return this.#skim(buffer, at, end);
      default: {
        const consumedTo = decoder.consumedTo;
        const used = dispatch(this, decoder.request, buffer, consumedTo, end);
        return used < 0 ? this.#stall(at) : used;
      }
    }
  }

  /** Pass on what belongs to a request that is too large to be collected. */
  #skim(buffer: Buffer, at: number, end: number): number {
    const stream = this.#stream as BigRequestStream;
    const size = this.#decoder.skim(buffer, at, end);
    if (size < 0) {
      stream.abort();
      this.#stream = undefined;
      this.#protocolError(this.#decoder.error);
      return end;
    }
    stream.write(buffer, at, at + size);
    if (this.#decoder.bigDone) {
      stream.finish();
      this.#stream = undefined;
    }
    return at + size;
  }

  #stall(at: number): number {
    this.#isStalled = true;
    this.#socket.pause();
    return at;
  }

  #protocolError(text: string): void {
    this.context.stats.protocolErrors++;
    this.answer(errorReply(`ERR Protocol error: ${text}`));
    this.endAfterReplies('protocol');
  }

  // --- the way out ---------------------------------------------------------------------------------------------

  /** Let out everything that is ready, from the head on. */
  #advance(): void {
    for (let slot = this.queue.head; slot !== undefined; slot = this.queue.head) {
      if (slot.entry !== undefined && slot.ready === undefined) {
        // It was found while earlier replies were owed; is it still what Redis would say (DESIGN rule 3)?
        this.waitingHits--;
        rereadHit(this, slot);
        if (this.queue.head !== slot) continue;
      }
      if (slot.isHeld || (slot.ready === undefined && !slot.isDone)) break;
      if (slot.ready !== undefined && !slot.isSilent && !this.isClosed) this.#out.appendAll(slot.ready);
      this.queue.shift();
    }
    if (this.#heldPushes.length > 0) this.#releasePushes();
    this.#touch();
  }

  #releasePushes(): void {
    if (this.queue.head?.isPartlyOut === true) return;
    const pushes = this.#heldPushes;
    this.#heldPushes = [];
    for (const push of pushes) {
      this.#keptBytes -= push.length;
      if (!this.isClosed) this.#out.appendAll(push);
    }
  }

  #touch(): void {
    if (!this.isListed && !this.isClosed) atEndOfTurn(this);
  }

  endTurn(): void {
    if (this.isClosed) return;
    if (this.#isStalled && !this.#isProcessing) this.#unstall();
    this.context.stats.bytesOut += this.#out.length;
    this.#out.flushTo(this.#socket);
    this.#checkBacklog();
    const isDone = this.#isEnding || ((this.#inputEnded || this.#isDraining) && !this.#isStalled);
    if (isDone && this.queue.length === 0 && this.outstanding === 0 && !this.isClosed) this.#finish();
  }

  #unstall(): void {
    this.now = this.context.clock.now();
    this.#isStalled = false;
    this.#processInput();
    this.#resumeIfRead();
  }

  #checkBacklog(): void {
    const backlog = this.backlog;
    if (backlog > this.context.options.outputBytes) {
      this.close('output', `does not read its replies: ${backlog} bytes wait`);
    } else if (backlog > OUTPUT_HIGH_BYTES) {
      this.#socket.pause();
    }
  }

  #resumeIfRead(): void {
    if (this.isClosed || this.#isStalled || this.backlog > OUTPUT_HIGH_BYTES) return;
    if (this.#stream?.isFull === true) return;
    this.#socket.resume();
  }

  // --- the end -------------------------------------------------------------------------------------------------

  /** The app sends no more; what it has asked for is still answered, unless it waits for something that may never come. */
  #clientEnded(): void {
    if (this.pin.isBlocking) return this.close('client', 'closed by the client');
    this.#inputEnded = true;
    this.#touch();
  }

  #finish(): void {
    if (this.#isDraining && !this.#isEnding) this.#endReason = 'drain';
    this.#socket.end();
    this.#closed('finished');
  }

  #closed(why: string): void {
    if (this.isClosed) return;
    this.isClosed = true;
    const { stats, registry } = this.context;
    if (why !== 'closed') this.context.log.debug({ sessionId: this.id, reason: why }, 'session ended');
    stats.closedBy[this.#endReason]++;
    this.#out.clear();
    this.#stream?.abort();
    this.pin.sessionClosed();
    this.subscription.release();
    this.#leaveIdentity();
    registry.remove(this);
  }

  #silence(slot: Slot): void {
    if (this.replyMode === 'skip-next') {
      slot.isSilent = true;
      this.replyMode = 'on';
    } else if (this.replyMode === 'off') {
      slot.isSilent = true;
    }
  }
}

function addressOf(host: string | undefined, port: number | undefined): string {
  if (host === undefined) return 'unix:0';
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
