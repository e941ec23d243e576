import { Fifo } from '../base/fifo.ts';
import type { CommandSpec } from '../command/spec.ts';
import { MINUS } from '../protocol/bytes.ts';
import { parseReply } from '../protocol/reply-parser.ts';
import type { Request } from '../protocol/request.ts';
import type { PinnedConnection, PinnedHolder } from '../shard/pinned-connection.ts';
import { answerLocally } from './local-commands.ts';
import { PinnedHold } from './pinned-hold.ts';
import type { Session } from './session.ts';
import type { Slot } from './slot.ts';

/** A subscribe command whose confirmations are still to come. */
interface Waiting {
  slot: Slot;
  /** Confirmations to come; 0 = one for each present subscription, known when the first one comes. */
  left: number;
  /** Ends the wait for them. */
  cancel: () => void;
}

type Kind = 'channel' | 'pattern' | 'shard';

/** First word of a frame → what it confirms. */
const CONFIRMS: ReadonlyMap<string, { kind: Kind; adds: boolean }> = new Map([
  ['subscribe', { kind: 'channel', adds: true }],
  ['unsubscribe', { kind: 'channel', adds: false }],
  ['psubscribe', { kind: 'pattern', adds: true }],
  ['punsubscribe', { kind: 'pattern', adds: false }],
  ['ssubscribe', { kind: 'shard', adds: true }],
  ['sunsubscribe', { kind: 'shard', adds: false }],
]);
/** Before a connection that could not be opened is asked for again. */
const RETRY_MS = 100;

const MESSAGES: ReadonlySet<string> = new Set(['message', 'pmessage', 'smessage']);

/** A session's subscriptions, on a pinned connection of their own, so that a RESP3 session keeps the fast path for
 *  everything else; a RESP2 session may do little else while subscribed, and Redis says so.
 *
 *  A subscribe command is answered by one frame a channel, in RESP3 by pushes, so replies are not counted by the
 *  connection: every frame comes here and is told apart by its first word (resp2-differences §4).
 *  Bounds: names are kept to count confirmations; Redis holds the same ones. */
export class Subscription implements PinnedHolder {
  #session: Session;
  readonly #hold: PinnedHold;
  #names: Record<Kind, Set<string>> = { channel: new Set(), pattern: new Set(), shard: new Set() };
  #waiting = new Fifo<Waiting>();
  #parts: Buffer[] = [];
  /** Kept open without subscriptions: tracking of another session is redirected here. */
  #isReserved = false;
  #whenOpen: (() => void)[] = [];

  constructor(session: Session) {
    this.#session = session;
    this.#hold = new PinnedHold(session, this);
  }

  /** Subscriptions of all kinds. */
  get count(): number {
    return this.channels + this.patterns + this.shardChannels;
  }

  get channels(): number {
    return this.#names.channel.size;
  }

  get patterns(): number {
    return this.#names.pattern.size;
  }

  get shardChannels(): number {
    return this.#names.shard.size;
  }

  /** A subscribed RESP2 session: Redis refuses nearly everything else, in its own words. */
  get isExclusive(): boolean {
    return this.#session.proto === 2 && this.count > 0;
  }

  /** Does it hold a connection in some protocol version, which HELLO cannot change any more? */
  get isActive(): boolean {
    return this.#hold.connection !== undefined;
  }

  /** Run a command of the subscribe family. False when it has to wait. */
  run(request: Request, spec: CommandSpec): boolean {
    const connection = this.#take();
    if (connection === undefined) return false;
    if (connection === 'failed') return true;
    const isAll = request.argc === 1 && CONFIRMS.get(spec.name)?.adds === false;
    this.#write(connection, request, isAll ? 0 : Math.max(1, request.argc - 1));
    return true;
  }

