import type { EntryFacts, EntryId, Form, Found } from './store.ts';

/** The one block of memory that holds all entries, and how an entry looks in it: a header, then key, args and reply bytes.
 *
 *  Shape: a place is a `unit` of 8 bytes. Header words (32 bits): 0 hash, 1 reply bytes, 2 fence, 3 key bytes | args bytes
 *  << 16, 4 command | db << 16, 5 flags | policy << 8 | loadMs << 16, 6 life in ms, 7 ms before the end at which a refresh
 *  is due or -1 = never, 8 and 9 when it was filled, as a double.
 *  Bounds: an entry lives at most 2^32 - 2 ms (49.7 days) from `filledAt`; the clock may run for ever. */
export class EntryPool {
  readonly bytes: Buffer;
  readonly words: Int32Array;
  readonly #doubles: Float64Array;

  constructor(byteLength: number) {
    const memory = new ArrayBuffer(byteLength);
    this.bytes = Buffer.from(memory);
    this.words = new Int32Array(memory);
    this.#doubles = new Float64Array(memory);
  }

  /** Does the entry answer `id`, in any form? Hashes have been compared. The hottest loop of all: short byte runs are
   *  compared here, since a call to Buffer.compare costs as much as 60 bytes do. */
  isOf(unit: number, id: EntryId): boolean {
    const { words } = this;
    const word = unit << 1;
    const argsBytes = id.argsEnd - id.argsStart;
    return (
      words[word + FENCE] === (id.fence | 0) &&
      words[word + COMMAND] === commandWord(id) &&
      words[word + LENGTHS] === ((id.keyEnd - id.keyStart) | (argsBytes << 16)) &&
      this.#holds(unit * UNIT + HEADER_BYTES, id.bytes, id.keyStart, id.keyEnd) &&
      (argsBytes === 0 ||
        this.#holds(unit * UNIT + HEADER_BYTES + id.keyEnd - id.keyStart, id.bytes, id.argsStart, id.argsEnd))
    );
  }

  /** Was it read over another link than what is to be kept as `id` with source[start, end), in the same database, and is not the
   *  same reply to the same call? Cost: a comparison of numbers, as long as there is one link. */
  isDoubtedBy(unit: number, id: EntryId, source: Buffer, start: number, end: number): boolean {
    const { words } = this;
    const word = unit << 1;
    const fence = words[word + FENCE] as number;
    if (fence === (id.fence | 0) || (words[word + COMMAND] as number) >>> 16 !== id.db) return false;
    if (!this.isOf(unit, { ...id, fence }) || words[word + VALUE_BYTES] !== end - start) return true;
    return !this.#holds(this.#replyStart(unit), source, start, end);
  }

  /** Was it asked for by its key alone, in the same database and over the same link as `id`? */
  isPlainBeside(unit: number, id: EntryId): boolean {
    const { words } = this;
    const word = unit << 1;
    const db = (words[word + COMMAND] as number) >>> 16;
    return words[word + FENCE] === (id.fence | 0) && db === id.db && this.argsBytesAt(unit) === 0;
  }

  hasKey(unit: number, bytes: Buffer, start: number, end: number): boolean {
    return (
      this.keyBytesAt(unit) === end - start && this.#holds(unit * UNIT + HEADER_BYTES, bytes, start, end)
    );
  }

  #holds(at: number, bytes: Buffer, start: number, end: number): boolean {
    const own = this.bytes;
    const length = end - start;
    if (length > COMPARE_HERE_BYTES) return own.compare(bytes, start, end, at, at + length) === 0;
    for (let i = 0; i < length; i++) if (own[at + i] !== bytes[start + i]) return false;
    return true;
  }

  /** Units that the entry takes, header and padding included. */
  unitsAt(unit: number): number {
    const word = unit << 1;
    const lengths = this.words[word + LENGTHS] as number;
    return unitsFor((lengths & 0xffff) + (lengths >>> 16) + (this.words[word + VALUE_BYTES] as number));
  }

  hashAt(unit: number): number {
    return this.words[(unit << 1) + HASH] as number;
  }

  /** The command and db of its id in one word. */
  commandAt(unit: number): number {
    return this.words[(unit << 1) + COMMAND] as number;
  }

  keyBytesAt(unit: number): number {
    return (this.words[(unit << 1) + LENGTHS] as number) & 0xffff;
  }

  argsBytesAt(unit: number): number {
    return (this.words[(unit << 1) + LENGTHS] as number) >>> 16;
  }

  flagsAt(unit: number): number {
    return (this.words[(unit << 1) + FLAGS] as number) & 0xff;
  }

  countHit(unit: number): void {
    const word = (unit << 1) + FLAGS;
    const flags = this.words[word] as number;
    if ((flags & HITS) !== HITS) this.words[word] = flags + (1 << HITS_SHIFT);
  }

  formAt(unit: number): Form {
    return ((this.flagsAt(unit) & FORM) >> FORM_SHIFT) as Form;
  }

  /** Change some flags, e.g. `setFlags(unit, HITS, 0)`. */
  setFlags(unit: number, mask: number, value: number): void {
    const word = (unit << 1) + FLAGS;
    this.words[word] = ((this.words[word] as number) & ~mask) | value;
  }

