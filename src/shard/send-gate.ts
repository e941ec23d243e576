import type { Clock } from '../base/clock.ts';
import type { Breaker } from './breaker.ts';
import type { CallFailure } from './call.ts';

/** Whether commands of apps may be sent on a shared connection that is up: not while the circuit breaker is open, nor when Redis
 *  has taken nothing for `queueTimeoutMs`. */
export class SendGate {
  readonly #breaker: Breaker | undefined;
  readonly #queueTimeoutMs: number;
  readonly #clock: Clock;
  /** Since when Redis takes nothing more. */
  #fullSince: number = Number.POSITIVE_INFINITY;

  constructor(breaker: Breaker | undefined, queueTimeoutMs: number, clock: Clock) {
    this.#breaker = breaker;
    this.#queueTimeoutMs = queueTimeoutMs;
    this.#clock = clock;
  }

  /** Why not; undefined = they may. */
  get obstacle(): CallFailure | undefined {
    const breaker = this.#breaker;
    if (breaker !== undefined && !breaker.isClosed) return { kind: 'open', reason: breaker.reason };
    return this.isOverdue ? { kind: 'queue', reason: String(this.#queueTimeoutMs) } : undefined;
  }

  /** Those who wait for room have waited long enough. */
  get isOverdue(): boolean {
    return (
      this.#fullSince !== Number.POSITIVE_INFINITY &&
      this.#clock.now() - this.#fullSince > this.#queueTimeoutMs
    );
  }

  /** Periodic: does Redis take nothing more? */
  look(isFull: boolean, now: number): void {
    if (!isFull) this.#fullSince = Number.POSITIVE_INFINITY;
    else if (this.#fullSince > now) this.#fullSince = now;
  }
}
