import { copyOf } from '../base/copy-of.ts';
import type { Clock } from '../base/clock.ts';
import type { Flight, SharedRead } from '../cache/flight.ts';
import type { NearCache } from '../cache/near-cache.ts';
import { type EntryId, RESP3_ONLY, SAME } from '../cache/store.ts';
import { commandById } from '../command/table.ts';
import type { Policy } from '../policy/policy.ts';
import { COLON, MINUS, UNDERSCORE } from '../protocol/bytes.ts';
import { type Resp2Shape, shapeNeedsConversion } from '../protocol/resp2-shapes.ts';
import { Call, type CallFailure, type FrameFacts } from '../shard/call.ts';
import type { Hedging } from '../shard/hedging.ts';
import { absentInstead, staleEntry } from './instead.ts';
import { FanOutCall } from './fan-out-call.ts';
import { repeatRead } from './retry.ts';

/** What precedes the key of the PTTL that travels in front of a read. */
export const PTTL_HEAD: Buffer = Buffer.from('*2\r\n$4\r\nPTTL\r\n', 'latin1');

/** A cacheable read of one key on its way: fills the near-cache, and answers everybody who waits for it; for a refresh,
 *  nobody does.
 *  Bounds: its reply is gathered up to what the near-cache keeps. */
export class ReadCall extends FanOutCall implements SharedRead {
  /** Its place among the commands of its shared connection. */
  position = 0;
  /** Of the command; 0 = it is for nobody. */
  argc = 0;
  db = 0;
  /** Who wants to know how long it took; undefined = nobody. */
  hedging: Hedging | undefined;
  readonly #cache: NearCache;
  readonly flight: Flight;
  readonly #shape: Resp2Shape;
  readonly #clock: Clock;
  #parts: Buffer[] = [];
  #gathered = 0;
  #hasFailed = false;

  constructor(cache: NearCache, flight: Flight, shape: Resp2Shape, clock: Clock) {
    super();
    this.#cache = cache;
    this.flight = flight;
    this.#shape = shape;
    this.#clock = clock;
    this.sentAt = flight.sentAt;
  }

  get policy(): Policy {
    return this.flight.policy;
  }

  get id(): EntryId {
    return this.flight.id;
  }

  get isOpen(): boolean {
    return !this.hasBegun && !this.#hasFailed;
  }

  override reply(chunk: Buffer, start: number, end: number, last: boolean, facts: FrameFacts): void {
    if (!this.hasBegun) {
      this.dismissLate(this.flight.validUntil);
      this.hedging?.note(this.#clock.now() - this.sentAt);
    }
    this.hasBegun = true;
    if (last) this.#land(chunk, start, end, facts);
    else this.#gather(chunk, start, end);
    this.tellAll(chunk, start, end, last, facts);
  }

  override fail(failure: CallFailure): void {
    this.#hasFailed = true;
    this.#cache.abandon(this.flight);
    if (failure.kind === 'lost' && this.argc > 0) {
      const told = repeatRead(this, this.waiters, this.#clock.now());
      this.waiters.splice(0, this.waiters.length, ...told);
    }
    super.fail(failure);
  }

  override insteadOf(): Buffer | undefined {
    if (this.argc === 0) return undefined;
    return (
      staleEntry(this.#cache, this.id, this.flight.generation, this.#clock.now()) ??
      absentInstead(this.#cache, commandById(this.id.commandId), this.argc, this.policy)
    );
  }

  #gather(chunk: Buffer, start: number, end: number): void {
    this.#gathered += end - start;
    if (this.#gathered > this.#cache.store.maxItemBytes) this.#parts = [];
    else this.#parts.push(copyOf(chunk, start, end));
  }

  #land(chunk: Buffer, start: number, end: number, { type, hasResp3 }: FrameFacts): void {
    const isError = type === MINUS;
    // Permissions have changed, and nobody says whose entries they concern.
    if (isError && chunk.latin1Slice(start, end).startsWith('-NOPERM')) this.#cache.flush();
    const landing = {
      isError,
      isNil: type === UNDERSCORE,
      form: hasResp3 || shapeNeedsConversion(this.#shape) ? RESP3_ONLY : SAME,
      now: this.#clock.now(),
    } as const;
    if (this.#gathered === 0) {
      this.#cache.land(this.flight, chunk, start, end, landing);
      return;
    }
    this.#gather(chunk, start, end);
    if (this.#parts.length === 0) {
      this.#cache.stats.refused.size++;
      this.#cache.abandon(this.flight);
      return;
    }
    const whole = Buffer.concat(this.#parts);
    this.#parts = [];
    this.#cache.land(this.flight, whole, 0, whole.length, landing);
  }
}

/** Reads the PTTL that travels in front of a cacheable read. Refused, it leaves NaN: the flight does not fill. */
export class TtlCall extends Call {
  readonly #flight: Flight;
  /** What has come of a reply that is cut between two reads. */
  #before = '';

  constructor(flight: Flight) {
    super();
    this.#flight = flight;
    this.sentAt = flight.sentAt;
  }

  reply(chunk: Buffer, start: number, end: number, last: boolean, { type }: FrameFacts): void {
    this.#flight.isAhead = false;
    this.hasBegun = true;
    const text = this.#before + chunk.latin1Slice(start, end);
    if (!last) {
      this.#before = text;
    } else if (type === COLON) {
      this.#flight.pttl = Number(text.slice(1, -2));
    } else if (type === MINUS && text.includes("'pttl'")) {
      // A user who may not run PTTL at all (another error, of a key or -BUSY, passes) is not cached on this link: asking
      // each time would fill Redis's ACL LOG.
      this.#flight.generation.isTracking = false;
    }
  }

  fail(): void {
    // The read behind it fails too, and ends the flight.
  }
}
