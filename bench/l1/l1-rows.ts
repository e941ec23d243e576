/** What the processes of `l1` are told and tell, and what is demanded. */
import type { Verdict } from '../gate.ts';
import { atMost } from '../report/verdict-table.ts';
import { median } from '../report/table.ts';

export const l1Kinds = ['store', 'lru-cache'] as const;
export type L1Kind = (typeof l1Kinds)[number];

export interface L1Input {
  readonly kind: L1Kind;
  readonly entries: number;
  readonly operations: number;
  readonly churnOperations: number;
}

/** Timed in rounds, in this order: the last two change what is held. */
export const figures = ['hit', 'hit+copy', 'miss', 'overwrite', 'set+evict'] as const;
export type Figure = (typeof figures)[number];

/** Shape: `found` of the `operations` looks were hits, in the figures that look. */
export interface Timing {
  readonly nanosAnOperation: number;
  readonly found: number;
  readonly operations: number;
}

/** Units: bytes beyond what the process had before, for each of the `entries`. */
export interface Filled {
  readonly residentAnEntry: number;
  readonly entries: number;
}

/** One set in five operations. Shape: pauses of garbage collection, all kinds. */
export interface GcChurn {
  readonly nanosAnOperation: number;
  readonly longestPauseMs: number;
  readonly gcShare: number;
}

export interface L1Row {
  readonly kind: L1Kind;
  readonly filled: Filled;
  readonly timings: Readonly<Record<Figure, readonly Timing[]>>;
  readonly churn: GcChurn;
  /** Why the row does not count; undefined = it does. */
  readonly invalid: string | undefined;
}

/** The median of the rounds. */
export function nanosOf(row: L1Row, figure: Figure): number {
  return median(row.timings[figure].map(({ nanosAnOperation }) => nanosAnOperation));
}

/** Hits that missed, misses that hit, or too few entries: such a row measured something else. */
export function whyInvalidL1(
  row: Pick<L1Row, 'filled' | 'timings'>,
  wantedEntries: number,
): string | undefined {
  if (row.filled.entries < 0.99 * wantedEntries) return `holds only ${row.filled.entries} entries`;
  for (const figure of ['hit', 'hit+copy'] as const) {
    const missed = row.timings[figure].find(({ found, operations }) => found < 0.99 * operations);
    if (missed !== undefined) return `only ${missed.found} of ${missed.operations} in ${figure} were hits`;
  }
  const hit = row.timings.miss.find(({ found }) => found > 0);
  return hit === undefined ? undefined : `${hit.found} misses were hits`;
}

const demands: readonly { readonly figure: Figure; readonly most: number }[] = [
  { figure: 'hit', most: 0.6 },
  { figure: 'miss', most: 0.4 },
  { figure: 'set+evict', most: 0.8 },
];
const mostResident = 0.55;
const mostPauseMs = 25;

/** Compares the store with lru-cache. A comparison that could not be made is a FAIL. */
export function judgeL1(rows: readonly L1Row[]): Verdict[] {
  const [store, other] = l1Kinds.map((kind) => rows.find((row) => row.kind === kind));
  const reason = rows.find(({ invalid }) => invalid !== undefined)?.invalid;
  const compare = (what: string, most: number, ratioOf: (store: L1Row, other: L1Row) => number): Verdict => {
    const verdict = atMost(
      what,
      store === undefined || other === undefined ? undefined : ratioOf(store, other),
      most,
    );
    return reason === undefined ? verdict : { ...verdict, pass: false, reason };
  };
  return [
    ...demands.map(({ figure, most }) =>
      compare(`${figure}, ns / lru-cache`, most, (own, its) => nanosOf(own, figure) / nanosOf(its, figure)),
    ),
    compare('resident memory an entry / lru-cache', mostResident, (own, its) => {
      return own.filled.residentAnEntry / its.filled.residentAnEntry;
    }),
    compare('longest GC pause, ms', mostPauseMs, ({ churn }) => churn.longestPauseMs),
  ];
}
