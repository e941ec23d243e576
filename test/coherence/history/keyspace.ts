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
 *  near-cache. `vanishing` = Redis may evict them. `owned` = each has one writer, who knows their order whatever Redis forgets. */
export type Population = 'standard' | 'unscripted' | 'vanishing' | 'flushed' | 'owned';

/** How Redis divides what there is. Shape: `isSpread` = over several servers, so that one command may name keys of one place only,
 *  and a script has to say which. */
export interface Layout {
  readonly databases: readonly number[];
  readonly isSpread: boolean;
  readonly hasNomads?: boolean;
}

const TWO_DATABASES: Layout = { databases: [0, 1], isSpread: false };

export const ACCOUNTS: readonly string[] = [0, 1, 2, 3, 4].map((i) => `{bank}:${i}`);
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
const NOMAD_KEYS = ['nomad:0', 'nomad:1', 'nomad:2', 'nomad:3'];
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
  /** Owned by whoever moves the slots of a Cluster. */
  readonly nomads: readonly Register[];
  /** Registers that are no longer written. */
  readonly retired: Register[] = [];
  readonly databases: readonly number[];
  readonly isSpread: boolean;
  readonly #history: History;

  constructor(history: History, population: Population, layout: Layout = TWO_DATABASES) {
    this.#history = history;
    this.population = population;
    const { databases, isSpread } = layout;
    this.databases = databases;
    this.isSpread = isSpread;
    const isStandard = population === 'standard' || population === 'unscripted';
    this.counters = isStandard
      ? databases.flatMap((db) => COUNTER_KEYS.map((key) => this.#counter(db, key)))
      : [];
    this.hashes = isStandard ? databases.map((db) => this.#hash(db)) : [];
    this.slots = population === 'flushed' ? [] : this.#slots();
    this.nomads = layout.hasNomads === true ? NOMAD_KEYS.map((key) => this.#owned(0, key)) : [];
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

  /** Scripts may use keys that they do not declare. */
  get hasUndeclared(): boolean {
    return this.hasScripts && !this.isSpread;
  }

  /** Some that one transaction may name together. */
  together(registers: readonly Register[]): readonly Register[] {
    return this.isSpread ? registers.slice(0, 1) : registers;
  }

  /** Everything that ever was, for the last comparison with Redis. */
  get all(): readonly Register[] {
    return [
      ...this.counters,
      ...this.hashes.flatMap(({ fields }) => fields),
      ...this.slots.flatMap(({ registers }) => registers),
      ...this.flushed.flat(),
      ...this.nomads,
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
    const count = this.population === 'owned' ? 24 : isVanishing ? 16 : 8;
    const names = Array.from({ length: count }, (_, i) => `o\xff${i}`);
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
    return ['left', 'right'].map((side) => this.#owned(0, `{${key}}:${side}`));
  }
}

/** One of them, the first ones more often: contention is where races are. */
export function pickHot<T>(random: Random, items: readonly T[]): T {
  return items[Math.min(random.int(0, items.length - 1), random.int(0, items.length - 1))] as T;
}
