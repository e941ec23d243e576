import type { Socket } from 'node:net';
import { ByteSocket } from '../base/byte-socket.ts';
import { type ErrorCode, errorLine } from '../base/errors.ts';
import { GateWait } from '../route/ring-gate.ts';
import { atEndOfNextTurn, atEndOfTurn, type EndOfTurn } from '../base/turn.ts';
import type { Credentials } from '../shard/credentials.ts';
import type { Identity } from '../shard/identity.ts';
import { mustAuthenticate } from './authentication.ts';
import type { FanIn } from './fan-in.ts';
import { Footprint } from './footprint.ts';
import { HeldKeys, releaseHeld } from './held-keys.ts';
import { Lateness } from './lateness.ts';
import type { Lease, LeaseWait } from './lease.ts';
import { Pin } from './pin.ts';
import type { ReplyQueue } from './reply-queue.ts';
import { ReplyWriter } from './reply-writer.ts';
import { RequestReader } from './request-reader.ts';
import type { Link, SessionContext } from './session-context.ts';
import type { SessionCloseReason } from './session-stats.ts';
import { SessionUser } from './session-user.ts';
import { Slot, type SlotOwner } from './slot.ts';
import { addressOf } from './socket-address.ts';
import { SubscriberRoute } from './subscriber-route.ts';
import { Subscription } from './subscription.ts';

/** What a client may send behind a blocking command before it is no longer read. */
const BLOCKED_INPUT_BYTES = 131_072;

/** One app connection: what belongs to it (protocol, database, user, name, CLIENT REPLY mode), which link its commands are on, and
 *  its life. Requests come in through RequestReader, go their way in dispatch.ts, and replies leave through ReplyWriter in order. */
export class Session implements SlotOwner, EndOfTurn {
  readonly id: number;
  readonly context: SessionContext;
  readonly address: string;
  readonly localAddress: string;
  readonly createdAt: number;
  readonly queue: ReplyQueue;
  readonly pin: Pin;
  readonly subscription: Subscription;
  isListed = false;
  isClosed = false;
  proto: 2 | 3 = 2;
  db = 0;
  name = '';
  /** Who it is, at each shard. */
  readonly user: SessionUser;
  /** Who it is at the shard to which the request that is being dispatched goes; set before each. */
  identity: Identity;
  /** What entries of that request's keys carry as their database (`EntryId.db`); below 0 = there are none. */
  space = 0;
  /** Where that request's keys are; below 0 = it names none. */
  place = -1;
  /** The command whose parts are being sent. */
  fanIn: FanIn | undefined;
  /** Commands that wait to be sent again: nothing may be sent before them. */
  detours = 0;
  /** Waits for keys that are on their way to another shard. */
  readonly gateWait: GateWait = new GateWait(() => this.wake());
  /** The version of the upstream when the newest request was sent. */
  routedAt = 0;
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
  /** So far: requests that have gone their way, and those that are no reads. */
  taken = 0;
  writes = 0;
  /** Of reads that may yet be sent, or sent again. */
  readonly held: HeldKeys = new HeldKeys();
  /** Its only unanswered command is a read that waits for another session's load. */
  waiting: LeaseWait | undefined;
  /** What it loads, as far as others wait for it. */
  leases: Set<Lease> | undefined;
  /** The place, among the commands of the shared connection, of the newest that this session has sent or joined. */
  lastPosition = 0;
  /** Monotonic ms, read once for each chunk. */
  now: number;
  readonly footprint: Footprint;
  readonly lateness: Lateness = new Lateness();
  readonly #socket: ByteSocket;
  readonly #reader: RequestReader;
  readonly #writer: ReplyWriter;
  /** No more requests are taken; close when the replies have left. */
  #isEnding = false;
  /** The app sends no more. */
  #hasEnded = false;
  #isDraining = false;
  #hasWaited = false;
  #endReason: SessionCloseReason = 'client';

