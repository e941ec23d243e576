import type { EntryId } from '../cache/store.ts';
import type { Generation } from '../cache/generation.ts';
import type { Lease as LeaseRules, Policy } from '../policy/policy.ts';
import type { Request } from '../protocol/request.ts';
import type { Identity } from '../shard/identity.ts';
import type { Session } from './session.ts';
import type { Slot } from './slot.ts';

/** One key that was not there: one session loads it, the others wait for it to appear.
 *  Units: monotonic ms. */
export class Lease {
  /** Latin1. */
  readonly key: string;
  /** What the reads ask; its bytes are owned by the read that found nothing. */
  readonly id: EntryId;
  /** The read itself, to be sent again. */
  readonly request: Request;
  readonly policy: Policy;
  readonly identity: Identity;
  /** The life of the link on which nothing was found, and which will say when that changes. */
  readonly generation: Generation;
  readonly token: string;
  readonly endsAt: number;
  /** asking = Redis has not said yet whether it is ours; elsewhere = another nearcache's session loads. */
  state: 'asking' | 'ours' | 'elsewhere' = 'asking';
  /** Redis knows of it: false when it refused to. */
  isKnown = false;
  /** Who has been told that there is nothing, and loads. */
  holder: Session | undefined;
  /** In the order of waiting. */
  readonly waits: Set<LeaseWait> = new Set<LeaseWait>();
  /** A write through here may have changed the key, and Redis has not said so yet: nothing follows any more from the nil that
   *  was read. */
  isSuspect = false;
  isOver = false;

  constructor(
    of: Pick<Lease, 'key' | 'id' | 'request' | 'policy' | 'identity'>,
    rules: LeaseRules,
    token: string,
    now: number,
  ) {
    this.key = of.key;
    this.id = of.id;
    this.request = of.request;
    this.policy = of.policy;
    this.identity = of.identity;
    this.generation = of.identity.shared.generation;
    this.token = token;
    this.endsAt = now + rules.ttlMs;
  }
}

/** A session that waits: its only unanswered command is this read. */
export interface LeaseWait {
  readonly lease: Lease;
  readonly session: Session;
  readonly slot: Slot;
}
