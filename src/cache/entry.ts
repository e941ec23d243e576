import type { Generation } from './generation.ts';

/** What a cached reply is an answer to (coherence spec R1). RESP version is not part of it: one entry serves both.
 *  Shape: `key` and `rest` are latin1 strings of raw bytes; `rest` is the raw request after the key argument. */
export interface EntryId {
  key: string;
  commandId: number;
  db: number;
  identity: number;
  rest: string;
}

/** One cached reply: the ready-made bytes that Redis sent. */
export class Entry {
  readonly id: EntryId;
  readonly reply: Buffer;
  /** The same reply for RESP2 sessions; made at the first such hit, often the very same buffer. */
  resp2: Buffer | undefined;
  readonly generation: Generation;
  /** Monotonic ms: not served from then on (R12). */
  readonly deadline: number;
  /** False once revoked, evicted or expired: a hit that waits for its turn looks here again (DESIGN rule 3). */
  isLive = true;

  constructor(id: EntryId, reply: Buffer, generation: Generation, deadline: number) {
    this.id = id;
    this.reply = reply;
    this.generation = generation;
    this.deadline = deadline;
  }

  answers(id: EntryId): boolean {
    const own = this.id;
    return (
      own.commandId === id.commandId &&
      own.db === id.db &&
      own.identity === id.identity &&
      own.rest === id.rest
    );
  }

  /** Bytes held, by estimate: payload twice for a converted reply, plus objects, map slots and Buffer headers. */
  get bytes(): number {
    const converted = this.resp2 === undefined || this.resp2 === this.reply ? 0 : this.resp2.length;
    return ENTRY_OVERHEAD_BYTES + this.id.key.length + this.id.rest.length + this.reply.length + converted;
  }
}

/** Measured for lru-cache with Buffer values: about 500 B an entry beside its payload. */
const ENTRY_OVERHEAD_BYTES = 500;
