import { ReplyScanner } from '../../src/protocol/reply-scanner.ts';
import { Slot, type SlotOwner } from '../../src/session/slot.ts';
import type { Call } from '../../src/shard/call.ts';

/** Stands in for the session that owns slots: notes what becomes of each, as one line, and everything that left. Every slot
 *  is at the head of its queue. */
export class SlotDesk implements SlotOwner {
  readonly isClosed: boolean = false;
  readonly shardName: string = 'shard0';
  writes = 0;
  /** All bytes that were released, as latin1. */
  out = '';
  /** How many replies were made here, because Redis gave none. */
  ownErrors = 0;
  /** Slots to which the link has nothing more to say. */
  settledCount = 0;
  /** Bytes that are kept for slots. */
  keptBytes = 0;
  /** Runs each time that something is released, with its bytes. */
  readonly #released: (bytes: string) => void;

  constructor(released: (bytes: string) => void = () => undefined) {
    this.#released = released;
  }

  slot(): Slot {
    return new Slot(this);
  }

  isHead(): boolean {
    return true;
  }

  emit(_slot: Slot, chunk: Buffer, start: number, end: number): void {
    this.#release(chunk.toString('latin1', start, end));
  }

  answered(slot: Slot): void {
    if (slot.ready === undefined) return;
    this.keptBytes -= slot.ready.length;
    this.#release(slot.ready.toString('latin1'));
  }

  settled(): void {
    this.settledCount++;
  }

  kept(bytes: number): void {
    this.keptBytes += bytes;
  }

  countOwnError(): void {
    this.ownErrors++;
  }

  timedOut(): void {
    // A time-out is an error like another here.
  }

  isNewest(): boolean {
    return true;
  }

  outOfStep(): void {
    throw new Error('out of step');
  }

  #release(bytes: string): void {
    this.out += bytes;
    this.#released(bytes);
  }
}

/** Give a call its reply, in these pieces, each in a buffer that is overwritten afterwards. */
export function giveReply(call: Call, ...pieces: readonly string[]): void {
  const scanner = new ReplyScanner();
  for (const piece of pieces) {
    const chunk = Buffer.from(piece, 'latin1');
    call.reply(chunk, 0, chunk.length, scanner.next(chunk, 0, chunk.length) !== -1, scanner);
    chunk.fill('!');
  }
}
