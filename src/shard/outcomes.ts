import { MINUS } from '../protocol/bytes.ts';
import type { Breaker } from './breaker.ts';

/** Errors that say that the shard cannot serve, whatever it is asked; others are an app's own. */
const AWAY = ['-LOADING ', '-BUSY ', '-CLUSTERDOWN ', '-MASTERDOWN '];
const OUT_OF_MEMORY = '-OOM ';
const LONGEST = 16;

/** Does an error line begin with one of the words by which a shard refuses what it would do otherwise? */
export function isRefusal(line: string): boolean {
  return line.startsWith(OUT_OF_MEMORY) || AWAY.some((prefix) => line.startsWith(prefix));
}

/** What came of the commands of a connection, for its shard's breakers.
 *  Cost: an addition and two comparisons a reply. */
export class Outcomes {
  readonly #all: Breaker;
  /** Of commands that need memory. */
  readonly #growing: Breaker;
  readonly #slowMs: number;

  constructor(all: Breaker, growing: Breaker) {
    this.#all = all;
    this.#growing = growing;
    this.#slowMs = all.options.slowMs;
  }

  /** A reply's last bytes have come. Units: monotonic ms. */
  answered(sentAt: number, now: number): void {
    const { window } = this.#all;
    window.commands++;
    if (now - sentAt > this.#slowMs) window.slow++;
  }

  /** The first bytes of a reply that may be an error. One that is cut within its first word is not counted. */
  begun(chunk: Buffer, start: number, end: number): void {
    if (chunk[start] !== MINUS) return;
    const word = chunk.latin1Slice(start, Math.min(end, start + LONGEST));
    if (word.startsWith(OUT_OF_MEMORY)) this.#growing.failed('it is out of memory', 1);
    else if (AWAY.some((prefix) => word.startsWith(prefix)))
      this.#all.failed(word.slice(1, word.indexOf(' ')), 1);
  }

  /** So many commands are not answered in time. Those of a link that is lost are none of them: it is replaced at once, and what comes of
   *  that says more. */
  unanswered(reason: string, count: number): void {
    if (count === 0) return;
    this.#all.window.commands += count;
    this.#all.failed(reason, count);
  }
}
