import type { Slot } from './slot.ts';

/** A session's requests in the order they came. Replies leave from the head only, whatever finishes first.
 *  Bounds: the session admits no more than `sessionInFlight`. Cost: O(1) an operation. */
export class ReplyQueue {
  length = 0;
  #head: Slot | undefined;
  #tail: Slot | undefined;

  get head(): Slot | undefined {
    return this.#head;
  }

  get tail(): Slot | undefined {
    return this.#tail;
  }

  push(slot: Slot): void {
    if (this.#tail === undefined) this.#head = slot;
    else this.#tail.next = slot;
    this.#tail = slot;
    this.length++;
  }

  shift(): void {
    const head = this.#head;
    if (head === undefined) return;
    this.#head = head.next;
    if (this.#head === undefined) this.#tail = undefined;
    this.length--;
  }
}