  constructor(context: SessionContext, id: number, socket: Socket) {
    this.context = context;
    this.id = id;
    this.now = context.clock.now();
    this.createdAt = this.lastActiveAt = this.now;
    this.address = addressOf(socket.remoteAddress, socket.remotePort);
    this.localAddress = addressOf(socket.localAddress, socket.localPort);
    this.user = new SessionUser(context.upstream);
    this.identity = this.user.at(context.upstream.home);
    this.pin = new Pin(this);
    this.subscription = new Subscription(this, new SubscriberRoute(this));
    this.#reader = new RequestReader(this, context.options.requests);
    this.#reader.authenticated = !mustAuthenticate(this);
    this.#socket = new ByteSocket({
      bytes: (buffer, length) => this.#received(buffer, length),
      ended: () => this.#clientEnded(),
      closed: (reason) => this.#closed(reason),
      drained: () => this.#touch(),
    });
    this.#writer = new ReplyWriter(this, this.#socket);
    this.queue = this.#writer.queue;
    this.footprint = new Footprint(this, this.#reader, this.#writer, this.#socket);
    this.#socket.attach(socket, false);
  }

  get shardName(): string {
    return this.identity.shard.name;
  }

  /** Bytes this session has made nearcache hold on its behalf. */
  get backlog(): number {
    return this.#writer.backlog;
  }

  /** The client reads more slowly than it asks: nothing more is done for it until it has read. */
  get isBehind(): boolean {
    return this.footprint.isBehind;
  }

  /** May a command go to `link` now? Only when every earlier command on another link was answered (DESIGN rule 1). */
  mayUse(link: Link): boolean {
    if (this.link === link) return true;
    if (this.outstanding > 0 || this.queue.length > 0) return false;
    this.link = link;
    return true;
  }

  /** Redis has accepted these credentials. `auth` is the request that said them. */
  become(user: string, credentials: Credentials, auth: Buffer): void {
    this.user.become(user, credentials);
    this.identity = this.user.at(this.context.upstream.home);
    this.isAuthenticated = true;
    this.#reader.authenticated = true;
    this.pin.reauthenticate(auth);
  }

  /** RESET: as new. */
  startOver(): void {
    this.user.leave();
    this.identity = this.user.at(this.context.upstream.home);
    this.isAuthenticated = false;
    this.#reader.authenticated = !mustAuthenticate(this);
    this.subscription.release();
    this.replyMode = 'on';
    this.proto = 2;
    this.db = 0;
    this.name = '';
  }

  /** A new slot at the end of the queue. */
  slot(): Slot {
    const slot = new Slot(this);
    slot.sentAt = this.now;
    slot.identity = this.identity;
    if (this.replyMode !== 'on') {
      slot.isSilent = true;
      if (this.replyMode === 'skip-next') this.replyMode = 'on';
    }
    this.queue.push(slot);
    return slot;
  }

  /** Answer the request being dispatched, without Redis. Bytes are in the session's protocol. */
  answer(bytes: Buffer): void {
    this.context.stats.local++;
    this.serve(bytes);
  }

  /** A reply that is here already goes out, behind what is owed. */
  serve(bytes: Buffer): void {
    if (this.#writer.isClear && this.replyMode === 'on') {
      this.#writer.appendAll(bytes);
      this.#touch();
    } else {
      this.slot().answer(bytes);
    }
  }

  /** A cached reply goes out, before which nothing is owed. The bytes are copied at once. */
  serveSlice(bytes: Buffer, start: number, end: number): void {
    if (this.replyMode === 'on') {
      this.#writer.copy(bytes, start, end);
      this.#touch();
    } else if (this.replyMode === 'skip-next') {
      this.replyMode = 'on';
    }
  }

  answerError(code: ErrorCode, fields: Record<string, string | number> = {}): void {
    this.context.stats.ownErrors++;
    this.answer(errorLine(code, fields));
  }

  /** Bytes outside the order of replies: pushes of RESP3, messages, MONITOR lines. */
  push(chunk: Buffer, start: number, end: number, last: boolean): void {
    if (this.isClosed) return;
    this.#writer.push(chunk, start, end, last);
    this.#touch();
    this.footprint.check();
  }

  isHead(slot: Slot): boolean {
    return this.#writer.isNext(slot);
  }

  emit(slot: Slot, chunk: Buffer, start: number, end: number): void {
    if (this.isClosed || slot.isSilent) return;
    this.#writer.append(chunk, start, end);
    this.#touch();
    if (this.isBehind) this.footprint.check();
  }

  answered(slot: Slot): void {
    if (this.queue.head !== slot) return;
    this.#writer.advance();
    this.#touch();
  }

  settled(slot: Slot): void {
    this.outstanding--;
    releaseHeld(this, slot);
    if (this.outstanding > 0) return;
    this.pin.idle();
    // What waits for this link to have nothing more to say may go, even when a late reply was for nobody.
    this.#touch();
  }

  kept(bytes: number): void {
    this.#writer.kept(bytes);
    if (bytes > 0) this.footprint.check();
  }

  countOwnError(): void {
    this.context.stats.ownErrors++;
  }

  timedOut(slot: Slot): void {
    releaseHeld(this, slot);
    // What Redis will have queued when the app says EXEC is not what the app was told: both start anew.
    if (this.link === 'pinned' && this.pin.sticky.isInTransaction) {
      this.close('upstream', 'a command timed out inside MULTI');
    }
  }

  isNewest(slot: Slot): boolean {
    return this.queue.tail === slot;
  }

  outOfStep(slot: Slot): void {
    const reason = 'a reply that does not fit its request';
    if (this.link === 'shared') (slot.identity ?? this.identity).shared.reset(reason);
    this.close('upstream', reason);
  }

  #received(buffer: Buffer, length: number): void {
    this.now = this.context.clock.now();
    this.lastActiveAt = this.now;
    this.context.stats.bytesIn += length;
    this.#reader.received(buffer, length);
    if (this.#reader.held > 0) this.footprint.check();
  }

  #touch(): void {
    if (!this.isListed && !this.isClosed) atEndOfTurn(this);
  }

  /** Something was answered or opened: try again what had to wait. */
  wake(): void {
    if (this.#reader.isStalled) this.#touch();
  }

  endTurn(): void {
    if (this.isClosed || this.#waitsATurn()) return;
    this.#writer.flush();
    if (this.#writer.mayAdvance || (this.#reader.isStalled && !this.isBehind)) {
      this.now = this.context.clock.now();
      if (this.#writer.mayAdvance) this.#writer.advance();
      if (this.#reader.isStalled && !this.isBehind) this.#reader.resume();
      this.#writer.flush();
      // The socket took everything at once: go on later, so that others have their turns.
      const waits = this.#writer.mayAdvance || (this.#reader.isStalledByClient && !this.isBehind);
      if (waits) this.footprint.goOn(() => this.#touch());
    }
    this.footprint.check();
    this.regulate();
    if (this.#hasEnded && this.pin.isBlocking) this.close('client', 'closed by the client');
    else if (this.#isDone()) this.#finish();
  }

  /** Replies of other shards, which come on other sockets, are probably about to follow: one write for all. Once only. */
  #waitsATurn(): boolean {
    const mayWait = this.queue.length > 0 && !this.context.upstream.isSingle;
    this.#hasWaited = mayWait && !this.#hasWaited;
    if (this.#hasWaited) atEndOfNextTurn(this);
    return this.#hasWaited;
  }

  /** Read from the client, or let it wait. */
  regulate(): void {
    if (this.isClosed) return;
    const mayRead = !this.#reader.isStalled || this.#isListening();
    if (mayRead && !this.#reader.isFull && !this.isBehind) this.#socket.resume();
    else this.#socket.pause();
  }

  /** A paused socket does not tell that its client has gone, and an element must not be popped for nobody (DESIGN rule 4). */
  #isListening(): boolean {
    return this.pin.isBlocking && this.#reader.held < BLOCKED_INPUT_BYTES;
  }

  /** May this command wait for another session's load? Not when anything is before or behind it. */
  mayWait(slot: Slot): boolean {
    const isAlone = this.queue.length === 1 && this.queue.head === slot && !this.#reader.isStalled;
    return isAlone && !slot.isSilent && !this.isClosed && !this.#isDraining;
  }

  /** Wait no longer: a request has come that will be behind what waits. */
  stopWaiting(): void {
    if (this.waiting !== undefined) this.context.leases?.giveUp(this);
  }

  /** Take no more requests; close when all replies have left. */
  endAfterReplies(reason: SessionCloseReason): void {
    this.#isEnding = true;
    this.#endReason = reason;
    this.#reader.stop();
    this.#touch();
  }

  /** nearcache is stopping: close between two replies. */
  drain(): void {
    this.#isDraining = true;
    this.stopWaiting();
    this.#touch();
  }

  close(reason: SessionCloseReason, why: string): void {
    if (this.isClosed) return;
    if (reason !== 'client' && reason !== 'quit') {
      this.context.log.info({ sessionId: this.id, address: this.address, reason: why }, 'session closed');
    }
    this.#endReason = reason;
    // What was outstanding has just been answered with an error, which is to be heard.
    if (reason === 'upstream') this.#writer.flush();
    this.#socket.destroy(why);
    this.#closed(why);
  }

  /** The app sends no more; what it has asked for is still answered, unless it waits for something that may never come. */
  #clientEnded(): void {
    this.#hasEnded = true;
    this.#reader.end();
    this.#touch();
  }

  #isDone(): boolean {
    if (this.isClosed || this.queue.length > 0 || this.outstanding > 0 || this.isBehind) return false;
    return this.#isEnding || ((this.#hasEnded || this.#isDraining) && !this.#reader.isStalled);
  }

  #finish(): void {
    if (this.#isDraining && !this.#isEnding) this.#endReason = 'drain';
    this.#socket.end();
    this.#closed('finished');
  }

  /** Heard twice when it was nearcache that closed: the socket's own end comes later. */
  #closed(why: string): void {
    if (this.isClosed) return this.#writer.clear();
    this.isClosed = true;
    const { stats, registry, log } = this.context;
    log.debug({ sessionId: this.id, reason: why }, 'session ended');
    stats.closedBy[this.#endReason]++;
    this.context.leases?.sessionClosed(this);
    this.#writer.clear();
    this.#reader.stop();
    this.pin.sessionClosed();
    this.subscription.release();
    this.user.leave();
    this.footprint.release();
    registry.remove(this);
  }
}
