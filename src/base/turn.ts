/** Work that belongs at the end of an event-loop turn: whoever produced bytes is flushed once, however many sockets were
 *  read in between, so that each socket gets one write a turn.
 *
 *  Two queues. What goes to apps leaves in the check phase of the same turn. What goes to Redis leaves one turn later:
 *  at one request a client, its cost at Redis is decided by how many requests share a write, and waiting one more poll
 *  (microseconds, since nothing blocks while work is listed) doubled that: 120 k instead of 75 k ops/s with 50 clients,
 *  Redis's CPU 1.2 instead of 4.4 µs an operation (docs/decisions/0003). */
export interface EndOfTurn {
  /** Set while waiting in a queue, so that nothing is listed twice. */
  isListed: boolean;
  endTurn(): void;
}

class TurnQueue {
  #waiting: EndOfTurn[] = [];
  #isScheduled = false;
  readonly #schedule: (run: () => void) => void;

  constructor(schedule: (run: () => void) => void) {
    this.#schedule = schedule;
  }

  list(item: EndOfTurn): void {
    if (item.isListed) return;
    item.isListed = true;
    this.#waiting.push(item);
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.#schedule(this.#run);
  }

  readonly #run = (): void => {
    const items = this.#waiting;
    this.#waiting = [];
    this.#isScheduled = false;
    for (const item of items) {
      item.isListed = false;
      item.endTurn();
    }
  };
}

const thisTurn = new TurnQueue((run) => setImmediate(run));
const nextTurn = new TurnQueue((run) => setImmediate(() => setImmediate(run)));

/** Call `item.endTurn()` once at the end of this turn. */
export function atEndOfTurn(item: EndOfTurn): void {
  thisTurn.list(item);
}

/** Call `item.endTurn()` once at the end of the next turn, which begins without waiting. */
export function atEndOfNextTurn(item: EndOfTurn): void {
  nextTurn.list(item);
}
