import type { Clock } from '../base/clock.ts';
import { ASTERISK, DOLLAR, LF, MINUS, PLUS, UNDERSCORE } from '../protocol/bytes.ts';
import { encodeRequest } from '../protocol/encoder.ts';
import { type CallFailure, OwnCall } from '../shard/call.ts';
import type { Identity } from '../shard/identity.ts';
import type { PinnedConnection, PinnedHolder } from '../shard/pinned-connection.ts';
import type { Session } from './session.ts';
import { leaseKeyOf, releaseLease, takeLease } from './lease-key.ts';

/** What a token is for. Shape: `key` is latin1. */
export interface LeaseSubject {
  readonly identity: Identity;
  readonly db: number;
  readonly key: string;
  /** Who was given the token; any session of the identity may use it. */
  readonly session: Session;
}

/** granted = the caller loads; elsewhere = another does; value = it has appeared, `reply` is Redis's; refused = `reply` is
 *  Redis's error. */
export type GrantResult =
  | { readonly kind: 'granted' | 'elsewhere' }
  | { readonly kind: 'value' | 'refused'; readonly reply: Buffer }
  | { readonly kind: 'failed'; readonly failure: CallFailure };

/** stored, not any more (a write or a delete came first), or Redis's error. */
export type StoreResult =
  | { readonly kind: 'stored' }
  | { readonly kind: 'outdated' }
  | { readonly kind: 'refused'; readonly reply: Buffer }
  | { readonly kind: 'failed'; readonly failure: CallFailure };

/** The tokens of NEARCACHE.GETLEASE. Behind each is a pinned connection that WATCHes the key and its lease, since only Redis
 *  itself knows whether anything was written meanwhile, were it a value that has gone again (docs/decisions/0005).
 *  Bounds: `tokensMax`, each with a pinned connection. A token ends with its lease, with the session that got it, or when
 *  Redis says that the key has changed. */
export class LeaseTokens {
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  readonly #tokensMax: number;
  readonly #held = new Map<string, HeldToken>();
  /** Given out, or about to be. */
  #count = 0;

  constructor(clock: Clock, limits: { commandTimeoutMs: number; tokensMax: number }) {
    this.#clock = clock;
    this.#timeoutMs = limits.commandTimeoutMs;
    this.#tokensMax = limits.tokensMax;
  }

  get isFull(): boolean {
    return this.#count >= this.#tokensMax;
  }

