/** What a cached reply is an answer to, as views on bytes that somebody else owns (a request, a flight's copy); one object
 *  is reused (coherence spec R1). RESP version is not part of it, see `Form`.
 *  Shape: key = bytes[keyStart, keyEnd); args = the raw request behind the key argument, bytes[argsStart, argsEnd).
 *  Bounds: `commandId` and `db` below 65,536, `fence` below 2^32. */
export interface EntryId {
  bytes: Buffer;
  keyStart: number;
  keyEnd: number;
  argsStart: number;
  argsEnd: number;
  commandId: number;
  db: number;
  /** Which life of which link read it; entries of another fence never answer. */
  fence: number;
}

/** Which sessions the stored bytes serve: most replies read the same in RESP2 and RESP3. */
export const SAME = 0;
export const RESP2_ONLY = 2;
export const RESP3_ONLY = 3;
export type Form = typeof SAME | typeof RESP2_ONLY | typeof RESP3_ONLY;

/** What is remembered beside a reply. Units: monotonic ms. */
export interface EntryFacts {
  form: Form;
  /** When its read was sent. Whole or not, it is kept as it is. */
  filledAt: number;
  /** Not served from then on (R12). Kept to the ms, rounded towards `filledAt`, and at most 49.7 days after it. */
  deadline: number;
  /** A hit from then on asks for a refresh; Infinity = never. Not after `deadline` otherwise. */
  refreshAt: number;
  /** How long its read took. Bounds: kept up to 65,535. */
  loadMs: number;
  /** Number of the policy its key falls under. Bounds: 0–255. */
  policy: number;
}

/** A reply that was found: bytes[start, end), valid until the store is next changed. One object is reused. */
export interface Found extends EntryFacts {
  bytes: Buffer;
  start: number;
  end: number;
}

/** What a store counts. Units: counts since start, except `entries` and the bytes (now). */
export class StoreStats {
  /** Entries that could answer (expired ones included until they are met). */
  entries = 0;
  /** Memory that `maxBytes` bounds: all of it is allocated up front by the segment store. */
  limitBytes = 0;
  /** Bytes of live entries, headers included. */
  liveBytes = 0;
  /** Entries dropped to make room. */
  evicted = 0;
  /** Entries met after their deadline. */
  expired = 0;
}

/** What every store is made from. */
export interface StoreOptions {
  /** Everything counts: entries, index, ghosts, sketch. */
  maxBytes: number;
  /** Sizes the index: below this average, entries run out before bytes do. */
  expectedEntryBytes: number;
  /** Longest reply and longest key + args that are kept. The store may lower the first (`Store.maxItemBytes`). */
  maxItemBytes: number;
  maxKeyBytes: number;
  /** Seeds the hash of keys, which come from clients. */
  seed: number;
}

/** Keeps replies by raw key bytes, in bounded memory. One index for all databases, commands and arguments, so that an
 *  invalidation, which names only the key, finds every variant. It knows nothing of coherence: `near-cache.ts` does.
 *  Everything is synchronous; nothing it is given is kept by reference. */
export interface Store {
  readonly stats: StoreStats;
  /** The result of the last successful `find`. */
  readonly found: Found;
  /** The longest reply that is kept, at most `StoreOptions.maxItemBytes`. */
  readonly maxItemBytes: number;

  /** Is there an entry that answers `id` for a session of `proto`, live at `now`? Fills `found` and counts as a use.
   *  One that has expired is dropped. */
  find(id: EntryId, proto: 2 | 3, now: number): boolean;

  /** Keep reply = source[start, end) under `id`, in place of what answered it: a RESP2_ONLY form replaces only that form
   *  (one that was the SAME serves RESP3 alone from then on), the others replace every form. False = it is too large; what it
   *  was to replace is gone all the same. So is what another fence has of the key in the same database, unless it is the same reply
   *  to the same call: its link may not have been told yet of the change that this reply shows (I3'). Of more than 64 variants of a key the first to end goes. `source` may be
   *  `found.bytes`. */
  insert(id: EntryId, source: Buffer, start: number, end: number, facts: EntryFacts): boolean;

  /** The entry found last has been sent for again: do not ask for that again. */
  refreshing(): void;

  /** The command of a variant of `id`'s key that was asked for by the key alone, in the same database and over the same link, and was
   *  found since the key was last dropped; -1 = there is none. Does not count as a use, and looks at no deadline. */
  commandInUse(id: EntryId): number;

  /** Drop every variant of the key, whatever its database, command or fence. Returns how many there were. */
  remove(bytes: Buffer, keyStart: number, keyEnd: number): number;

  /** Drop every entry that `test` says yes to. Cost: O(entries); for rare events only. */
  removeWhere(test: (id: EntryId) => boolean): number;

  /** Drop everything. Cost: O(index), not O(entries). */
  clear(): void;
}

/** An id to be filled in. */
export function emptyId(bytes: Buffer): EntryId {
  return { bytes, keyStart: 0, keyEnd: 0, argsStart: 0, argsEnd: 0, commandId: 0, db: 0, fence: 0 };
}

/** A `Found` to be filled in. */
export function emptyFound(bytes: Buffer): Found {
  // Fractions, so that V8 keeps these fields as doubles from the first hit on, and none of them needs a new object.
  const [filledAt, deadline, refreshAt] = [0.5, 0.5, 0.5];
  return { bytes, start: 0, end: 0, form: SAME, filledAt, deadline, refreshAt, loadMs: 0, policy: 0 };
}