  /** Not served from then on. */
  deadlineAt(unit: number): number {
    return (this.#doubles[unit + FILLED_AT] as number) + ((this.words[(unit << 1) + LIFE] as number) >>> 0);
  }

  /** Write header, key and args, and the reply behind them. `flags` are those that `facts` does not say. */
  write(unit: number, hash: number, id: EntryId, facts: EntryFacts, flags: number): void {
    const { words, bytes } = this;
    const word = unit << 1;
    const keyBytes = id.keyEnd - id.keyStart;
    const life = Math.min(Math.max(Math.floor(facts.deadline - facts.filledAt), 0), LIFE_MAX);
    words[word + HASH] = hash;
    words[word + FENCE] = id.fence;
    words[word + LENGTHS] = keyBytes | ((id.argsEnd - id.argsStart) << 16);
    words[word + COMMAND] = commandWord(id);
    words[word + FLAGS] =
      flags | (facts.form << FORM_SHIFT) | (facts.policy << 8) | (Math.min(facts.loadMs, 0xffff) << 16);
    words[word + LIFE] = life;
    const early = facts.filledAt + life - facts.refreshAt;
    words[word + REFRESH] = early === -Infinity ? -1 : Math.min(Math.max(Math.ceil(early), 0), life);
    this.#doubles[unit + FILLED_AT] = facts.filledAt;
    const at = unit * UNIT + HEADER_BYTES;
    copyBytes(id.bytes, id.keyStart, id.keyEnd, bytes, at);
    copyBytes(id.bytes, id.argsStart, id.argsEnd, bytes, at + keyBytes);
  }

  writeReply(unit: number, source: Buffer, start: number, end: number): void {
    this.words[(unit << 1) + VALUE_BYTES] = end - start;
    copyBytes(source, start, end, this.bytes, this.#replyStart(unit));
  }

  #replyStart(unit: number): number {
    const lengths = this.words[(unit << 1) + LENGTHS] as number;
    return unit * UNIT + HEADER_BYTES + (lengths & 0xffff) + (lengths >>> 16);
  }

  /** Move a whole entry; the places do not overlap. */
  move(from: number, to: number, units: number): void {
    const { words } = this;
    if (units > MOVE_HERE_UNITS) {
      words.copyWithin(to << 1, from << 1, (from + units) << 1);
      return;
    }
    const shift = (to - from) << 1;
    for (let word = from << 1, end = (from + units) << 1; word < end; word++) {
      words[word + shift] = words[word] as number;
    }
  }

  /** Fill `found` with the entry's reply and facts. */
  readInto(unit: number, found: Found): void {
    const { words } = this;
    const word = unit << 1;
    const flags = words[word + FLAGS] as number;
    const filledAt = this.#doubles[unit + FILLED_AT] as number;
    const deadline = filledAt + ((words[word + LIFE] as number) >>> 0);
    const early = words[word + REFRESH] as number;
    const start = this.#replyStart(unit);
    found.start = start;
    found.end = start + (words[word + VALUE_BYTES] as number);
    found.form = ((flags & FORM) >> FORM_SHIFT) as Form;
    found.filledAt = filledAt;
    found.deadline = deadline;
    found.refreshAt = early === -1 || (flags & REFRESHING) !== 0 ? Infinity : deadline - (early >>> 0);
    found.loadMs = flags >>> 16;
    found.policy = (flags >> 8) & 0xff;
  }

  /** Make `id` a view on the entry. */
  viewInto(unit: number, id: EntryId): void {
    const word = unit << 1;
    const lengths = this.words[word + LENGTHS] as number;
    const command = this.words[word + COMMAND] as number;
    id.bytes = this.bytes;
    id.keyStart = unit * UNIT + HEADER_BYTES;
    id.keyEnd = id.argsStart = id.keyStart + (lengths & 0xffff);
    id.argsEnd = id.argsStart + (lengths >>> 16);
    id.commandId = command & 0xffff;
    id.db = command >>> 16;
    id.fence = (this.words[word + FENCE] as number) >>> 0;
  }
}

/** Command and db of an id in one word. */
export function commandWord(id: EntryId): number {
  return id.commandId | (id.db << 16);
}

/** Units of an entry whose key, args and reply are so long together. */
export function unitsFor(bytes: number): number {
  return (HEADER_BYTES + bytes + UNIT - 1) >>> 3;
}

function copyBytes(source: Buffer, start: number, end: number, target: Buffer, at: number): void {
  if (end - start > COPY_HERE_BYTES) {
    source.copy(target, at, start, end);
    return;
  }
  const shift = at - start;
  for (let i = start; i < end; i++) target[i + shift] = source[i] as number;
}

/** Bytes of a unit, and of the header in front of every entry. */
export const UNIT = 8;
export const HEADER_BYTES = 40;

const HASH = 0;
const VALUE_BYTES = 1;
const FENCE = 2;
const LENGTHS = 3;
const COMMAND = 4;
const FLAGS = 5;
const LIFE = 6;
const REFRESH = 7;
/** In doubles from the entry's start. */
const FILLED_AT = 4;

/** Flags: no longer indexed; how often hit (0–3); which queue (0–1); asked for again; kept for its hooks; `Form`. */
export const DEAD = 1;
export const HITS = 6;
export const HITS_SHIFT = 1;
export const HITS_MAX = 3;
export const REFRESHING = 8;
export const PINNED = 16;
export const FORM = 96;
export const FORM_SHIFT = 5;

/** One less than a word holds, which is `REFRESH` for never. */
const LIFE_MAX = 2 ** 32 - 2;
/** Up to here a loop is faster than a call (measured). */
const COMPARE_HERE_BYTES = 96;
const COPY_HERE_BYTES = 48;
const MOVE_HERE_UNITS = 64;
