import type { Clock } from '../base/clock.ts';
import type { Flight } from '../cache/flight.ts';
import type { NearCache } from '../cache/near-cache.ts';
import { MINUS, UNDERSCORE } from '../protocol/bytes.ts';
import type { Request } from '../protocol/request.ts';
import type { FrameFacts } from '../shard/call.ts';
import type { Identity } from '../shard/identity.ts';
import type { Leases } from './leases.ts';
import { ReadCall } from './read-call.ts';

/** A GET of a key under a policy with leases: when there is nothing, `Leases` says who hears it. */
export class LeasedRead extends ReadCall {
  readonly identity: Identity;
  /** A copy. */
  readonly request: Request;
  /** When its reply came, nothing had happened to the key that the reply may not show. */
  isCurrent = false;
  readonly #leases: Leases;

  constructor(
    leases: Leases,
    of: { cache: NearCache; flight: Flight; clock: Clock; identity: Identity; request: Request },
  ) {
    super(of.cache, of.flight, 'plain', of.clock);
    this.identity = of.identity;
    this.request = of.request;
    this.#leases = leases;
  }

  override reply(chunk: Buffer, start: number, end: number, last: boolean, facts: FrameFacts): void {
    this.isCurrent = this.flight.isLive;
    super.reply(chunk, start, end, last, facts);
  }

  protected override tellAll(
    chunk: Buffer,
    start: number,
    end: number,
    last: boolean,
    facts: FrameFacts,
  ): void {
    if (facts.type !== UNDERSCORE) {
      if (last && facts.type !== MINUS) this.#leases.loaded(this.waiters);
      super.tellAll(chunk, start, end, last, facts);
    } else if (last) {
      this.#leases.missed(this);
    }
  }
}
