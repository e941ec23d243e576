import type { Clock } from '../base/clock.ts';
import { encodeRequest } from '../protocol/encoder.ts';
import { OwnCall } from './call.ts';
import type { Connection } from './connection.ts';

const PING = encodeRequest(['PING']);
const BUSY = '-BUSY ';

/** Asks on a connection of its own whether a script keeps Redis busy. Redis answers HELLO all the same then, but not PING.
 *  Bounds: one question is out at a time. */
export class BusyProbe {
  /** Monotonic ms at which Redis last said so. */
  busyAt: number = Number.NEGATIVE_INFINITY;
  readonly #clock: Clock;
  #isOut = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  ask(connection: Connection): void {
    if (this.#isOut) return;
    this.#isOut = true;
    const call = new OwnCall((reply) => {
      this.#isOut = false;
      if (reply?.toString('latin1').startsWith(BUSY) === true) this.busyAt = this.#clock.now();
    });
    connection.send(call, PING, 0, PING.length);
  }
}
