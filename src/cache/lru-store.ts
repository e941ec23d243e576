import { LRUCache } from 'lru-cache';

import { latin1 } from '../base/latin1.ts';
import {
  emptyFound,
  emptyId,
  type EntryFacts,
  type EntryId,
  type Found,
  RESP2_ONLY,
  RESP3_ONLY,
  SAME,
  type Store,
  type StoreOptions,
  StoreStats,
} from './store.ts';

/** Replies in lru-cache, one Buffer each; a key and its variants are one item of it. Exactly LRU while keys have one variant.
 *  For those who want that order: in RSS it holds 2 to 4 times its limit, and the garbage collector walks all of it. */
export class LruStore implements Store {
  readonly stats: StoreStats = new StoreStats();
  readonly found: Found;
  readonly maxItemBytes: number;
  readonly #maxKeyBytes: number;
  readonly #keys: LRUCache<string, Variant[]>;
  /** What `found` came from, until something changes. */
  #foundVariant: Variant | undefined;

  constructor(options: StoreOptions) {
    this.maxItemBytes = Math.min(options.maxItemBytes, Math.floor(options.maxBytes / 64));
    this.#maxKeyBytes = options.maxKeyBytes;
    this.found = emptyFound(Buffer.alloc(0));
    this.stats.limitBytes = options.maxBytes;
    this.#keys = new LRUCache<string, Variant[]>({
      maxSize: options.maxBytes,
      sizeCalculation: (variants, key) => sizeOf(key, variants),
      dispose: (variants, _key, reason) => this.#disposed(variants, reason),
    });
  }

  find(id: EntryId, proto: 2 | 3, now: number): boolean {
    const key = latin1(id.bytes, id.keyStart, id.keyEnd);
    const variants = this.#keys.get(key);
    if (variants === undefined) return false;
    for (const variant of variants) {
      if (!variant.isOf(id) || (variant.facts.form !== SAME && variant.facts.form !== proto)) continue;
      if (now >= variant.facts.deadline) {
        this.stats.expired++;
        this.#foundVariant = undefined;
        this.#keep(
          key,
          variants.filter((other) => other !== variant),
        );
        return false;
      }
      this.#foundVariant = variant;
      variant.isInUse = true;
      Object.assign(this.found, variant.facts, { bytes: variant.reply, start: 0, end: variant.reply.length });
      if (variant.isRefreshing) this.found.refreshAt = Infinity;
      return true;
    }
    return false;
  }

  insert(id: EntryId, source: Buffer, start: number, end: number, facts: EntryFacts): boolean {
    this.#foundVariant = undefined;
    const bytes = end - start;
    const isKept =
      bytes <= this.maxItemBytes && id.keyEnd - id.keyStart + id.argsEnd - id.argsStart <= this.#maxKeyBytes;
    const key = latin1(id.bytes, id.keyStart, id.keyEnd);
    const before = this.#keys.peek(key) ?? [];
    const reply = source.subarray(start, end);
    const variants = before.filter((variant) => {
      // A converted form says nothing new.
      if (facts.form !== RESP2_ONLY && variant.isDoubtedBy(id, reply)) return false;
      return !variant.isOf(id) || !variant.yieldsTo(facts.form);
    });
    if (!isKept) {
      if (variants.length < before.length) this.#keep(key, variants);
      return false;
    }
    if (variants.length >= VARIANTS_MAX) variants.splice(firstToEnd(variants), 1);
    const own = Buffer.allocUnsafeSlow(bytes);
    reply.copy(own);
    const variant = new Variant(id, facts, own);
    variant.isInUse = before.some((other) => other.isInUse && other.isOf(id) && !variants.includes(other));
    variants.push(variant);
    this.#keep(key, variants);
    return true;
  }

  refreshing(): void {
    if (this.#foundVariant !== undefined) this.#foundVariant.isRefreshing = true;
  }

  commandInUse(id: EntryId): number {
    const variants = this.#keys.peek(latin1(id.bytes, id.keyStart, id.keyEnd)) ?? [];
    for (const variant of variants)
      if (variant.isInUse && variant.isPlainBeside(id)) return variant.commandId;
    return -1;
  }

  remove(bytes: Buffer, keyStart: number, keyEnd: number): number {
    this.#foundVariant = undefined;
    const key = latin1(bytes, keyStart, keyEnd);
    const removed = this.#keys.peek(key)?.length ?? 0;
    if (removed > 0) this.#keep(key, []);
    return removed;
  }

  removeWhere(test: (id: EntryId) => boolean): number {
    this.#foundVariant = undefined;
    let removed = 0;
    for (const [key, variants] of Array.from(this.#keys.entries())) {
      const left = variants.filter((variant) => !test(variant.view(key)));
      if (left.length === variants.length) continue;
      removed += variants.length - left.length;
      this.#keep(key, left);
    }
    return removed;
  }

  clear(): void {
    this.#foundVariant = undefined;
    this.#keys.clear();
    this.#measure();
  }

  /** Let the key have these variants. A new array each time, so that lru-cache measures it. */
  #keep(key: string, variants: readonly Variant[]): void {
    this.stats.entries += variants.length - (this.#keys.peek(key)?.length ?? 0);
    if (variants.length === 0) this.#keys.delete(key);
    else {
      this.#keys.set(key, [...variants]);
      // What is larger than the whole cache it refuses, in silence.
      if (!this.#keys.has(key)) this.#disposed(variants, 'evict');
    }
    this.#measure();
  }

  #disposed(variants: readonly Variant[], reason: string): void {
    if (reason !== 'evict') return;
    this.stats.evicted += variants.length;
    this.stats.entries -= variants.length;
  }

  /** After a change, not from inside one: lru-cache adjusts its size last. */
  #measure(): void {
    this.stats.liveBytes = this.#keys.calculatedSize;
    if (this.#keys.size === 0) this.stats.entries = 0;
  }
}

class Variant {
  readonly reply: Buffer;
  readonly facts: EntryFacts;
  isRefreshing = false;
  isInUse = false;
  readonly #args: string;
  readonly commandId: number;
  readonly #db: number;
  readonly #fence: number;

  constructor(id: EntryId, facts: EntryFacts, reply: Buffer) {
    this.reply = reply;
    this.facts = { ...facts };
    this.#args = latin1(id.bytes, id.argsStart, id.argsEnd);
    this.commandId = id.commandId;
    this.#db = id.db;
    this.#fence = id.fence;
  }

  get bytes(): number {
    return VARIANT_OVERHEAD_BYTES + this.#args.length + this.reply.length;
  }

  isOf(id: EntryId): boolean {
    return (
      this.#fence === id.fence &&
      this.commandId === id.commandId &&
      this.#db === id.db &&
      this.#args.length === id.argsEnd - id.argsStart &&
      this.#args === latin1(id.bytes, id.argsStart, id.argsEnd)
    );
  }

  /** Was it asked for by its key alone, in the same database and over the same link? */
  isPlainBeside(id: EntryId): boolean {
    return this.#args === '' && this.#db === id.db && this.#fence === id.fence;
  }

  /** Was it read over another link, in the same database, and is not the same reply to the same call? */
  isDoubtedBy(id: EntryId, reply: Buffer): boolean {
    if (this.#fence === id.fence || this.#db !== id.db) return false;
    return !this.isOf({ ...id, fence: this.#fence }) || !this.reply.equals(reply);
  }

  /** Does it give way to one of `form`, for the same id? If not, it serves only RESP3 from now on. */
  yieldsTo(form: EntryFacts['form']): boolean {
    if (form !== RESP2_ONLY || this.facts.form === RESP2_ONLY) return true;
    this.facts.form = RESP3_ONLY;
    return false;
  }

  view(key: string): EntryId {
    const id = emptyId(Buffer.from(key + this.#args, 'latin1'));
    id.keyEnd = id.argsStart = key.length;
    id.argsEnd = id.bytes.length;
    id.commandId = this.commandId;
    id.db = this.#db;
    id.fence = this.#fence;
    return id;
  }
}

function firstToEnd(variants: readonly Variant[]): number {
  let first = 0;
  for (const [i, { facts }] of variants.entries()) {
    if (facts.deadline < (variants[first] as Variant).facts.deadline) first = i;
  }
  return first;
}

function sizeOf(key: string, variants: readonly Variant[]): number {
  let bytes = key.length;
  for (const variant of variants) bytes += variant.bytes;
  return bytes;
}

/** Measured for lru-cache with Buffer values: about 500 B an entry beside its payload. */
export const VARIANT_OVERHEAD_BYTES = 500;
const VARIANTS_MAX = 64;
