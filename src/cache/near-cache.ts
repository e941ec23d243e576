import type { Random } from '../base/random.ts';
import type { PolicyTable } from '../policy/policy-table.ts';
import { type CacheStats, countAge } from './cache-stats.ts';
import { ownId } from './entry-id.ts';
import { Flight, type FlightPlan, type SharedRead } from './flight.ts';
import { Flights } from './flights.ts';
import type { Generation } from './generation.ts';
import type { HoldOff } from './hold-off.ts';
import type { HotKeys } from './hot-keys.ts';
import type { KeyPattern } from './key-pattern.ts';
import { setLifetime, wantsRefresh } from './lifetime.ts';
import { type EntryFacts, type EntryId, type Form, SAME, type Store } from './store.ts';

export interface NearCacheOptions {
  maxStalenessMs: number;
  /** Longest key and arguments that are kept. */
  maxKeyBytes: number;
}

/** No link's fence: a write whose place among the reads is not known. */
export const ELSEWHERE = 0;

/** Outstanding writes to a key, and the fence of the link that all of them are on, or ELSEWHERE. */
interface Closed {
  count: number;
  fence: number;
}

/** Who wants to know what happens to keys. Shape: latin1; undefined = every key. */
export interface KeyWatcher {
  /** It is not known any more what the key holds. */
  revoked(key: string | undefined): void;
  /** Redis says that it has changed. Follows `revoked`. */
  invalidated(key: string | undefined): void;
}

/** Something beside the links to Redis that has to deliver while entries are served. Units: ms of the monotonic clock. */
export interface Source {
  covers(now: number, maxStalenessMs: number): boolean;
}

/** What a reply that may fill is. */
export interface Landing {
  isError: boolean;
  /** Redis has no such value. */
  isNil: boolean;
  form: Form;
  /** When it came. Units: monotonic ms. */
  now: number;
}

/** The near-cache: replies of reads, kept coherent by Redis's own invalidations.
 *
 *  One index by raw key bytes for every database, identity and command, because an invalidation names only the key
 *  (coherence spec R1). A key is in one of three states here: it has entries, it has flights, or it is closed (a write
 *  to it is outstanding: no hits, no fills; R5). A closed key has no entries, so a hit need not ask. Everything happens in the
 *  event-loop turn that parsed the bytes, so there is no await between a check and a store (R4).
 *  How entries are stored and which are given up is the store's affair.
 *  Source: coherence spec §1 and §12. */
export class NearCache {
  readonly stats: CacheStats;
  readonly options: NearCacheOptions;
  readonly policies: PolicyTable;
  /** The longest of any policy. */
  readonly staleIfErrorMs: number;
  readonly store: Store;
  /** Undefined = Redis is not told which keys are hit. */
  readonly hotKeys: HotKeys | undefined;
  watcher: KeyWatcher | undefined;
  /** Who else tells of changes; undefined = only the links do. */
  besides: Source | undefined;
  /** Keys that such a one has named lately; undefined = what Redis says is never older than what was told. */
  holdOff: HoldOff | undefined;
  #random: Random;
  #closed = new Map<string, Closed>();
  #closedAll = 0;
  #flights = new Flights();
  #keyScratch: Buffer;
  #facts: EntryFacts = { form: SAME, filledAt: 0, deadline: 0, refreshAt: 0, loadMs: 0, policy: 0 };

  constructor(
    options: NearCacheOptions,
    parts: {
      store: Store;
      policies: PolicyTable;
      stats: CacheStats;
      random: Random;
      hotKeys: HotKeys | undefined;
    },
  ) {
    this.options = options;
    this.store = parts.store;
    this.policies = parts.policies;
    this.stats = parts.stats;
    this.hotKeys = parts.hotKeys;
    this.#random = parts.random;
    this.#keyScratch = Buffer.alloc(options.maxKeyBytes);
    this.staleIfErrorMs = Math.max(...parts.policies.all.map((policy) => policy.staleIfErrorMs));
  }

