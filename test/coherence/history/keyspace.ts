import type { Random } from '../../fuzz/random.ts';
import type { History, RegisterHistory } from './history.ts';

/** One value that is read and written: a string, or one field of a hash. */
export interface Register {
  readonly db: number;
  readonly key: string;
  readonly field: string | undefined;
  readonly history: RegisterHistory;
  /** The last version that its owner has used. A counter's versions are Redis's own. */
  lastVersion: number;
}

/** A hash of counters. */
export interface CounterHash {
  readonly db: number;
  readonly key: string;
  readonly fields: readonly Register[];
}

/** Where an owner keeps a value. Shape: one register, or two that are always written together; `isHash` = the two are fields
 *  of one hash. They move to new keys when the outcome of a write is not known. */
export interface Slot {
  readonly name: string;
  readonly isHash: boolean;
  readonly isPair: boolean;
  registers: readonly Register[];
  generation: number;
}

/** Which kinds of registers a run has. `unscripted` = as `standard`, but nobody runs scripts: with several users each empties the
 *  near-cache. `vanishing` = Redis may evict them. */
export type Population = 'standard' | 'unscripted' | 'vanishing' | 'flushed';

export const ACCOUNTS: readonly string[] = ['bank:0', 'bank:1', 'bank:2', 'bank:3', 'bank:4'];
export const OPENING_BALANCE = 100;
/** Versions of counters begin at a multiple of this after each loss of data. */
export const EPOCH = 1_000_000;

const COUNTER_KEYS = [
  'plain',
  'c:2',
  'bytes\xff',
  'bytes\xfe',
  'line\r\n\0end',
  '',
  '{tag}c',
  'caf\u00e9',
  'long'.repeat(40),
];
const FLUSHED_KEYS = ['f:0', 'f:1', 'f:2', 'f:3'];
const FLUSHED_DBS = [0, 1, 2];

/** All registers of a run. */
export class Keyspace {
  readonly population: Population;
  readonly counters: readonly Register[];
  readonly hashes: readonly CounterHash[];
  readonly slots: readonly Slot[];
  /** By database; owned by whoever flushes. */
  readonly flushed: readonly (readonly Register[])[];
  /** Registers that are no longer written. */
  readonly retired: Register[] = [];
  readonly #history: History;

  constructor(history: History, population: Population) {
    this.#history = history;
    this.population = population;
    const isStandard = population === 'standard' || population === 'unscripted';
    this.counters = isStandard
      ? [0, 1].flatMap((db) => COUNTER_KEYS.map((key) => this.#counter(db, key)))
      : [];
    this.hashes = isStandard ? [0, 1].map((db) => this.#hash(db)) : [];
    this.slots = population === 'flushed' ? [] : this.#slots();
    this.flushed =
      population === 'flushed'
        ? FLUSHED_DBS.map((db) => FLUSHED_KEYS.map((key) => this.#owned(db, key)))
        : [];
  }

  get hasBank(): boolean {
    return this.counters.length > 0;
  }

  get hasScripts(): boolean {
    return this.population === 'standard';
  }

  /** Everything that ever was, for the last comparison with Redis. */
  get all(): readonly Register[] {
    return [
      ...this.counters,
      ...this.hashes.flatMap(({ fields }) => fields),
      ...this.slots.flatMap(({ registers }) => registers),
      ...this.flushed.flat(),
      ...this.retired,
    ];
  }

  countersOf(db: number): readonly Register[] {
    return this.counters.filter((counter) => counter.db === db);
  }

  /** The slot goes on under new keys: what became of its last write is not known. */
  retire(slot: Slot): void {
    this.retired.push(...slot.registers);
    slot.generation++;
    slot.registers = this.#registersOf(slot);
  }

  #counter(db: number, key: string, field?: string): Register {
    return this.#register({ db, key, field }, true);
  }

  #hash(db: number): CounterHash {
    const key = `h${db}`;
    return { db, key, fields: ['f0', 'f1', 'f\xff'].map((field) => this.#counter(db, key, field)) };
  }

  #owned(db: number, key: string, field?: string): Register {
    return this.#register({ db, key, field }, false);
  }

  #register(place: Pick<Register, 'db' | 'key' | 'field'>, isCounter: boolean): Register {
    const { db, key, field } = place;
    const name = `${db}:${JSON.stringify(key)}${field === undefined ? '' : ` ${JSON.stringify(field)}`}`;
    const mayVanish = this.population === 'vanishing';
    const history = this.#history.register(name, { isCounter, mayVanish });
    return { ...place, history, lastVersion: 0 };
  }

  #slots(): Slot[] {
    const isVanishing = this.population === 'vanishing';
    const names = Array.from({ length: isVanishing ? 16 : 8 }, (_, i) => `o\xff${i}`);
    const singles = names.map((name) => this.#slot(name, false, false));
    if (isVanishing) return singles;
    const pairs = ['p1', 'p2', 'p3'].map((name) => this.#slot(name, true, false));
    const hashPairs = ['q1'].map((name) => this.#slot(name, true, true));
    return [...singles, ...pairs, ...hashPairs];
  }

  #slot(name: string, isPair: boolean, isHash: boolean): Slot {
    const slot: Slot = { name, isPair, isHash, registers: [], generation: 0 };
    slot.registers = this.#registersOf(slot);
    return slot;
  }

  #registersOf({ name, generation, isPair, isHash }: Slot): Register[] {
    const key = `${name}#${generation}`;
    if (!isPair) return [this.#owned(0, key)];
    if (isHash) return ['left', 'right'].map((field) => this.#owned(0, key, field));
    return ['left', 'right'].map((side) => this.#owned(0, `${key}:${side}`));
  }
}

/** One of them, the first ones more often: contention is where races are. */
export function pickHot<T>(random: Random, items: readonly T[]): T {
  return items[Math.min(random.int(0, items.length - 1), random.int(0, items.length - 1))] as T;
}
