import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/log.ts';
import type { CacheStats } from '../cache/cache-stats.ts';
import type { NearCache } from '../cache/near-cache.ts';
import { encodeRequest } from '../protocol/encoder.ts';
import { MINUS, PLUS, UNDERSCORE } from '../protocol/bytes.ts';
import { OwnCall } from './call.ts';
import { ANY_DB, type SharedConnection } from './shared-connection.ts';

const NOPERM = '-NOPERM';
const HELLO = encodeRequest(['HELLO']);
const TRACKING_OFF = encodeRequest(['CLIENT', 'TRACKING', 'OFF']);
const TRACKING_ON = encodeRequest(['CLIENT', 'TRACKING', 'ON']);
const MULTI = encodeRequest(['MULTI']);
const EXEC = encodeRequest(['EXEC']);

export interface CanaryParts {
  cache: NearCache;
  /** The link that may write the key: the sidecar's own. */
  writer: () => SharedConnection;
  clock: Clock;
  log: Logger;
}

/** Sees whether invalidations come at all (coherence spec R10; no PING can tell that tracking was switched off). Reads a key of
 *  its own on the link, has it written and deleted in one step on the sidecar's own link, and then asks the link for a
 *  sign of life: by the time that comes, the key's invalidation must have come. If it has not, nothing is cached on this link
 *  until a later canary comes back; tracking is switched on anew in between.
 *  Leaves no key behind. Units: ms of the monotonic clock. */
export class Canary {
  readonly #link: SharedConnection;
  /** The key of the canary that is out. */
  #key = '';
  readonly #nextKey: () => string;
  readonly #periodMs: number;
  readonly #parts: CanaryParts;
  readonly #stats: CacheStats;
  #nextAt = 0;
  #isOut = false;
  #hasReturned = false;
  /** The canary itself has switched this link's cache off, and may switch it on again. */
  #isSuspended = false;
  /** This user may not take part: said once. */
  #isGivenUp = false;

  /** `nextKey`: raw bytes as latin1, of no other canary, and served by this shard. */
  constructor(link: SharedConnection, nextKey: () => string, periodMs: number, parts: CanaryParts) {
    this.#link = link;
    this.#nextKey = nextKey;
    this.#periodMs = periodMs;
    this.#parts = parts;
    this.#stats = parts.cache.stats;
  }

  /** A new life of the link. */
  reset(now: number): void {
    this.#isOut = false;
    this.#isSuspended = false;
    this.#isGivenUp = false;
    this.#nextAt = now + this.#periodMs;
  }

  tick(now: number): void {
    const { generation } = this.#link;
    if (this.#periodMs === 0 || this.#isOut || this.#isGivenUp || now < this.#nextAt) return;
    if (!this.#link.isReady || (!generation.isTracking && !this.#isSuspended)) return;
    this.#nextAt = now + this.#periodMs;
    this.#isOut = true;
    this.#key = this.#nextKey();
    this.#hasReturned = false;
    if (this.#isSuspended) this.#switchOn();
    this.#ask(encodeRequest(['GET', Buffer.from(this.#key, 'latin1')]), (reply) => this.#read(reply));
  }

  /** Invalidations have come. */
  invalidated(keys: readonly string[] | 'all'): void {
    if (this.#isOut && (keys === 'all' || keys.includes(this.#key))) this.#hasReturned = true;
  }

  /** Entries that were filled while nothing came back would stay for ever: tracking is switched on anew. */
  #switchOn(): void {
    this.#ask(TRACKING_OFF, () => undefined);
    this.#ask(TRACKING_ON, () => undefined);
  }

  #read(reply: Buffer): void {
    if (reply[0] === MINUS && reply.latin1Slice(0, NOPERM.length) === NOPERM) {
      this.#giveUp('its user may not read the canary: nothing is cached for it');
      this.#link.generation.isTracking = false;
    } else if (reply[0] === UNDERSCORE) {
      this.#write();
    } else {
      // -BUSY, -LOADING …: no answer to the question.
      this.#isOut = false;
    }
  }

  #write(): void {
    const key = Buffer.from(this.#key, 'latin1');
    const bytes = Buffer.concat([MULTI, encodeRequest(['SET', key, '1']), encodeRequest(['DEL', key]), EXEC]);
    const refusals: string[] = [];
    const note = (reply: Buffer | undefined): void => {
      if (reply?.[0] !== PLUS) refusals.push(reply?.toString('latin1') ?? '');
    };
    const { generation } = this.#link;
    // The link may have been lost and be back before its write is answered on the other.
    const done = (reply: Buffer | undefined): void => {
      if (generation === this.#link.generation) this.#written(reply, refusals);
    };
    const calls = [new OwnCall(note), new OwnCall(note), new OwnCall(note), new OwnCall(done)];
    for (const call of calls) call.sentAt = this.#parts.clock.now();
    this.#parts.writer().submitBlock(calls, bytes, 0, bytes.length, ANY_DB);
  }

  #written(reply: Buffer | undefined, refusals: readonly string[]): void {
    if (refusals.some((line) => line.startsWith(NOPERM))) {
      this.#giveUp('its user may not write the canary: lost invalidations would not be noticed');
    } else if (reply === undefined || refusals.length > 0 || reply[0] === MINUS) {
      // Not written: a read-only or full Redis, or a lost link. Its DEL may still have been counted.
      this.#isOut = false;
    } else {
      this.#ask(HELLO, () => this.#judge());
    }
  }

  #judge(): void {
    this.#isOut = false;
    this.#stats.canaries++;
    const { generation } = this.#link;
    if (this.#hasReturned) {
      if (this.#isSuspended) this.#parts.log.info('invalidations come again: the near-cache is on');
      if (this.#isSuspended) generation.isTracking = true;
      this.#isSuspended = false;
      return;
    }
    this.#stats.canaryFailures++;
    if (!this.#isSuspended)
      this.#parts.log.error('no invalidations come: the near-cache is off on this link');
    this.#isSuspended = true;
    generation.isTracking = false;
    this.#parts.cache.flush();
  }

  #giveUp(reason: string): void {
    this.#isOut = false;
    this.#isGivenUp = true;
    this.#parts.log.warn({ reason }, 'no canary on this link');
  }

  /** A lost link ends the canary that is out: `reset` follows. */
  #ask(bytes: Buffer, answered: (reply: Buffer) => void): void {
    const { generation } = this.#link;
    const call = new OwnCall((reply) => {
      if (reply !== undefined && generation === this.#link.generation) answered(reply);
    });
    call.sentAt = this.#parts.clock.now();
    this.#link.submit(call, bytes, 0, bytes.length, ANY_DB);
  }
}
