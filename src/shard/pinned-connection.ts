import type { Clock } from '../base/clock.ts';
import { encodeRequest, RESET } from '../protocol/encoder.ts';
import { parseReply } from '../protocol/reply-parser.ts';
import type { ReplyScanner } from '../protocol/reply-scanner.ts';
import { type Call, type CallFailure, OwnCall } from './call.ts';
import { Connection, type ShardAddress } from './connection.ts';
import { type CredentialSource, helloArguments } from './credentials.ts';
import type { ShardStats } from './shard-stats.ts';

/** How a pinned connection is set up for its session. */
export interface PinnedSetup {
  proto: 2 | 3;
  db: number;
  name: string;
}

/** The session that holds it. */
export interface PinnedHolder {
  /** A frame that answers no call: a push or, when `takesAll` is set, anything. */
  pinnedFrame(chunk: Buffer, start: number, end: number, last: boolean, scanner: ReplyScanner): void;
  pinnedLost(reason: string): void;
  pinnedDrained(): void;
}

const MINUS = 0x2d;
/** Load balancers reap idle connections without a word; after this long a HELLO comes first (a user may be refused PING). */
const IDLE_TRUST_MS = 1000;

/** A connection that belongs to one session while that session holds connection state. It speaks the session's own
 *  protocol version; its replies are framed and never converted. The pool makes, cleans and reuses it. */
export class PinnedConnection {
  /** This connection's client id at Redis, for CLIENT UNBLOCK and REDIRECT. */
  clientId = 0;
  holder: PinnedHolder | undefined;
  /** Monotonic ms since when nobody holds it. */
  idleSince = 0;
  isGone = false;
  readonly connection: Connection;
  #clock: Clock;
  #credentials: CredentialSource;
  #setup: PinnedSetup = { proto: 2, db: 0, name: '' };
  #isGreeted = false;
  readonly #timeoutMs: number;
  #onLost: (pinned: PinnedConnection, reason: string) => void;

  constructor(
    clock: Clock,
    credentials: CredentialSource,
    stats: ShardStats,
    timeoutMs: number,
    onLost: (pinned: PinnedConnection, reason: string) => void,
  ) {
    this.#clock = clock;
    this.#credentials = credentials;
    this.#timeoutMs = timeoutMs;
    this.#onLost = onLost;
    this.connection = new Connection(
      clock,
      {
        opened: () => undefined,
        unasked: (chunk, start, end, last, scanner) =>
          this.holder?.pinnedFrame(chunk, start, end, last, scanner),
        lost: (reason) => this.#lost(reason),
        drained: () => this.holder?.pinnedDrained(),
      },
      stats,
    );
  }

  connect(address: ShardAddress, timeoutMs: number): void {
    this.connection.connect(address, timeoutMs);
  }

  /** Is it set up like that already? */
  fits(setup: PinnedSetup): boolean {
    const own = this.#setup;
    return this.#isGreeted && own.proto === setup.proto && own.db === setup.db && own.name === setup.name;
  }

  /** Bring it to `setup`; `done` with a failure when Redis refused a step or the connection was lost.
   *  Runs at once when nothing is to be done and the connection was used a moment ago. */
  prepare(setup: PinnedSetup, done: (failure: CallFailure | undefined) => void): void {
    let requests: (string | Buffer)[][];
    try {
      requests = this.#steps(setup);
    } catch (error) {
      this.connection.destroy(error instanceof Error ? error.message : String(error));
      return done({ kind: 'unsent', reason: error instanceof Error ? error.message : String(error) });
    }
    if (requests.length === 0) return done(undefined);
    this.#setup = { ...setup };
    this.#isGreeted = true;
    this.#runAll(requests, done);
  }

  /** Forget everything that a session left behind; then it is as new for the same user. */
  clean(done: (failure: CallFailure | undefined) => void): void {
    this.connection.takesAll = false;
    let hello: (string | Buffer)[];
    try {
      hello = helloArguments(this.#setup.proto, this.#credentials());
    } catch (error) {
      return done({ kind: 'lost', reason: String(error) });
    }
    this.#setup = { proto: this.#setup.proto, db: 0, name: '' };
    this.#runAll([['RESET'], hello], done);
  }

  /** SELECT n ran on it: remember, so that the pool knows where it stands. */
  selected(db: number): void {
    this.#setup.db = db;
  }

  get db(): number {
    return this.#setup.db;
  }

  submit(call: Call, buffer: Buffer, start: number, end: number): void {
    if (this.isGone) return call.fail({ kind: 'unsent', reason: 'the pinned connection was lost' });
    this.connection.send(call, buffer, start, end);
  }

  destroy(reason: string): void {
    this.connection.destroy(reason);
  }

  #steps(setup: PinnedSetup): (string | Buffer)[][] {
    const own = this.#setup;
    const steps: (string | Buffer)[][] = [];
    if (!this.#isGreeted || own.proto !== setup.proto) {
      steps.push(helloArguments(setup.proto, this.#credentials()));
    }
    if (own.db !== setup.db) steps.push(['SELECT', String(setup.db)]);
    if (own.name !== setup.name) steps.push(['CLIENT', 'SETNAME', setup.name]);
    const isIdle = this.holder === undefined && this.#clock.now() - this.idleSince > IDLE_TRUST_MS;
    if (steps.length === 0 && isIdle) steps.push(['HELLO']);
    return steps;
  }

  #runAll(requests: readonly (string | Buffer)[][], done: (failure: CallFailure | undefined) => void): void {
    let left = requests.length;
    let isOver = false;
    const finish = (failure: CallFailure | undefined): void => {
      if (isOver) return;
      isOver = true;
      done(failure);
    };
    for (const request of requests) {
      const bytes = encodeRequest(request);
      const call = new OwnCall((reply, failure) => {
        left--;
        if (reply === undefined) return finish(failure);
        if (request[0] === 'RESET' && !reply.equals(RESET)) {
          // A line of MONITOR or a message that was on its way: every reply from here on would be off by one.
          return finish({ kind: 'lost', reason: 'no clean answer to RESET' });
        }
        if (request[0] === 'HELLO') {
          if (reply[0] === MINUS) {
            const reason = reply.toString('latin1', 1, reply.length - 2);
            return finish({ kind: 'refused', reason, refusal: reply });
          }
          this.#greeted(reply);
        } else if (request[0] === 'SELECT' && reply[0] === MINUS) {
          return finish({ kind: 'refused', reason: reply.toString('latin1'), refusal: reply });
        }
        if (left === 0) finish(undefined);
      }, this.#timeoutMs);
      this.connection.send(call, bytes, 0, bytes.length);
    }
  }

  #greeted(reply: Buffer): void {
    const hello = parseReply(reply, 0, reply.length);
    if (hello instanceof Map) this.clientId = Number(hello.get('id'));
    else if (Array.isArray(hello)) this.clientId = Number(hello[hello.indexOf('id') + 1]);
  }

  #lost(reason: string): void {
    this.isGone = true;
    this.#onLost(this, reason);
    this.holder?.pinnedLost(reason);
    this.holder = undefined;
  }
}