  /** Take the lease of a key that was not there, and watch. `done` is called once. */
  grant(subject: LeaseSubject, token: string, ttlMs: number, done: (result: GrantResult) => void): void {
    const { identity, db, key } = subject;
    this.#count++;
    const conclude = (result: GrantResult): void => {
      if (result.kind !== 'granted') this.#count--;
      done(result);
    };
    this.#ask(subject, takeLease(key, token, ttlMs), (reply, failure) => {
      if (reply === undefined) return conclude({ kind: 'failed', failure: failure as CallFailure });
      if (reply[0] === MINUS) return conclude({ kind: 'refused', reply });
      if (reply[0] === UNDERSCORE) return conclude({ kind: 'elsewhere' });
      const held = new HeldToken(subject, token, () => this.#end(held));
      identity.pinned.acquire(held, { proto: 3, db, name: '' }, (pinned, problem) => {
        held.pinned = pinned;
        if (pinned !== undefined) return this.#watch(held, ttlMs, conclude);
        this.#release(subject, token);
        conclude({ kind: 'failed', failure: problem as CallFailure });
      });
    });
  }

  /** The token, while it is worth something; it is spent by this. */
  take(subject: Omit<LeaseSubject, 'session'>, token: string): HeldToken | undefined {
    const held = this.#held.get(token);
    const isOf =
      held !== undefined &&
      held.subject.identity === subject.identity &&
      held.subject.db === subject.db &&
      held.subject.key === subject.key;
    if (!isOf) return undefined;
    this.#forget(held);
    return held;
  }

  /** Store the value if nothing has happened to the key since it was watched. `done` is called once. */
  store(held: HeldToken, value: Buffer, ttl: readonly string[], done: (result: StoreResult) => void): void {
    const { subject } = held;
    const pinned = held.pinned as PinnedConnection;
    const key = Buffer.from(subject.key, 'latin1');
    const conclude = (result: StoreResult): void => {
      subject.identity.pinned.release(pinned, result.kind !== 'failed');
      done(result);
    };
    const rest = [['SET', key, value, ...ttl], ['UNLINK', leaseKeyOf(subject.key)], ['EXEC']];
    // To a user who may not say MULTI, what follows it would be no transaction.
    runAll(pinned, [['MULTI']], this.#timeoutMs, ([multi], problem) => {
      if (multi === undefined) return conclude({ kind: 'failed', failure: problem as CallFailure });
      if (multi[0] === MINUS) return conclude({ kind: 'refused', reply: multi });
      runAll(pinned, rest, this.#timeoutMs, (replies, failure) => {
        conclude(failure === undefined ? resultOf(replies) : { kind: 'failed', failure });
      });
    });
  }

  /** The key of these tokens has changed. Shape: undefined = every key. */
  invalidated(key: string | undefined): void {
    for (const held of this.#held.values()) {
      if (key === undefined || held.subject.key === key) this.#end(held);
    }
  }

  sessionClosed(session: Session): void {
    for (const held of this.#held.values()) if (held.subject.session === session) this.#end(held);
  }

  #watch(held: HeldToken, ttlMs: number, done: (result: GrantResult) => void): void {
    const { subject, token } = held;
    const pinned = held.pinned as PinnedConnection;
    const [key, leaseKey] = [Buffer.from(subject.key, 'latin1'), leaseKeyOf(subject.key)];
    const requests = [
      ['WATCH', key, leaseKey],
      ['GET', leaseKey],
      ['GET', key],
    ];
    runAll(pinned, requests, this.#timeoutMs, (replies, failure) => {
      const [watched, lease, value] = replies;
      const isOurs = lease?.toString('latin1').split('\r\n')[1] === token;
      if (isOurs && watched?.[0] === PLUS && value?.[0] === UNDERSCORE && !subject.session.isClosed) {
        held.cancel = this.#clock.after(ttlMs, () => this.#end(held));
        this.#held.set(token, held);
        return done({ kind: 'granted' });
      }
      subject.identity.pinned.release(pinned, false);
      if (failure !== undefined) return done({ kind: 'failed', failure });
      this.#release(subject, token);
      const error = replies.find((reply) => reply[0] === MINUS);
      if (error !== undefined) return done({ kind: 'refused', reply: error });
      // It was written, or written and deleted, before anything was watched: whoever asks again learns more.
      done(value?.[0] === DOLLAR ? { kind: 'value', reply: value } : { kind: 'elsewhere' });
    });
  }

  #forget(held: HeldToken): void {
    held.cancel();
    if (this.#held.delete(held.token)) this.#count--;
  }

  /** It is worth nothing any more; another may load. */
  #end(held: HeldToken): void {
    if (!this.#held.has(held.token)) return;
    this.#forget(held);
    const { subject, pinned, token } = held;
    if (pinned !== undefined) subject.identity.pinned.release(pinned, false);
    this.#release(subject, token);
  }

  #release({ identity, key, db }: LeaseSubject, token: string): void {
    this.#ask({ identity, db }, releaseLease(key, token), () => undefined);
  }

  #ask({ identity, db }: Pick<LeaseSubject, 'identity' | 'db'>, bytes: Buffer, done: Answered): void {
    const call = new OwnCall(done, this.#timeoutMs);
    call.sentAt = this.#clock.now();
    identity.shared.submit(call, bytes, 0, bytes.length, db);
  }
}

type Answered = (reply: Buffer | undefined, failure: CallFailure | undefined) => void;

/** A token that was given out. */
export class HeldToken implements PinnedHolder {
  readonly subject: LeaseSubject;
  readonly token: string;
  pinned: PinnedConnection | undefined;
  cancel: () => void = () => undefined;
  readonly #lost: () => void;

  constructor(subject: LeaseSubject, token: string, lost: () => void) {
    this.subject = subject;
    this.token = token;
    this.#lost = lost;
  }

  pinnedFrame(): void {
    // Nothing was asked for that could send one.
  }

  pinnedLost(): void {
    this.#lost();
  }

  pinnedDrained(): void {
    // Nobody waits for room.
  }
}

/** Run requests on a connection; `done` is called once, with the replies up to a failure. */
function runAll(
  pinned: PinnedConnection,
  requests: readonly (readonly (string | Buffer)[])[],
  timeoutMs: number,
  done: (replies: readonly Buffer[], failure: CallFailure | undefined) => void,
): void {
  const replies: Buffer[] = [];
  let isOver = false;
  for (const request of requests) {
    const bytes = encodeRequest(request);
    const call = new OwnCall((reply, failure) => {
      if (isOver) return;
      if (reply !== undefined) replies.push(reply);
      isOver = reply === undefined || replies.length === requests.length;
      if (isOver) done(replies, failure);
    }, timeoutMs);
    pinned.submit(call, bytes, 0, bytes.length);
  }
}

/** What EXEC says, and why it was not run, if a command before it was refused. */
function resultOf(replies: readonly Buffer[]): StoreResult {
  const exec = replies.at(-1) as Buffer;
  const refusal = replies.find((reply) => reply[0] === MINUS);
  if (refusal !== undefined) return { kind: 'refused', reply: refusal };
  if (exec[0] !== ASTERISK) return { kind: 'outdated' };
  const first = exec.subarray(exec.indexOf(LF) + 1);
  if (first[0] === PLUS) return { kind: 'stored' };
  return { kind: 'refused', reply: Buffer.from(first.subarray(0, first.indexOf(LF) + 1)) };
}
