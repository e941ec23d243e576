import type { Policy } from '../policy/policy.ts';
import type { Generation } from './generation.ts';
import type { EntryId } from './store.ts';

/** A read on its way that others may share the answer of (single-flight). */
export interface SharedRead {
  /** What it asks: the whole call, also when it reads several keys. */
  readonly id: EntryId;
  /** When it was sent. Units: monotonic ms. */
  readonly sentAt: number;
  /** No byte of its reply has come, and nothing has failed. */
  readonly isOpen: boolean;
  /** Somebody asked for the same while it was on its way. */
  readonly isJoined: boolean;
}

/** What is known of a read when it is sent. Units: monotonic ms. */
export interface FlightPlan {
  generation: Generation;
  sentAt: number;
  policy: Policy;
  /** Longest life of what it brings; the policy may say less. */
  maxTtlMs: number;
}

/** The token of one dispatched cacheable read of one key (coherence spec R3): only a flight that is still live when its
 *  reply is parsed may fill. An invalidation, a write or a flush in between ends it, and takes it off the list, so that
 *  later readers start a new one (R4). */
export class Flight {
  /** What its reply will be stored as. Owns its bytes. */
  readonly id: EntryId;
  /** The key as latin1: where it is listed. */
  readonly key: string;
  readonly generation: Generation;
  /** Monotonic ms at dispatch: the TTL counts from here, so an entry ends early by the latency and never late (R12). */
  readonly sentAt: number;
  readonly policy: Policy;
  /** Upper bound of this entry's life in ms. */
  readonly maxTtlMs: number;
  isLive = true;
  /** Not even the PTTL in front of it has been answered. */
  isAhead = true;
  /** What PTTL said in the same packet: ms, -1 no expiry, -2 no key; NaN until (or unless) it was readable. */
  pttl: number = Number.NaN;
  /** Whom others may join; set on one flight of a read only. */
  read: SharedRead | undefined;
  /** The next flight of the same key. */
  next: Flight | undefined;

  /** Until when its reply surely was what Redis said, as far as time goes: its key's end, counted from before it was asked. Of a
   *  key that was changed meanwhile the PTTL is not that of the value, and it may be unknown. Units: monotonic ms; not before `sentAt`. */
  get validUntil(): number {
    if (!this.isLive || Number.isNaN(this.pttl)) return this.sentAt;
    return this.pttl >= 0 ? this.sentAt + Math.max(0, this.pttl - 1) : Number.POSITIVE_INFINITY;
  }

  constructor(id: EntryId, key: string, { generation, sentAt, policy, maxTtlMs }: FlightPlan) {
    this.id = id;
    this.key = key;
    this.generation = generation;
    this.sentAt = sentAt;
    this.policy = policy;
    this.maxTtlMs = Math.min(maxTtlMs, policy.maxTtlMs);
  }
}
