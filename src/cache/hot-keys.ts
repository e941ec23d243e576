import type { EntryId } from './store.ts';

/** One hit in so many is looked at. */
const SAMPLE = 16;
/** More different keys between two reports are not told apart. */
const KEYS_MAX = 8192;

/** Which keys are being hit, by sample: Redis does not see hits, and would take the hottest keys for idle ones.
 *  Bounds: KEYS_MAX keys. Cost: a counter a hit; a string for one hit in SAMPLE. */
export class HotKeys {
  #hits = 0;
  #counts = new Map<string, { key: Buffer; db: number; fence: number; count: number }>();

  note(id: EntryId): void {
    if (++this.#hits % SAMPLE !== 0) return;
    const name = `${id.fence} ${id.db} ${id.bytes.latin1Slice(id.keyStart, id.keyEnd)}`;
    const known = this.#counts.get(name);
    if (known !== undefined) known.count++;
    else if (this.#counts.size < KEYS_MAX) {
      const key = Buffer.from(id.bytes.subarray(id.keyStart, id.keyEnd));
      this.#counts.set(name, { key, db: id.db, fence: id.fence, count: 1 });
    }
  }

  /** The hottest keys of the link of `fence` since the last call for it, at most `max`, by database. */
  take(max: number, fence: number): Map<number, Buffer[]> {
    const own = [...this.#counts].filter(([, each]) => each.fence === fence);
    for (const [name] of own) this.#counts.delete(name);
    const hottest = own
      .map(([, each]) => each)
      .toSorted((a, b) => b.count - a.count)
      .slice(0, max);
    const byDb = new Map<number, Buffer[]>();
    for (const { key, db } of hottest) byDb.set(db, [...(byDb.get(db) ?? []), key]);
    return byDb;
  }
}
