import { ownId } from '../cache/entry-id.ts';
import type { Flight, SharedRead } from '../cache/flight.ts';
import type { NearCache } from '../cache/near-cache.ts';
import { type EntryId, RESP3_ONLY, SAME } from '../cache/store.ts';
import type { CommandSpec } from '../command/spec.ts';
import type { Policy } from '../policy/policy.ts';
import { ASTERISK, MINUS, UNDERSCORE } from '../protocol/bytes.ts';
import { elementEnds } from '../protocol/array-elements.ts';
import type { Request } from '../protocol/request.ts';
import type { CallFailure, FrameFacts } from '../shard/call.ts';
import type { SharedConnection } from '../shard/shared-connection.ts';
import { aimAtCall, aimAtKey, wanted } from './cached-answer.ts';
import { type Asked, askedBy, insteadOfAsked } from './asked.ts';
import { repeatRead } from './retry.ts';
import { FanOutCall } from './fan-out-call.ts';
import type { Session } from './session.ts';

/** What is gathered of one reply; a longer one is not put together here, but read again as a whole and passed through. */
const GATHER_MAX = 8_388_608;
const NOPERM = '-NOPERM';
/** What PTTL says of a key that does not exist. */
const NO_KEY = -2;

/** An MGET of the keys that the near-cache lacked. When its reply is here, all invalidations that Redis sent before it have
 *  been processed, so entries that live now and this reply are what one moment of Redis had: together they are the answer.
 *  If an entry has gone meanwhile, the whole call is read again, since a mix might be a state that never was (R16).
 *  Bounds: GATHER_MAX bytes of the reply. */
export class ManyReadCall extends FanOutCall implements SharedRead {
  position = 0;
  readonly id: EntryId;
  /** Every key was missing: the reply is the answer, and passes through as it comes. */
  readonly isWhole: boolean;
  readonly #cache: NearCache;
  readonly #shared: SharedConnection;
  readonly #request: Request;
  readonly #spec: CommandSpec;
  readonly db: number;
  readonly #asked: Asked;
  readonly #missing: readonly number[];
  readonly #flights: readonly Flight[];
  readonly #now: () => number;
  #parts: Buffer[] = [];
  #gathered = 0;
  #isOver = false;

  /** `request` is a copy; `missing` has the indices of its keys that are asked for, one flight each. */
  constructor(
    session: Session,
    cache: NearCache,
    request: Request,
    { spec, missing, flights }: { spec: CommandSpec; missing: readonly number[]; flights: readonly Flight[] },
  ) {
    super();
    const { shared } = session.identity;
    this.#cache = cache;
    this.#shared = shared;
    this.#request = request;
    this.#spec = spec;
    this.db = session.db;
    this.#asked = askedBy(session, request, spec);
    this.#missing = missing;
    this.#flights = flights;
    this.#now = () => session.context.clock.now();
    this.isWhole = missing.length === request.argc - 1;
    this.sentAt = session.now;
    aimAtCall(request, spec, session.space, shared.generation.fence);
    this.id = ownId(wanted);
  }

  get policy(): Policy {
    return (this.#flights[0] as Flight).policy;
  }

  get argc(): number {
    return this.#request.argc;
  }

  get isOpen(): boolean {
    return !this.hasBegun && !this.#isOver && this.#flights.every((flight) => flight.isLive);
  }

  override reply(chunk: Buffer, start: number, end: number, last: boolean, facts: FrameFacts): void {
    if (!this.hasBegun) this.dismissLate(Math.min(...this.#flights.map((flight) => flight.validUntil)));
    this.hasBegun = true;
    this.#gathered += end - start;
    if (this.#gathered > GATHER_MAX) this.#parts = [];
    else this.#parts.push(Buffer.from(chunk.subarray(start, end)));
    // Those who were told of a time-out are not to be read for again.
    const isPassed = this.isWhole || this.hasTimedOut;
    if (isPassed) this.tellAll(chunk, start, end, last, facts);
    if (!last) return;
    const frame: Buffer = Buffer.concat(this.#parts);
    this.#parts = [];
    const ends =
      facts.type === ASTERISK && frame.length > 0 ? elementEnds(frame, this.#missing.length) : undefined;
    // Permissions have changed, and nobody says whose entries they concern.
    if (facts.type === MINUS && frame.latin1Slice(0, NOPERM.length) === NOPERM) this.#cache.flush();
    if (ends === undefined) this.#abandon();
    else this.#land(frame, ends);
    if (!isPassed) this.#answer(frame, ends, facts);
  }

  override fail(failure: CallFailure): void {
    this.#abandon();
    if (failure.kind === 'lost') {
      const told = repeatRead(this, this.waiters, this.#now());
      this.waiters.splice(0, this.waiters.length, ...told);
    }
    super.fail(failure);
  }

  override insteadOf(): Buffer | undefined {
    return insteadOfAsked(this.#cache, this.#asked, this.#now());
  }

  #abandon(): void {
    this.#isOver = true;
    for (const flight of this.#flights) this.#cache.abandon(flight);
  }

  #land(frame: Buffer, ends: readonly number[]): void {
    const now = this.#now();
    for (const [i, flight] of this.#flights.entries()) {
      const start = ends[i] as number;
      const isNil = frame[start] === UNDERSCORE;
      // MGET has nothing for a key of another type, where GET has an error.
      const isError = isNil && flight.pttl !== NO_KEY;
      const landing = { isError, isNil, form: isNil ? RESP3_ONLY : SAME, now } as const;
      this.#cache.land(flight, frame, start, ends[i + 1] as number, landing);
    }
  }

  #answer(frame: Buffer, ends: readonly number[] | undefined, facts: FrameFacts): void {
    const isError = facts.type !== ASTERISK && frame.length > 0;
    const whole = ends === undefined ? undefined : this.#assemble(frame, ends);
    if (whole !== undefined) this.tellAll(whole, 0, whole.length, true, { type: ASTERISK, hasResp3: true });
    else if (isError) this.tellAll(frame, 0, frame.length, true, facts);
    else this.#readAgain();
  }

  /** The reply in RESP3, or undefined when an entry has gone. */
  #assemble(frame: Buffer, ends: readonly number[]): Buffer | undefined {
    const { store } = this.#cache;
    const count = this.#request.argc - 1;
    const parts: Buffer[] = [Buffer.from(`*${count}\r\n`, 'latin1')];
    const now = this.#now();
    for (let index = 1, asked = 0; index <= count; index++) {
      if (this.#missing[asked] === index) {
        parts.push(frame.subarray(ends[asked], ends[asked + 1]));
        asked++;
        continue;
      }
      aimAtKey(this.#request, index, this.#spec, this.id.db, this.id.fence);
      if (!store.find(wanted, 3, now)) return undefined;
      parts.push(Buffer.from(store.found.bytes.subarray(store.found.start, store.found.end)));
    }
    return Buffer.concat(parts);
  }

  #readAgain(): void {
    this.#cache.stats.torn++;
    const again = new FanOutCall();
    again.waiters.push(...this.waiters);
    again.sentAt = this.#now();
    again.timeoutMs = this.timeoutMs;
    const { buffer, start, end } = this.#request;
    this.#shared.submit(again, buffer, start, end, this.db);
  }
}
