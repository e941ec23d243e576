import { Fifo } from '../../src/base/fifo.ts';

/** One direction of a network hop: what goes in comes out in the same order, each piece `delayMs` later. The delay is
 *  constant, so the first piece in is the first one due and one queue serves all connections.
 *  Bounds: none; a benchmark has few requests under way. */
export class DelayLine<Piece> {
  readonly #delayMs: number;
  readonly #deliver: (piece: Piece, tookMs: number) => void;
  readonly #queue = new Fifo<{ piece: Piece; at: number }>();

  /** `deliver` gets each piece and how long it was really held. */
  constructor(delayMs: number, deliver: (piece: Piece, tookMs: number) => void) {
    this.#delayMs = delayMs;
    this.#deliver = deliver;
  }

  /** How many pieces are on their way. */
  get length(): number {
    return this.#queue.length;
  }

  push(piece: Piece, now: number): void {
    this.#queue.push({ piece, at: now });
  }

  /** Delivers all that is due and returns how many ms remain until more is; undefined when nothing is queued. */
  pump(now: number): number | undefined {
    for (;;) {
      const head = this.#queue.peek();
      if (head === undefined) return undefined;
      const wait = head.at + this.#delayMs - now;
      if (wait > 0) return wait;
      this.#queue.shift();
      this.#deliver(head.piece, now - head.at);
    }
  }
}
