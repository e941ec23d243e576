import { LRUCache } from 'lru-cache';
import type { CacheStats } from './cache-stats.ts';
import { Entry, type EntryId } from './entry.ts';
import { Flight } from './flight.ts';
import type { Generation } from './generation.ts';

/** The near-cache of one shard: replies of single-key reads, kept coherent by Redis's own invalidations.
 *
 *  One index by raw key bytes for every database, identity and command, because an invalidation names only the key
 *  (coherence spec R1). A key is in one of three states here: it has entries, it has flights, or it is closed (a write
 *  to it is outstanding: no hits, no fills; R5). Everything happens in the event-loop turn that parsed the bytes, so
 *  there is no await between a check and a store (R4).
 *
 *  This first store is lru-cache with Buffers, which holds 2–4 times its limit in RSS.
 *  Source: coherence spec §1 and §12. */
export interface NearCacheOptions {
  maxBytes: number;
  maxItemBytes: number;
  maxStalenessMs: number;
  maxTtlMs: number;
  negativeTtlMs: number;
}

/** Below this PTTL a fill is not worth it and too close to the edge (R12). */
const MIN_PTTL_MS = 10;
/** Different commands and arguments kept for one key; further ones push the oldest out. */
const VARIANTS_MAX = 64;

export class NearCache {
  readonly stats: CacheStats;
  readonly options: NearCacheOptions;
  #keys: LRUCache<string, Entry[]>;
  #closed = new Map<string, number>();
  #closedAll = 0;
  #flights = new Map<string, Flight>();

