import { MAIN, type Queue, type Segments } from './segments.ts';
import type { EntryFacts, EntryId } from './store.ts';

/** Decides what is kept when room is needed. Entries sit in segments, segments in queues, and room is made by emptying the
 *  oldest segment of a queue: of each of its live entries the policy says whether it is kept, at the end of the main queue. */
export interface EvictionPolicy {
  /** Does it want to hear of every request? That costs some 20 ns a hit. */
  readonly hearsRequests: boolean;
  requested(identity: number): void;
  /** The queue of an entry that was not here. Units: of 8 bytes. */
  queueFor(identity: number, units: number): Queue;
  /** The queue whose oldest segment is emptied next. Bounds: one that holds a segment. */
  victimQueue(segments: Segments): Queue;
  /** Is the entry at `unit`, of a segment of `queue` that is being emptied, kept? `hits` counts up to 3 hits since it came or
   *  was kept last. The higher `pressure`, the fewer may be: 0 at first, then one more after every few segments, and from
   *  4 on no entry can be kept. */
  keeps(queue: Queue, hits: number, identity: number, unit: number, pressure: number): boolean;
}

/** For caching policies to come: what they know about an entry that requests do not show. Asked when the entry's segment is
 *  emptied. */
export interface EvictionHooks {
  /** 1 = as usual; each hit counts so many times, and one kept in the main queue passes weight - 1 more rounds without hits. */
  weightOf?: (entry: StoredEntry) => number;
  /** Keep it whatever it is hit. Bounds: such entries get half of the memory, then they are as others. */
  isPinned?: (entry: StoredEntry) => boolean;
}

/** A view of an entry; one object is reused. */
export interface StoredEntry {
  readonly id: EntryId;
  readonly facts: Readonly<EntryFacts>;
  /** Header included. */
  readonly bytes: number;
}

/** First in, first out. */
export class FifoPolicy implements EvictionPolicy {
  readonly hearsRequests: boolean = false;

  requested(_identity: number): void {}

  queueFor(_identity: number, _units: number): Queue {
    return MAIN;
  }

  victimQueue(_segments: Segments): Queue {
    return MAIN;
  }

  keeps(_queue: Queue, _hits: number, _identity: number, _unit: number, _pressure: number): boolean {
    return false;
  }
}

/** Second chances: each hit, up to three, is worth one round. */
export class ClockPolicy extends FifoPolicy {
  override keeps(_queue: Queue, hits: number, _identity: number, _unit: number, pressure: number): boolean {
    return hits > pressure;
  }
}
