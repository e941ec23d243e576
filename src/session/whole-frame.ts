import type { Session } from './session.ts';

/** Gathers the parts of a frame that may only be used whole. What is here of it counts against the session. */
export class WholeFrame {
  readonly #session: Session;
  #parts: Buffer[] = [];
  #bytes = 0;

  constructor(session: Session) {
    this.#session = session;
  }

  /** The frame, once its last part is here: to be used before the caller reads on. */
  add(chunk: Buffer, start: number, end: number, last: boolean): Buffer | undefined {
    if (last && this.#parts.length === 0) return chunk.subarray(start, end);
    this.#parts.push(Buffer.from(chunk.subarray(start, end)));
    this.#bytes += end - start;
    this.#session.kept(end - start);
    if (!last) return undefined;
    const frame = Buffer.concat(this.#parts);
    this.clear();
    return frame;
  }

  /** The rest of it will not come. */
  clear(): void {
    this.#parts = [];
    this.#session.kept(-this.#bytes);
    this.#bytes = 0;
  }
}