  constructor(options: NearCacheOptions, stats: CacheStats) {
    this.options = options;
    this.stats = stats;
    this.#keys = new LRUCache<string, Entry[]>({
      maxSize: options.maxBytes,
      sizeCalculation: (entries) => sizeOf(entries),
      dispose: (entries, _key, reason) => this.#disposed(entries, reason),
      noUpdateTTL: true,
    });
  }

  /** May a reply of this key be served or filled at all now? */
  isClosed(key: string): boolean {
    return this.#closedAll > 0 || (this.#closed.size > 0 && this.#closed.has(key));
  }

  /** The live entry for `id`, or undefined. The caller has checked `isClosed` and the generation's freshness. */
  find(id: EntryId, generation: Generation, now: number): Entry | undefined {
    const entries = this.#keys.get(id.key);
    if (entries === undefined) return undefined;
    for (const entry of entries) {
      if (!entry.answers(id)) continue;
      if (entry.generation !== generation) return undefined;
      if (now < entry.deadline) return entry;
      this.stats.expired++;
      this.#remove(entry, entries);
      return undefined;
    }
    return undefined;
  }

  /** May this entry, found earlier, still be served at `now` (DESIGN rule 3)? One that lives is of no closed key. */
  mayServe(entry: Entry, now: number): boolean {
    return entry.isLive && now < entry.deadline && entry.generation.covers(now, this.options.maxStalenessMs);
  }

  /** Keep the RESP2 form of an entry beside its reply. */
  keepResp2(entry: Entry, bytes: Buffer): void {
    entry.resp2 = bytes.equals(entry.reply) ? entry.reply : bytes;
    const entries = this.#keys.peek(entry.id.key);
    if (entries?.includes(entry) === true && entry.resp2 !== entry.reply) this.#store(entry.id.key, entries);
  }

  /** Begin a read that may fill (R3). Call before its bytes are written. */
  startFlight(id: EntryId, generation: Generation, now: number, maxTtlMs: number): Flight {
    const flight = new Flight(id, generation, now, maxTtlMs);
    flight.next = this.#flights.get(id.key);
    this.#flights.set(id.key, flight);
    return flight;
  }

  /** The flight's reply is here, whole: store a copy if nothing has happened since. `isNil` = Redis has no such value. */
  land(flight: Flight, reply: Buffer, isError: boolean, isNil: boolean): void {
    this.#forgetFlight(flight);
    const ttlMs = this.#ttlOf(flight, isNil);
    if (!flight.isLive || !flight.generation.isAlive) this.stats.refused.revoked++;
    else if (isError) this.stats.refused.error++;
    else if (ttlMs === undefined) this.stats.refused.ttl++;
    else if (this.isClosed(flight.id.key)) this.stats.refused.closed++;
    else if (reply.length > this.options.maxItemBytes) this.stats.refused.size++;
    else this.#fill(new Entry(flight.id, ownCopy(reply), flight.generation, flight.sentAt + ttlMs - 1));
  }

  /** The flight ends without a reply. */
  abandon(flight: Flight): void {
    flight.isLive = false;
    this.#forgetFlight(flight);
  }

  /** A write to `key` is about to be sent (R5). Balanced by `open`. */
  close(key: string): void {
    this.revoke(key);
    this.#closed.set(key, (this.#closed.get(key) ?? 0) + 1);
  }

  /** The write's outcome is known, or its connection is gone. Call before its reply is released. */
  open(key: string): void {
    this.revoke(key);
    const count = (this.#closed.get(key) ?? 1) - 1;
    if (count === 0) this.#closed.delete(key);
    else this.#closed.set(key, count);
  }

  /** A command that may change every key is about to be sent. Balanced by `openAll`. */
  closeAll(): void {
    this.flush();
    this.#closedAll++;
  }

  openAll(): void {
    this.flush();
    this.#closedAll--;
  }

  /** Drop all entries of `key` and end its flights (spec: "revoke k"). */
  revoke(key: string): void {
    if (this.#keys.delete(key)) this.#measure();
    if (this.#flights.size === 0) return;
    for (let flight = this.#flights.get(key); flight !== undefined; flight = flight.next)
      flight.isLive = false;
    this.#flights.delete(key);
  }

  /** Drop everything and end every flight (null push, FLUSHALL, SWAPDB …). */
  flush(): void {
    this.stats.flushes++;
    this.#keys.clear();
    this.#measure();
    for (const first of this.#flights.values()) {
      for (let flight: Flight | undefined = first; flight !== undefined; flight = flight.next)
        flight.isLive = false;
    }
    this.#flights.clear();
  }

  /** Drop entries whose link is gone, before a new generation fills (DESIGN rule 7). Cost: O(keys). */
  dropDead(): void {
    for (const [key, entries] of this.#keys.entries()) {
      if (entries.some((entry) => !entry.generation.isAlive)) this.#keys.delete(key);
    }
    this.#measure();
  }

  /** How long a reply may live, or undefined when it may not be stored (R12). */
  #ttlOf(flight: Flight, isNil: boolean): number | undefined {
    const { pttl, maxTtlMs } = flight;
    if (pttl === -1 && !isNil) return maxTtlMs;
    if (pttl === -2 || (isNil && (pttl === -1 || pttl >= MIN_PTTL_MS))) {
      return Math.min(maxTtlMs, this.options.negativeTtlMs);
    }
    return pttl >= MIN_PTTL_MS ? Math.min(maxTtlMs, pttl) : undefined;
  }

  #fill(entry: Entry): void {
    this.stats.fills++;
    this.stats.entries++;
    const entries = this.#keys.peek(entry.id.key) ?? [];
    const known = entries.findIndex((other) => other.answers(entry.id));
    if (known !== -1) this.#end(entries.splice(known, 1)[0] as Entry);
    else if (entries.length >= VARIANTS_MAX) this.#end(entries.shift() as Entry);
    entries.push(entry);
    this.#store(entry.id.key, entries);
  }

  #remove(entry: Entry, entries: Entry[]): void {
    const { key } = entry.id;
    if (entries.length > 1) {
      this.#end(entry);
      this.#store(
        key,
        entries.filter((other) => other !== entry),
      );
    } else if (this.#keys.delete(key)) {
      this.#measure();
    }
  }

  /** Store a key's entries under their present size. A new array each time, so that lru-cache measures it again; what is
   *  larger than the whole cache it refuses, in silence. */
  #store(key: string, entries: readonly Entry[]): void {
    this.#keys.set(key, [...entries]);
    if (!this.#keys.has(key)) this.#disposed(entries, 'evict');
    this.#measure();
  }

  #disposed(entries: readonly Entry[], reason: string): void {
    if (reason === 'set') return;
    if (reason === 'evict') this.stats.evicted += entries.length;
    for (const entry of entries) this.#end(entry);
  }

  #end(entry: Entry): void {
    entry.isLive = false;
    this.stats.entries--;
  }

  /** Call after a change, not from inside one: lru-cache adjusts its size last. */
  #measure(): void {
    this.stats.bytes = this.#keys.calculatedSize;
  }

  #forgetFlight(flight: Flight): void {
    const first = this.#flights.get(flight.id.key);
    if (first === flight) {
      if (flight.next === undefined) this.#flights.delete(flight.id.key);
      else this.#flights.set(flight.id.key, flight.next);
      return;
    }
    for (let other = first; other !== undefined; other = other.next) {
      if (other.next !== flight) continue;
      other.next = flight.next;
      return;
    }
  }
}

/** The bytes come in a read buffer that is used again, and a slice of Buffer's pool would keep 8 KiB alive. */
function ownCopy(reply: Buffer): Buffer {
  const copy = Buffer.allocUnsafeSlow(reply.length);
  reply.copy(copy);
  return copy;
}

function sizeOf(entries: readonly Entry[]): number {
  let bytes = 1;
  for (const entry of entries) bytes += entry.bytes;
  return bytes;
}