  /** Is a write to the key outstanding, so that nothing of it may be joined or filled by a read on the link of `fence`? Not when
   *  all such writes are on that link: a read sent now runs behind them, and the flights before them have ended. */
  isClosed(key: string, fence: number = ELSEWHERE): boolean {
    if (this.#closedAll > 0) return true;
    const closed = this.#closed.size > 0 ? this.#closed.get(key) : undefined;
    return closed !== undefined && (closed.fence === ELSEWHERE || closed.fence !== fence);
  }

  /** May entries of this link be served at `now`? */
  covers(generation: Generation, now: number): boolean {
    const { maxStalenessMs } = this.options;
    if (!generation.covers(now, maxStalenessMs)) return false;
    return this.besides === undefined || this.besides.covers(now, maxStalenessMs);
  }

  /** May nothing of the key that is read now be kept, since Redis may still show what it held before? */
  isHeldOff(key: string): boolean {
    return this.holdOff !== undefined && this.holdOff.holds(key);
  }

  /** Look for a live entry; `store.found` has it then. The caller has checked `covers`. */
  find(id: EntryId, proto: 2 | 3, now: number): boolean {
    return this.store.find(id, proto, now);
  }

  /** Count a hit of what was found last. */
  noteHit(family: number, now: number): void {
    const { found } = this.store;
    const { stats } = this;
    stats.tallies(stats.byFamily, family).hits++;
    stats.tallies(stats.byPolicy, found.policy).hits++;
    const ageMs = now - found.filledAt;
    stats.ageSumMs += ageMs;
    countAge(stats.ages, ageMs);
  }

  /** May what was found last be served although it was last known to be true `ageMs` ago? */
  mayServeStale(ageMs: number): boolean {
    return ageMs < (this.policies.all[this.store.found.policy]?.staleIfErrorMs ?? 0);
  }

  /** Count a stale answer by what was found last. */
  noteStale(ageMs: number): void {
    const { stats } = this;
    stats.away(this.store.found.policy).stale++;
    stats.staleAgeSumMs += ageMs;
    countAge(stats.staleAges, ageMs);
  }

  /** Is what was found last to be read again in the background? Say so with `store.refreshing()`, or it is asked again. */
  isDue(now: number): boolean {
    return wantsRefresh(this.store.found, now, this.#random);
  }

  /** A read of the same that others may still join at `now`. */
  findRead(key: string, id: EntryId, now: number): SharedRead | undefined {
    return this.#flights.find(key, id, now - this.options.maxStalenessMs);
  }

  /** The command by which `id`'s key, and nothing else, has been asked for since it was read last; -1 = it has not. */
  commandInUse(key: string, id: EntryId): number {
    const commandId = this.#flights.commandInUse(key, id);
    return commandId === -1 && this.store.stats.entries > 0 ? this.store.commandInUse(id) : commandId;
  }

  /** Begin a read that may fill (R3). Call before its bytes are written. `id` is copied. */
  startFlight(id: EntryId, key: string, plan: FlightPlan): Flight {
    const flight = new Flight(ownId(id), key, plan);
    if (this.isHeldOff(key)) flight.isLive = false;
    else this.#flights.add(flight);
    return flight;
  }

  /** The flight's reply is here, whole: keep source[start, end) if nothing has happened since. */
  land(flight: Flight, source: Buffer, start: number, end: number, landing: Landing): void {
    const { isError, isNil, form, now } = landing;
    this.#flights.remove(flight);
    const { refused } = this.stats;
    let isKept = false;
    const facts = this.#facts;
    if (!flight.isLive || !flight.generation.isAlive) refused.revoked++;
    else if (isError) refused.error++;
    else if (!setLifetime(facts, flight, isNil, this.#random)) refused.ttl++;
    else if (this.isClosed(flight.key, flight.generation.fence)) refused.closed++;
    else {
      facts.form = form;
      facts.loadMs = now - flight.sentAt;
      facts.policy = flight.policy.number;
      isKept = this.store.insert(flight.id, source, start, end, facts);
      if (isKept) this.stats.fills++;
      else if (end - start > this.store.maxItemBytes) refused.size++;
      else refused.store++;
    }
    // Who joined has used it: a write that ends it next has it read again.
    if (isKept && flight.read?.isJoined === true) this.store.find(flight.id, 3, now);
    // What is seen and not kept may be newer than what another link has filled (I3').
    if (flight.isLive && !isError && !isKept) this.#forget(flight.key);
    flight.isLive = false;
  }

  /** The flight ends without a reply that could be kept. */
  abandon(flight: Flight): void {
    flight.isLive = false;
    this.#flights.remove(flight);
  }

  /** A write to `key` is about to be sent (R5), on the link of `fence`; ELSEWHERE = on one whose order is not ours to know.
   *  Balanced by `open`. */
  close(key: string, fence: number = ELSEWHERE): void {
    this.revoke(key);
    const closed = this.#closed.get(key);
    if (closed === undefined) this.#closed.set(key, { count: 1, fence });
    else {
      closed.count++;
      if (closed.fence !== fence) closed.fence = ELSEWHERE;
    }
  }

  /** The write was answered on the link of `fence`; ELSEWHERE = on another, or not at all. Call before its reply is released.
   *  Flights of that link were sent behind the write, since `close` ended all before it: they bring what it wrote, or
   *  newer. */
  open(key: string, fence: number = ELSEWHERE): void {
    if (fence === ELSEWHERE) this.revoke(key);
    else this.#drop(key);
    const closed = this.#closed.get(key);
    if (closed === undefined || --closed.count > 0) return;
    this.#closed.delete(key);
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

  /** Drop all entries of `key` and end its flights (spec: "revoke k"). `key` is latin1. */
  revoke(key: string): void {
    this.#flights.end(key);
    this.#drop(key);
  }

  #drop(key: string): void {
    this.watcher?.revoked(key);
    this.#forget(key);
  }

  #forget(key: string): void {
    // A longer key was never kept.
    if (key.length > this.#keyScratch.length || this.store.stats.entries === 0) return;
    this.#keyScratch.latin1Write(key, 0);
    this.store.remove(this.#keyScratch, 0, key.length);
  }

  /** Redis has named these keys as changed, on the link of `fence`. A flight of that link of which nothing has been answered yet
   *  goes on: replies and invalidations come in the order in which Redis did things, so its read is newer than this
   *  change. That of another link, or one whose PTTL is here already, ends. */
  invalidate(keys: readonly string[] | 'all', fence: number = ELSEWHERE): void {
    if (keys === 'all') {
      this.flush();
      this.watcher?.invalidated(undefined);
      return;
    }
    this.stats.invalidations += keys.length;
    for (const key of keys) {
      this.#flights.endOlder(key, fence);
      this.#drop(key);
      this.watcher?.invalidated(key);
    }
  }

  /** Keys were changed by somebody whose writes Redis may show only later: these, and all that fit a pattern. They are
   *  dropped, and held off. Cost: O(entries) with patterns (40 ms a million). */
  changedElsewhere(keys: readonly string[] | 'all', patterns: readonly KeyPattern[] = []): void {
    if (keys === 'all') this.holdOff?.holdAll();
    else this.holdOff?.hold(keys, patterns);
    this.invalidate(keys);
    if (keys !== 'all' && patterns.length > 0) this.#revokeFitting(patterns);
  }

  #revokeFitting(patterns: readonly KeyPattern[]): void {
    this.#flights.endFitting(patterns);
    this.watcher?.revoked(undefined);
    this.store.removeWhere(({ bytes, keyStart, keyEnd }) => {
      for (const pattern of patterns) if (pattern.fitsBytes(bytes, keyStart, keyEnd)) return true;
      return false;
    });
    this.watcher?.invalidated(undefined);
  }

  /** Drop everything and end every flight (null push, FLUSHALL, SWAPDB …). */
  flush(): void {
    this.stats.flushes++;
    this.watcher?.revoked(undefined);
    if (this.store.stats.entries > 0) this.store.clear();
    this.#flights.endAll();
  }

  /** Keys may have another shard than before: drop the entries for which `isElsewhere` says so, and end every flight. */
  dropMoved(isElsewhere: (id: EntryId) => boolean): void {
    this.watcher?.revoked(undefined);
    this.watcher?.invalidated(undefined);
    this.#flights.endAll();
    if (this.store.stats.entries > 0) this.store.removeWhere(isElsewhere);
  }

  /** Drop entries whose link is gone, before a new generation fills (DESIGN rule 7): those of other fences than `kept`.
   *  Cost: O(entries), unless nothing is kept. */
  dropExcept(kept: ReadonlySet<number>): void {
    if (this.store.stats.entries === 0) return;
    if (kept.size === 0) this.store.clear();
    else this.store.removeWhere(({ fence }) => !kept.has(fence));
  }
}
