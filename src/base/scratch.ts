import { settleRun } from './output-buffer.ts';
import { Pieces } from './pieces.ts';

/** Bytes that are made, copied out and forgotten within a turn are made here again and again: memory beside the heap costs more to
 *  take and to collect than such bytes cost to make (docs/decisions/0011). */
export const SCRATCH_BYTES = 65_536;

export class Scratch {
  #free: Pieces | undefined = new Pieces(Buffer.allocUnsafeSlow(SCRATCH_BYTES));

  /** At least `size` bytes. What was taken and given back before is overwritten. */
  take(size: number): Pieces {
    const scratch = this.#free;
    if (scratch === undefined || size > SCRATCH_BYTES) return new Pieces(Buffer.allocUnsafe(size));
    // An output buffer may have put off copying what was here.
    settleRun();
    this.#free = undefined;
    return scratch;
  }

  /** Nobody needs these bytes any more, but output buffers to which they were appended. Whoever does not give back what was
   *  taken costs the next one an allocation, and nothing else. */
  give(pieces: Pieces): void {
    if (pieces.buffer.length === SCRATCH_BYTES) this.#free = pieces;
  }
}