  /** Run any command of a subscribed RESP2 session. False when it has to wait. */
  runSubscribed(request: Request, spec: CommandSpec | undefined): boolean {
    if (spec?.place === 'subscribe') return this.run(request, spec);
    // What it is told depends on whether it is still subscribed when its turn comes.
    if (this.#waiting.length > 0) return false;
    if (spec?.name === 'quit' || spec?.name === 'reset') {
      return answerLocally(this.#session, request, spec);
    }
    return this.runBeside(request);
  }

  /** Run a command that answers with one frame on the subscription's own connection. False when it has to wait. */
  runBeside(request: Request): boolean {
    const connection = this.#take();
    if (connection === undefined) return false;
    if (connection !== 'failed') this.#write(connection, request, 1);
    return true;
  }

  /** The client id of this connection at Redis, opened if need be, so that invalidations can be redirected to it;
   *  undefined while it opens, then `whenOpen` is called. */
  reserve(whenOpen: () => void): number | undefined {
    this.#isReserved = true;
    if (this.#hold.connection !== undefined) return this.#hold.connection.clientId;
    this.#whenOpen.push(whenOpen);
    this.#open();
    return undefined;
  }

  release(): void {
    this.#isReserved = false;
    this.#parts = [];
    for (const kind of ['channel', 'pattern', 'shard'] as const) this.#names[kind].clear();
    this.#hold.release(false);
  }

  // --- PinnedHolder --------------------------------------------------------------------------------------------

  pinnedFrame(chunk: Buffer, start: number, end: number, last: boolean): void {
    if (last && this.#parts.length === 0) return this.#frame(chunk, start, end);
    this.#parts.push(Buffer.from(chunk.subarray(start, end)));
    this.#session.kept(end - start);
    if (!last) return;
    const frame = Buffer.concat(this.#parts);
    this.#parts = [];
    this.#session.kept(-frame.length);
    this.#frame(frame, 0, frame.length);
  }

  pinnedLost(reason: string): void {
    this.#hold.lost();
    const hadState = this.count > 0 || this.#waiting.length > 0 || this.#isReserved;
    if (hadState) this.#session.close('upstream', `its subscription connection was lost: ${reason}`);
  }

  pinnedDrained(): void {
    this.#session.wake();
    this.#session.regulate();
  }

  // --- inside --------------------------------------------------------------------------------------------------

  #take(): PinnedConnection | 'failed' | undefined {
    if (!this.#session.mayUse('subscription')) return undefined;
    if (this.#hold.connection === undefined) this.#open();
    return this.#hold.take();
  }

  #open(): void {
    this.#hold.open(() => {
      const { connection } = this.#hold;
      if (connection !== undefined) connection.connection.takesAll = true;
      const waiting = this.#whenOpen.splice(0);
      const tell = (): void => {
        for (const call of waiting) call();
      };
      // Whoever waits will ask again at once: not while Redis is known to be away.
      if (connection !== undefined) tell();
      else this.#session.context.clock.after(RETRY_MS, tell);
    });
  }

  #write(connection: PinnedConnection, request: Request, left: number): void {
    const session = this.#session;
    const slot = session.slot();
    slot.isSilent = false;
    session.outstanding++;
    const waiting: Waiting = { slot, left, cancel: () => undefined };
    this.#waiting.push(waiting);
    const { clock, options } = session.context;
    waiting.cancel = clock.after(options.commandTimeoutMs, () =>
      connection.destroy('no answer to a subscribe command'),
    );
    connection.connection.write(request.buffer, request.start, request.end);
  }

  #frame(frame: Buffer, start: number, end: number): void {
    const word = firstWord(frame, start, end);
    const confirm = CONFIRMS.get(word);
    const waiting = this.#waiting.peek();
    if (confirm !== undefined && waiting !== undefined && waiting.left === 0) {
      waiting.left = Math.max(1, this.#names[confirm.kind].size);
    }
    this.#session.push(frame, start, end);
    if (confirm !== undefined) this.#note(confirm, parseReply(frame, start, end));
    if (MESSAGES.has(word) || word === 'invalidate' || waiting === undefined) return;
    // An error answers the whole command, whatever it named.
    waiting.left = frame[start] === MINUS ? 0 : waiting.left - 1;
    if (waiting.left === 0) this.#finish(waiting.slot);
  }

  #note(confirm: { kind: Kind; adds: boolean }, frame: unknown): void {
    if (!Array.isArray(frame) || typeof frame[1] !== 'string') return;
    const names = this.#names[confirm.kind];
    if (confirm.adds) names.add(frame[1]);
    else names.delete(frame[1]);
  }

  #finish(slot: Slot): void {
    this.#waiting.shift()?.cancel();
    slot.isDone = true;
    this.#session.settled(slot);
    this.#session.answered(slot);
    if (this.#waiting.length === 0 && this.count === 0 && !this.#isReserved) this.release();
  }
}

/** The first element of an array or push, when it is a bulk; '' for anything else. */
function firstWord(frame: Buffer, start: number, end: number): string {
  const header = frame.indexOf('\r\n', start, 'latin1');
  const length = frame.indexOf('\r\n', header + 2, 'latin1');
  if (header < 0 || length < 0 || length > end || frame[header + 2] !== DOLLAR) return '';
  const size = Number(frame.latin1Slice(header + 3, length));
  return size > LONGEST_WORD ? '' : frame.latin1Slice(length + 2, length + 2 + size);
}

const DOLLAR = 0x24;
const LONGEST_WORD = 12;
