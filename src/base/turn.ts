/** Work that belongs at the end of the current event-loop turn: whoever produced bytes is flushed once, however many
 *  sockets were read in between, so that each socket gets one write a turn. Runs in the check phase (setImmediate),
 *  after all ready sockets were read. */
export interface EndOfTurn {
  /** Set while waiting in the list, so that nothing is listed twice. */
  isListed: boolean;
  endTurn(): void;
}

let waiting: EndOfTurn[] = [];
let isScheduled = false;

/** Call `item.endTurn()` once at the end of this turn. */
export function atEndOfTurn(item: EndOfTurn): void {
  if (item.isListed) return;
  item.isListed = true;
  waiting.push(item);
  if (isScheduled) return;
  isScheduled = true;
  setImmediate(runTurn);
}

function runTurn(): void {
  // An item may list others (a resumed session writes to a connection): they run in this same turn, in a bounded
  // number of rounds, so that their bytes do not wait for another poll.
  for (let round = 0; round < 4 && waiting.length > 0; round++) {
    const items = waiting;
    waiting = [];
    for (const item of items) {
      item.isListed = false;
      item.endTurn();
    }
  }
  isScheduled = false;
  if (waiting.length > 0) {
    isScheduled = true;
    setImmediate(runTurn);
  }
}
