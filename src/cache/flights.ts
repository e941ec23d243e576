import { sameId } from './entry-id.ts';
import type { Flight, SharedRead } from './flight.ts';
import type { KeyPattern } from './key-pattern.ts';
import type { EntryId } from './store.ts';

/** The flights on their way, by key. Bounds: one for each cacheable read in flight, which the shard bounds. */
export class Flights {
  #first = new Map<string, Flight>();

  add(flight: Flight): void {
    flight.next = this.#first.get(flight.key);
    this.#first.set(flight.key, flight);
  }

  /** The newest read on its way that asks `id`, if any was sent at `since` or later: one that was held up on the way could
   *  bring what was true longer ago than is promised. */
  find(key: string, id: EntryId, since: number): SharedRead | undefined {
    if (this.#first.size === 0) return undefined;
    for (let flight = this.#first.get(key); flight !== undefined; flight = flight.next) {
      const { read } = flight;
      if (read?.isOpen === true && read.sentAt >= since && sameId(read.id, id)) return read;
    }
    return undefined;
  }

  /** The command of a read of `id`'s key alone, in the same database and over the same link, which somebody has joined; -1 = there is
   *  none on its way. */
  commandInUse(key: string, { db, fence }: EntryId): number {
    if (this.#first.size === 0) return -1;
    for (let flight = this.#first.get(key); flight !== undefined; flight = flight.next) {
      const { id, read } = flight;
      const isPlain = id.argsEnd === id.argsStart && read?.id === id;
      if (isPlain && read.isJoined && id.db === db && id.fence === fence) return id.commandId;
    }
    return -1;
  }

  /** It has landed or failed. */
  remove(flight: Flight): void {
    const first = this.#first.get(flight.key);
    if (first === flight) {
      if (flight.next === undefined) this.#first.delete(flight.key);
      else this.#first.set(flight.key, flight.next);
      return;
    }
    for (let other = first; other !== undefined; other = other.next) {
      if (other.next !== flight) continue;
      other.next = flight.next;
      return;
    }
  }

  /** End all flights of `key`: they do not fill, and nobody joins them (R4). */
  end(key: string): void {
    if (this.#first.size === 0) return;
    const first = this.#first.get(key);
    if (first === undefined) return;
    endAll(first);
    this.#first.delete(key);
  }

  /** End the flights of `key` that may be older than an invalidation which has just come on the link of `fence`. */
  endOlder(key: string, fence: number): void {
    if (this.#first.size === 0) return;
    let kept: Flight | undefined;
    let next: Flight | undefined;
    for (let flight = this.#first.get(key); flight !== undefined; flight = next) {
      next = flight.next;
      if (flight.isAhead && flight.generation.fence === fence) {
        flight.next = kept;
        kept = flight;
      } else flight.isLive = false;
    }
    if (kept === undefined) this.#first.delete(key);
    else this.#first.set(key, kept);
  }

  /** End the flights of every key that fits one of the patterns. */
  endFitting(patterns: readonly KeyPattern[]): void {
    for (const [key, first] of this.#first) {
      if (!patterns.some((pattern) => pattern.fits(key))) continue;
      endAll(first);
      this.#first.delete(key);
    }
  }

  endAll(): void {
    for (const first of this.#first.values()) endAll(first);
    this.#first.clear();
  }
}

function endAll(first: Flight): void {
  for (let flight: Flight | undefined = first; flight !== undefined; flight = flight.next)
    flight.isLive = false;
}
