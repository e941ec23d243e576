import type { HotKeyList } from './hot-key-list.ts';
import type { EntryId } from './store.ts';

/** One hit in so many is looked at, on average: 1 to 31 later. A fixed step would miss keys that are asked for in turn. */
const SAMPLE = 16;
/** More different keys between two reports are not told apart. */
const KEYS_MAX = 8192;

/** One key's samples since the last report. */
interface Sampled {
  readonly key: Buffer;
  readonly db: number;
  readonly fence: number;
  count: number;
  /** The first read without further arguments, and its share of `count`. */
  commandId: number;
  plain: number;
}

/** Which keys are being hit, by sample: Redis does not see hits, and would take the hottest keys for idle ones.
 *  Bounds: KEYS_MAX keys. Cost: a counter a hit; a string for one hit in SAMPLE. */
export class HotKeys {
  /** Keeps what is reported; undefined = nobody wants to know later. */
  readonly list: HotKeyList | undefined;
  #hitsToGo = SAMPLE;
  #state = 1;
  #counts = new Map<string, Sampled>();

  constructor(list?: HotKeyList) {
    this.list = list;
  }

  note(id: EntryId): void {
    if (--this.#hitsToGo === 0) this.#sample(id);
  }

  #sample(id: EntryId): void {
    // A linear congruential generator: what comes is not to be guessed at, only without a period that apps have too.
    this.#state = (Math.imul(this.#state, 1_103_515_245) + 12_345) >>> 0;
    this.#hitsToGo = 1 + ((this.#state >>> 16) % (2 * SAMPLE - 1));
    const name = `${id.fence} ${id.db} ${id.bytes.latin1Slice(id.keyStart, id.keyEnd)}`;
    let known = this.#counts.get(name);
    if (known === undefined) {
      // What nobody asks for, of links that are gone, must not keep out the rest for ever.
      if (this.#counts.size >= KEYS_MAX) this.#counts.clear();
      const key = Buffer.from(id.bytes.subarray(id.keyStart, id.keyEnd));
      known = { key, db: id.db, fence: id.fence, count: 0, commandId: -1, plain: 0 };
      this.#counts.set(name, known);
    }
    known.count++;
    if (id.argsStart !== id.argsEnd) return;
    if (known.plain === 0) known.commandId = id.commandId;
    if (known.commandId === id.commandId) known.plain++;
  }

  /** The hottest keys of the link of `fence` since the last call for it, at most `max`, by database. */
  take(max: number, fence: number): Map<number, Buffer[]> {
    const own = [...this.#counts].filter(([, each]) => each.fence === fence);
    for (const [name, each] of own) {
      this.#counts.delete(name);
      if (each.plain > 0) this.list?.add(each, each.plain);
    }
    const hottest = own
      .map(([, each]) => each)
      .toSorted((a, b) => b.count - a.count)
      .slice(0, max);
    const byDb = new Map<number, Buffer[]>();
    for (const { key, db } of hottest) byDb.set(db, [...(byDb.get(db) ?? []), key]);
    return byDb;
  }
}
