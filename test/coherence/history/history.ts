/** What a read has shown of a register. Shape: the value as text, null = no such value, PRESENT = some value (EXISTS). */
export type Token = string | null | typeof PRESENT;
export const PRESENT: unique symbol = Symbol('present');

/** Which way a command took: through nearcache, or directly to Redis as another program would. */
export type Via = 'proxy' | 'outside';

/** What every operation has. Units: `start` and `end` are ms of one monotonic clock: just before the bytes were written,
 *  and when the whole reply had been read. Shape: `order` counts the requests of its connection. */
export interface Operation {
  readonly start: number;
  readonly end: number;
  readonly connection: number;
  readonly order: number;
  readonly via: Via;
  readonly command: string;
}

/** A write that Redis ordered. Shape: `version` grows in the order in which Redis ran the writes of one register; `end` is
 *  Infinity when the outcome is unknown; `token` is what reads show from then on; `livesMs` for a value that expires. */
export interface Write extends Operation {
  readonly version: number;
  readonly token: string | null;
  readonly livesMs?: number | undefined;
  /** It was sent to a server that was no primary any more. */
  readonly undoneBy?: Failover | undefined;
}

/** A read that was answered. Shape: `isHit` = Redis was certainly not asked. */
export interface Read extends Operation {
  readonly token: Token;
  readonly isHit: boolean;
}

/** Another server has become the primary. Units: ms of the monotonic clock.
 *  Shape: `promotedAt` = when it was seen for the last time not to be one; `knownAt` = when all that decide on it said so. */
export interface Failover {
  readonly promotedAt: number;
  readonly knownAt: number;
}

/** What a new primary has shown, which nobody else had asked. */
export interface Proof extends Interval {
  readonly token: string | null;
  readonly failover: Failover;
}

/** Everything that happened to one register: a key of one database, or a field of a hash.
 *  Shape: `isCounter` = the value is its version, as INCR makes it; `mayVanish` = Redis may evict it at any time;
 *  `unknown` = when writes were sent whose version never became known. */
export interface RegisterHistory {
  readonly name: string;
  readonly isCounter: boolean;
  readonly mayVanish: boolean;
  readonly writes: Write[];
  readonly reads: Read[];
  readonly unknown: number[];
  readonly proofs: Proof[];
}

/** Values that one command has read together and that belong together. */
export interface Snapshot {
  readonly what: string;
  readonly operation: Operation;
  readonly values: readonly (string | null)[];
}

/** How long something was so. Units: ms of the monotonic clock. */
export interface Interval {
  readonly start: number;
  readonly end: number;
}

/** One violated rule. Shape: `rule` as the coherence spec names it. */
export interface Violation {
  readonly rule: string;
  readonly text: string;
  readonly excerpt: readonly string[];
}

/** The record of a run. Everything is only appended to; `errors` counts failures by their text. */
export class History {
  readonly registers: RegisterHistory[] = [];
  readonly snapshots: Snapshot[] = [];
  readonly faults: Interval[] = [];
  readonly failovers: Failover[] = [];
  readonly errors: Map<string, number> = new Map();
  /** What went wrong while no fault was at work. */
  readonly calmErrors: string[] = [];
  readonly violations: Violation[] = [];
  /** Errors that must be expected even then. */
  tolerates: RegExp | undefined;

  register(name: string, kind: { isCounter: boolean; mayVanish: boolean }): RegisterHistory {
    const register = { name, ...kind, writes: [], reads: [], unknown: [], proofs: [] };
    this.registers.push(register);
    return register;
  }

  failed({ start, end, command, via }: Operation, message: string): void {
    const kind = message.replace(/\d+/g, 'N').slice(0, 70);
    this.errors.set(kind, (this.errors.get(kind) ?? 0) + 1);
    const isTolerated = this.tolerates?.test(message) === true;
    // What other programs hear past nearcache is not its doing.
    const isOurs = via === 'proxy' && !isTolerated;
    if (isOurs && this.isCalm(start, end)) this.calmErrors.push(`${command}: ${message}`);
  }

  /** Was no fault at work in all this time? */
  isCalm(start: number, end: number): boolean {
    return this.faults.every((fault) => end < fault.start || start > fault.end);
  }
}
