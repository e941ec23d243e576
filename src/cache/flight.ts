import type { EntryId } from './entry.ts';
import type { Generation } from './generation.ts';

/** The token of one dispatched cacheable read (coherence spec R3): only a flight that is still live when its reply is
 *  parsed may fill. An invalidation, a write or a flush in between ends it. */
export class Flight {
  readonly id: EntryId;
  readonly generation: Generation;
  /** Monotonic ms at dispatch: the TTL counts from here, so an entry ends early by the latency and never late (R12). */
  readonly sentAt: number;
  /** Upper bound of this entry's life in ms. */
  readonly maxTtlMs: number;
  isLive = true;
  /** What PTTL said in the same packet: ms, -1 no expiry, -2 no key; NaN until (or unless) it was readable. */
  pttl: number = Number.NaN;
  /** The next flight of the same key. */
  next: Flight | undefined;

  constructor(id: EntryId, generation: Generation, sentAt: number, maxTtlMs: number) {
    this.id = id;
    this.generation = generation;
    this.sentAt = sentAt;
    this.maxTtlMs = maxTtlMs;
  }
}
