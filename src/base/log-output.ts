import { type DestinationStream, pino } from 'pino';

/** Lines that come closer together than that leave together. Units: ms. */
const TOGETHER_MS = 100;
/** More than that does not wait for them. Units: chars. */
const TOGETHER_CHARS = 16_384;
/** Lines that nobody has read yet. Units: bytes. */
const MOST_BYTES = 1_048_576;

/** Where the log's lines go.
 *  Bounds: `MOST_BYTES` while the reader is behind; further lines are dropped and `onDropped` is told how many, once the reader has caught up.
 *  Cost: a write of its own for the first line in `TOGETHER_MS`, one for all others: a write wakes a thread and the reader, which takes ten times as long
 *  as the line itself, and a thousand clients may be closed within a second.
 *  Shape: lines keep their order, but one that is being written while the process ends at once may come last.
 *  Errors: none. Lines that cannot be written (a full disk) wait for the next ones, like those that nobody reads. Those of the last
 *  `TOGETHER_MS` are lost when the process is killed on the spot. */
export class LogOutput implements DestinationStream {
  readonly #stream: ReturnType<typeof pino.destination>;
  #held = '';
  #timer: NodeJS.Timeout | undefined;
  #dropped = 0;

  constructor(fd: number, onDropped: (count: number) => void) {
    // Before the stream's own, which writes what it has and waits for it.
    process.on('beforeExit', () => this.#flush());
    process.on('exit', () => this.#flush());
    this.#stream = pino.destination({ dest: fd, sync: false, maxLength: MOST_BYTES });
    // Else the process would end of it; and its end would try for ever to write what cannot be written.
    this.#stream.on('error', () => {
      this.#stream.flushSync = () => {};
    });
    this.#stream.on('drop', (lines: string) => {
      this.#dropped += lines.split('\n').length - 1;
    });
    this.#stream.on('drain', () => {
      const count = this.#dropped;
      this.#dropped = 0;
      if (count > 0) onDropped(count);
    });
  }

  /** Shape: one line, with its end. */
  write(line: string): void {
    this.#held += line;
    if (this.#timer === undefined) this.#flushNowAndThen();
    else if (this.#held.length >= TOGETHER_CHARS) this.#flush();
  }

  #flushNowAndThen(): void {
    this.#flush();
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (this.#held !== '') this.#flushNowAndThen();
    }, TOGETHER_MS).unref();
  }

  #flush(): void {
    if (this.#held === '') return;
    this.#stream.write(this.#held);
    this.#held = '';
  }
}
