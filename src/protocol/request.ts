import { copyOf } from '../base/copy-of.ts';
import { latin1 } from '../base/latin1.ts';

/** Typed arrays are costly to make, and most requests get one of their own size. */
const NO_BOUNDS = new Int32Array(0);

/** One decoded client request: a view on raw bytes, never a copy.
 *
 *  Shape: the request is `buffer[start, end)`, always a RESP multibulk (`*argc\r\n$len\r\n…`); an inline request is
 *  re-encoded by the decoder before it gets here. Argument i is `buffer[argStart(i), argEnd(i))`; argument 0 is the
 *  command name. `bounds` holds offsets relative to `start`, so a copied request keeps its bounds.
 *  Bounds: argc ≥ 1. The decoder reuses ONE instance: what must outlive the call is copied with `copy()`. */
export class Request {
  buffer: Buffer = Buffer.alloc(0);
  start = 0;
  end = 0;
  argc = 0;
  /** Two numbers an argument: start and end, relative to `start`. May be longer than 2 * argc. */
  bounds: Int32Array = NO_BOUNDS;

  argStart(index: number): number {
    return this.start + (this.bounds[index * 2] as number);
  }

  argEnd(index: number): number {
    return this.start + (this.bounds[index * 2 + 1] as number);
  }

  /** The argument's bytes as latin1, one char a byte: equality of strings is equality of bytes (coherence spec R1). */
  argLatin1(index: number): string {
    return latin1(this.buffer, this.argStart(index), this.argEnd(index));
  }

  /** A copy that owns its bytes. Cost: O(size of the request). */
  copy(): Request {
    const copied = new Request();
    copied.buffer = copyOf(this.buffer, this.start, this.end);
    copied.end = this.end - this.start;
    copied.argc = this.argc;
    copied.bounds = this.bounds.slice(0, this.argc * 2);
    return copied;
  }
}
