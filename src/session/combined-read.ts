import type { Flight, SharedRead } from '../cache/flight.ts';
import type { NearCache } from '../cache/near-cache.ts';
import { type EntryId, RESP2_ONLY, RESP3_ONLY, SAME } from '../cache/store.ts';
import type { CommandSpec } from '../command/spec.ts';
import type { Policy } from '../policy/policy.ts';
import { MINUS } from '../protocol/bytes.ts';
import type { Request } from '../protocol/request.ts';
import { toResp2 } from '../protocol/resp2.ts';
import { shapeNeedsConversion } from '../protocol/resp2-shapes.ts';
import type { CallFailure, FrameFacts } from '../shard/call.ts';
import { answer, wanted } from './cached-answer.ts';
import { FanOutCall } from './fan-out-call.ts';
import { shapeOf } from './shared-slot.ts';

/** A reply that depends on several keys (SINTER a b) is one entry under its first key, and a tag under each other key, all
 *  with one stamp. Whatever changes one of the keys drops its tag or the entry, as it drops every entry of that key, and
 *  without all of them there is no hit. So an invalidation needs to know nothing of this. */
const STAMP_BYTES = 8;
/** The command of tags: no real one has it. */
const TAG_ID = 65_535;

const stamp = Buffer.alloc(STAMP_BYTES);
let lastStamp = 0;

/** Aim at the entry (`isTag` false) or at the tag of a call under its argument `index`. */
export function aimAtCombined(
  request: Request,
  spec: CommandSpec,
  index: number,
  isTag: boolean,
  at: { db: number; fence: number },
): void {
  wanted.bytes = request.buffer;
  wanted.keyStart = request.argStart(index);
  wanted.keyEnd = request.argEnd(index);
  wanted.argsStart = request.argEnd(0) + 2;
  wanted.argsEnd = request.end;
  wanted.commandId = isTag ? TAG_ID : spec.id;
  wanted.db = at.db;
  wanted.fence = at.fence;
}

/** For whom and when something is looked up. */
export interface LookUpAt {
  db: number;
  fence: number;
  proto: 2 | 3;
  now: number;
}

/** Look for the reply to a call over several distinct keys, given by their arguments' indices; `answer` has it then. */
export function lookUpCombined(
  cache: NearCache,
  request: Request,
  spec: CommandSpec,
  keys: readonly number[],
  at: LookUpAt,
): boolean {
  const { proto, now } = at;
  const { store } = cache;
  const { found } = store;
  for (let i = keys.length - 1; i >= 0; i--) {
    aimAtCombined(request, spec, keys[i] as number, i > 0, at);
    const isFound = store.find(wanted, proto, now) || (proto === 2 && convert(cache, request, spec, now));
    if (!isFound) return false;
    if (i === keys.length - 1) found.bytes.copy(stamp, 0, found.start, found.start + STAMP_BYTES);
    else if (stamp.compare(found.bytes, found.start, found.start + STAMP_BYTES) !== 0) return false;
  }
  answer.bytes = found.bytes;
  answer.start = found.start + STAMP_BYTES;
  answer.end = found.end;
  return true;
}

/** Keep the RESP2 form of the entry that `wanted` aims at, and find that. */
function convert({ store }: NearCache, request: Request, spec: CommandSpec, now: number): boolean {
  if (!store.find(wanted, 3, now)) return false;
  const { bytes, start, end } = store.found;
  const how = { shape: shapeOf(spec), argc: request.argc, inExec: false };
  const converted = Buffer.concat([
    bytes.subarray(start, start + STAMP_BYTES),
    toResp2(bytes, start + STAMP_BYTES, end, how),
  ]);
  store.insert(wanted, converted, 0, converted.length, { ...store.found, form: RESP2_ONLY });
  return store.find(wanted, 2, now);
}

/** A read of several keys on its way, with one flight a key: it fills if nothing has happened to any of them.
 *  Bounds: gathers up to what the near-cache keeps. */
export class CombinedReadCall extends FanOutCall implements SharedRead {
  position = 0;
  readonly flights: readonly Flight[];
  readonly #cache: NearCache;
  readonly #spec: CommandSpec;
  readonly #now: () => number;
  #parts: Buffer[] = [];
  #gathered = 0;
  #hasFailed = false;

  /** `flights`: the entry's first, then the tags'. */
  constructor(cache: NearCache, spec: CommandSpec, flights: readonly Flight[], now: () => number) {
    super();
    this.#cache = cache;
    this.#spec = spec;
    this.flights = flights;
    this.#now = now;
    this.sentAt = (flights[0] as Flight).sentAt;
  }

  get id(): EntryId {
    return (this.flights[0] as Flight).id;
  }

  get policy(): Policy {
    return (this.flights[0] as Flight).policy;
  }

  get isOpen(): boolean {
    return !this.hasBegun && !this.#hasFailed && this.flights.every((flight) => flight.isLive);
  }

  override reply(chunk: Buffer, start: number, end: number, last: boolean, facts: FrameFacts): void {
    if (!this.hasBegun) this.dismissLate(Math.min(...this.flights.map((flight) => flight.validUntil)));
    this.#gathered += end - start;
    if (this.#gathered > this.#cache.store.maxItemBytes) this.#parts = [];
    else this.#parts.push(Buffer.from(chunk.subarray(start, end)));
    if (last) this.#land(facts);
    super.reply(chunk, start, end, last, facts);
  }

  override fail(failure: CallFailure): void {
    this.#hasFailed = true;
    this.#abandon();
    super.fail(failure);
  }

  #abandon(): void {
    for (const flight of this.flights) this.#cache.abandon(flight);
  }

  #land({ type, hasResp3 }: FrameFacts): void {
    const { refused } = this.#cache.stats;
    const isWhole = this.#parts.length > 0;
    // Permissions have changed, and nobody says whose entries they concern.
    if (type === MINUS && this.#parts[0]?.toString('latin1').startsWith('-NOPERM') === true)
      this.#cache.flush();
    const isLive = this.flights.every((flight) => flight.isLive);
    if (!isWhole || type === MINUS || !isLive) {
      refused[isWhole ? (isLive ? 'error' : 'revoked') : 'size']++;
      this.#abandon();
      return;
    }
    const mark = Buffer.alloc(STAMP_BYTES);
    mark.writeDoubleLE(++lastStamp);
    const whole = Buffer.concat([mark, ...this.#parts]);
    const form = hasResp3 || shapeNeedsConversion(shapeOf(this.#spec)) ? RESP3_ONLY : SAME;
    const now = this.#now();
    for (const [i, flight] of this.flights.entries()) {
      const landing = { isError: false, isNil: false, form: i === 0 ? form : SAME, now } as const;
      this.#cache.land(flight, whole, 0, i === 0 ? whole.length : STAMP_BYTES, landing);
    }
  }
}
