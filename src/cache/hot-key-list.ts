/** A read without further arguments. Shape: `commandId` as in `EntryId`. */
export interface HotRead {
  readonly db: number;
  readonly commandId: number;
  readonly key: Buffer;
}

/** Fewer are not worth forgetting any. */
const TRACKED_MIN = 8192;
/** After so many samples for each that is tracked every count is halved: what was hot yesterday makes room. */
const SAMPLES_EACH = 16;

/** Which reads were hit most over the last minutes to hours, by the samples of `HotKeys`: names only, no values. Reads with further
 *  arguments are left out, since those can be data (SISMEMBER).
 *  Bounds: twice `max` names, 8192 at least. Cost: nothing at a hit; a string a sample, once a second; now and then O(names). */
export class HotKeyList {
  readonly #max: number;
  readonly #trackedMax: number;
  readonly #hasDatabases: boolean;
  /** By database, command and key with blanks between them. */
  #counts = new Map<string, number>();
  #samples = 0;

  /** A Cluster has one database, and entries carry something else there. */
  constructor(max: number, hasDatabases: boolean) {
    this.#max = max;
    this.#hasDatabases = hasDatabases;
    this.#trackedMax = Math.max(2 * max, TRACKED_MIN);
  }

  add({ db, commandId, key }: HotRead, count: number): void {
    const name = `${this.#hasDatabases ? db : 0} ${commandId} ${key.toString('latin1')}`;
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + count);
    this.#samples += count;
    if (this.#samples > SAMPLES_EACH * this.#trackedMax) this.#age();
    if (this.#counts.size > this.#trackedMax) this.#keepUpper();
  }

  /** At most `max`, most hit first. */
  top(): HotRead[] {
    const ranked = [...this.#counts].toSorted(([, a], [, b]) => b - a).slice(0, this.#max);
    return ranked.map(([name]) => {
      const [db = '', commandId = ''] = name.split(' ', 2);
      const key = Buffer.from(name.slice(db.length + commandId.length + 2), 'latin1');
      return { db: Number(db), commandId: Number(commandId), key };
    });
  }

  #age(): void {
    this.#samples = 0;
    for (const [name, count] of this.#counts) {
      if (count === 1) this.#counts.delete(name);
      else {
        this.#counts.set(name, count >>> 1);
        this.#samples += count >>> 1;
      }
    }
  }

  /** Forget the lower half. */
  #keepUpper(): void {
    const half = this.#counts.size >>> 1;
    const median = Uint32Array.from(this.#counts.values()).sort()[half] as number;
    for (const [name, count] of this.#counts) {
      if (count < median || (count === median && this.#counts.size > half)) this.#counts.delete(name);
    }
  }
}
