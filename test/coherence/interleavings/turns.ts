/** The ends of event-loop turns, run when the schedule says so: while `withTurns` runs, setImmediate only notes. So a whole
 *  schedule is one synchronous call, and the same schedule always does the same. */
export class Turns {
  #waiting: (() => void)[] = [];

  /** Run `work` with setImmediate under control; what is left at its end is run before this returns or throws. */
  static within<T>(work: (turns: Turns) => T): T {
    const turns = new Turns();
    const original = globalThis.setImmediate;
    globalThis.setImmediate = ((run: () => void) => turns.#waiting.push(run)) as never;
    try {
      return work(turns);
    } finally {
      turns.settle();
      globalThis.setImmediate = original;
    }
  }

  /** Let the event loop go round until nothing is left to do.
   *  Bounds: fails after 1,000 rounds, since something then keeps itself busy. */
  settle(): void {
    for (let round = 0; this.#waiting.length > 0; round++) {
      if (round > 1000) throw new Error('the event loop never comes to rest');
      const waiting = this.#waiting;
      this.#waiting = [];
      for (const run of waiting) run();
    }
  }
}
