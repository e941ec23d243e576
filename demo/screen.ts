import type { WriteStream } from 'node:tty';

/** Lines below stay; a log takes one of these at a time. */
const LOG_EVERY_MS = 2000;

/** A terminal whose last lines are drawn again and again, with events that stay above them; where stdout is no terminal a
 *  log, one line an event and one line of state every two seconds. */
export class Screen {
  readonly #out: WriteStream;
  readonly #startedAt = performance.now();
  #block: readonly string[] = [];
  #loggedAt = -Infinity;

  constructor(out: WriteStream) {
    this.#out = out;
  }

  /** Something happened: a line that stays. */
  tell(text: string): void {
    const seconds = ((performance.now() - this.#startedAt) / 1000).toFixed(1).padStart(5);
    this.#erase();
    this.#out.write(`${seconds} s  ${text}\n`);
    this.#write();
  }

  /** How things are now. Shape: `line` is the same in one line, for a log. */
  show(block: readonly string[], line: string): void {
    if (!this.#out.isTTY) {
      if (performance.now() - this.#loggedAt < LOG_EVERY_MS) return;
      this.#loggedAt = performance.now();
      this.tell(line);
      return;
    }
    this.#erase();
    this.#block = block;
    this.#write();
  }

  /** The last state stays as it is; what follows comes below. */
  end(text: string): void {
    this.#block = [];
    this.#out.write(`${text}\n`);
  }

  #erase(): void {
    if (this.#block.length > 0) this.#out.write(`\u001B[${this.#block.length}A\u001B[0J`);
  }

  #write(): void {
    // A line that wraps would be two lines to erase.
    for (const line of this.#block) this.#out.write(`${line.slice(0, this.#out.columns - 1)}\n`);
  }
}
