import type { Call } from './call.ts';

/** A request that waits for its connection. */
export interface HeldCall {
  readonly call: Call;
  readonly bytes: Buffer;
  readonly db: number;
}

/** What may be held while a connection is made, besides one turn's requests. */
const HELD_BYTES_MAX = 4_194_304;

/** Requests that came while their connection is being made, in their order. */
export class HeldCalls {
  #calls: HeldCall[] = [];
  #bytes = 0;

  get length(): number {
    return this.#calls.length;
  }

  get isFull(): boolean {
    return this.#bytes > HELD_BYTES_MAX;
  }

  add(held: HeldCall): void {
    this.#calls.push(held);
    this.#bytes += held.bytes.length;
  }

  /** All of them; none are held after. */
  take(): HeldCall[] {
    const calls = this.#calls;
    this.#calls = [];
    this.#bytes = 0;
    return calls;
  }
}
