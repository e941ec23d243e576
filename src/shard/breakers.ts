import { encodeRequest } from '../protocol/encoder.ts';
import { MINUS } from '../protocol/bytes.ts';
import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/log.ts';
import { Breaker, type BreakerOptions, type BreakerState, type Probe } from './breaker.ts';
import { type CallFailure, OwnCall } from './call.ts';
import { isRefusal, Outcomes } from './outcomes.ts';
import { ANY_DB, type SharedConnection } from './shared-connection.ts';

const PING = encodeRequest(['PING']);

/** What the breakers of a shard are made from. */
export interface BreakerParts {
  readonly clock: Clock;
  readonly log: Logger;
  readonly link: () => SharedConnection;
  /** A write that changes nothing, and needs memory as Redis counts it. */
  readonly emptyWrite: () => readonly string[];
}

/** A shard's circuit breakers: one for all that it is sent, and one for commands that need memory, which a full Redis refuses while
 *  it answers the rest. */
export class Breakers {
  readonly all: Breaker;
  readonly growing: Breaker;
  readonly outcomes: Outcomes;
  readonly #parts: BreakerParts;
  readonly #probeTimeoutMs: number;

  constructor(options: BreakerOptions, parts: BreakerParts) {
    this.#parts = parts;
    this.#probeTimeoutMs = options.slowMs;
    this.all = new Breaker(
      options,
      parts.clock,
      this.#probe(() => PING),
    );
    this.growing = new Breaker(
      options,
      parts.clock,
      this.#probe(() => encodeRequest(parts.emptyWrite())),
    );
    this.outcomes = new Outcomes(this.all, this.growing);
    this.all.onChange = (state) => this.#changed(state);
    this.growing.onChange = (state) => this.#log(this.growing, state, ' for commands that need memory');
  }

  /** A command that needs memory is about to be sent. Why not; undefined = it is counted. */
  whyNotGrow(): CallFailure | undefined {
    if (!this.growing.isClosed) return { kind: 'open', reason: this.growing.reason };
    this.growing.window.commands++;
    return undefined;
  }

  /** The link has failed, and so did the try to have it back. */
  linkIsDown(reason: string): void {
    this.all.trip(reason);
  }

  /** It is back, and Redis has answered the handshake on it: that was the probe. */
  linkIsUp(): void {
    this.all.reset();
  }

  /** Periodic work. */
  tick(now: number): void {
    const { slowMs } = this.all.options;
    this.all.tick(now);
    this.growing.tick(now);
    if (this.all.isClosed && this.#parts.link().hasSaidNothingFor(now, slowMs)) {
      this.all.trip(`it has said nothing for ${slowMs} ms`);
    }
  }

  close(): void {
    this.all.close();
    this.growing.close();
  }

  #changed(state: BreakerState): void {
    this.#log(this.all, state, '');
    // Who waits for room is refused now, or may go.
    this.#parts.link().wakeAll();
  }

  #log({ reason }: Breaker, state: BreakerState, of: string): void {
    if (state === 'open') this.#parts.log.warn({ reason }, `the circuit breaker${of} is open`);
    else if (state === 'closed') this.#parts.log.info(`the circuit breaker${of} is closed`);
  }

  /** One command on the shared link, so that it is where apps' commands go that is asked about. */
  #probe(request: () => Buffer): Probe {
    return (done) => {
      const link = this.#parts.link();
      const call = new OwnCall((reply, failure) => {
        if (reply === undefined) return done(failure?.reason ?? 'no reply');
        const line = reply[0] === MINUS ? reply.toString('latin1', 0, reply.length - 2) : '';
        // Whatever else it says, it serves: a user without permission is none of its troubles.
        done(isRefusal(line) ? line.slice(1) : undefined);
      }, this.#probeTimeoutMs);
      call.sentAt = this.#parts.clock.now();
      if (!link.isReady) return done(link.problem.reason);
      const bytes = request();
      link.submit(call, bytes, 0, bytes.length, ANY_DB);
    };
  }
}
