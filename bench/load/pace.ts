import { setImmediate as nextTurn } from 'node:timers/promises';

import { Alarm } from './alarm.ts';

/** What a pace goes by. Units: ms of one clock, whichever. */
export interface PaceClock {
  now(): number;
  /** Until a moment later: a tick, not longer than what a request may wait to be sent. */
  sleep(): Promise<void>;
}

/** Calls `send` at a fixed rate, with the moment at which each call was due: what the caller's process was late is known then, and a
 *  request may be charged for it. What is due at once leaves one by one, with a turn of the event loop in between, so that a reply is
 *  not kept waiting by the sending of the next request.
 *  Bounds: none is left out, and none comes early, however late the clock wakes. */
export async function paced(
  perSecond: number,
  seconds: number,
  clock: PaceClock,
  send: (dueAt: number) => void,
): Promise<void> {
  const start = clock.now();
  const total = Math.round(seconds * perSecond);
  for (let sent = 0; sent < total; ) {
    const dueAt = start + ((sent + 1) * 1000) / perSecond;
    if (dueAt > clock.now()) {
      await clock.sleep();
      continue;
    }
    send(dueAt);
    sent++;
    await nextTurn();
  }
}

/** No shorter, as waking up costs the generator about as much as a request does. */
const leastTickMs = 0.2;
const mostTickMs = 1;

/** The clock of a process that sends so many a second. Bounds: one sleeper at a time. Units: `onLag` hears of each tick how many ms
 *  later than planned the process woke up. */
export class TickClock implements PaceClock {
  readonly #tickMs: number;
  readonly #onLag: (ms: number) => void;
  readonly #alarm = new Alarm(() => this.#wake());
  #wake: () => void = () => {};

  constructor(perSecond: number, onLag: (ms: number) => void) {
    this.#tickMs = Math.min(mostTickMs, Math.max(leastTickMs, 1000 / perSecond));
    this.#onLag = onLag;
  }

  now(): number {
    return performance.now();
  }

  async sleep(): Promise<void> {
    const planned = performance.now() + this.#tickMs;
    await new Promise<void>((wake) => {
      this.#wake = wake;
      this.#alarm.set(this.#tickMs);
    });
    this.#onLag(performance.now() - planned);
  }

  close(): void {
    void this.#alarm.close();
  }
}
