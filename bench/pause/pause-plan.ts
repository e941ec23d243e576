/** What the load of `paused-shard` is told, and what it tells. */

export const SHARD_NAMES = ['shard0', 'shard1', 'shard2'] as const;
/** The index of the shard that is paused. */
export const PAUSED = 0;

/** Of each shard. All cold keys together are several times what the near-cache holds. */
export const HOT_KEYS = 50;
export const COLD_KEYS = 20_000;
const VALUE_BYTES = 64;

/** hot = reads of keys that are in the near-cache; cold = reads of keys of which few are; write = a SET of one of the latter, which
 *  has the same value ever, so that each reply to a read can be told to be right. */
export const requestKinds = ['hot', 'cold', 'write'] as const;
export type RequestKind = (typeof requestKinds)[number];

/** right = the value, or OK; refused = an error that says that it was not sent; failed = any other error; wrong = anything else;
 *  none = no answer. */
export const outcomes = ['none', 'right', 'refused', 'failed', 'wrong'] as const;
export type Outcome = (typeof outcomes)[number];

/** One request. Units: ms of the clock that all processes of the machine share. Shape: `doneAt` is NaN when no answer came. */
export interface Sent {
  readonly shard: number;
  readonly kind: RequestKind;
  /** Of all shards, a number each. */
  readonly connection: number;
  readonly dueAt: number;
  readonly sentAt: number;
  readonly doneAt: number;
  readonly outcome: Outcome;
}

/** What to send. */
export interface PausePlan {
  readonly port: number;
  readonly connections: number;
  readonly rate: number;
  /** Before it counts, and then. */
  readonly warmSeconds: number;
  readonly seconds: number;
}

/** What became of it. Shape: `requests` holds `FIELDS` numbers a request (see `packSent`), since a quarter of a million objects would
 *  be long on their way; `errors` counts texts, without their numbers; `lagMs` is how late the load itself woke up, its p99. */
export interface LoadReport {
  readonly requests: readonly number[];
  readonly errors: Readonly<Record<string, number>>;
  readonly closed: number;
  readonly lagMs: number | undefined;
}

const FIELDS = 7;

/** As numbers; a moment that never came is -1, as JSON has no NaN. */
export function packSent({ shard, kind, connection, dueAt, sentAt, doneAt, outcome }: Sent): number[] {
  const micros = (ms: number): number => (Number.isNaN(ms) ? -1 : Math.round(ms * 1000));
  const words = [requestKinds.indexOf(kind), outcomes.indexOf(outcome)];
  return [shard, connection, ...words, micros(dueAt), micros(sentAt), micros(doneAt)];
}

export function unpackSent(numbers: readonly number[]): Sent[] {
  return Array.from({ length: numbers.length / FIELDS }, (_, i) => {
    const field = (at: number): number => numbers[i * FIELDS + at] as number;
    const ms = (at: number): number => (field(at) < 0 ? Number.NaN : field(at) / 1000);
    return {
      shard: field(0),
      connection: field(1),
      kind: requestKinds[field(2)] as RequestKind,
      outcome: outcomes[field(3)] as Outcome,
      dueAt: ms(4),
      sentAt: ms(5),
      doneAt: ms(6),
    };
  });
}

/** The value that a key has all the time. */
export function valueOfKey(key: string): string {
  return `value of ${key} `.repeat(VALUE_BYTES).slice(0, VALUE_BYTES);
}

/** Units: ms since some moment that is the same for all processes. */
export function machineMs(): number {
  return Number(process.hrtime.bigint() / 1000n) / 1000;
}
