/** What the processes of `memory` are told and tell, and what is demanded of it. */
import { printSize } from '../../src/config/units.ts';
import type { Verdict } from '../gate.ts';
import type { Percentiles } from '../report/percentiles.ts';
import { atMost } from '../report/verdict-table.ts';

/** `none` is the same load without a cache. */
export const memoryKinds = ['none', 'store', 'lru-cache'] as const;
export type MemoryKind = (typeof memoryKinds)[number];

export interface MemoryInput {
  readonly kind: MemoryKind;
  readonly limitBytes: number;
  readonly inserts: number;
  /** Enough to fill the cache before 'churn' and 'soak' begin to measure. */
  readonly warmUpInserts: number;
  readonly churnKeys: number;
  readonly minutes: number;
}

/** By how much resident memory grew, at the end and at most. */
export interface Fill {
  readonly grownBytes: number;
  readonly peakBytes: number;
  readonly entries: number;
}

/** Units: ms a batch of 100 hits, and of 100 inserts. */
export interface Churn {
  readonly quiet: Percentiles;
  readonly busy: Percentiles;
  readonly inserts: Percentiles;
  readonly hitRatio: number;
  readonly keys: number;
}

/** Resident memory over time, evenly spaced. */
export interface Soak {
  readonly residents: readonly number[];
  readonly keys: number;
}

/** One cache with one limit. Shape: `ownBytes` is what it grew beyond the load without a cache. */
export interface FillRow extends Fill {
  readonly kind: MemoryKind;
  readonly limitBytes: number;
  readonly ownBytes: number;
}

/** Of the whole bench. */
export interface MemoryRows {
  readonly fills: readonly FillRow[];
  readonly churn: Churn | undefined;
  readonly soak: Soak | undefined;
}

const mostOfLimit = 1.05;
const mostOfQuiet = 3;
const mostGrowth = 0.05;
/** With fewer hits the batches did not time hits. */
const leastHitRatio = 0.99;

/** Compares with every demand. `limitBytes` is that of churn and soak. */
export function judgeMemory({ fills, churn, soak }: MemoryRows, limitBytes: number): Verdict[] {
  const verdicts = fills
    .filter(({ kind }) => kind === 'store')
    .map((row) => {
      const what = `resident memory of the store / limit, ${printSize(row.limitBytes)}`;
      return atMost(what, row.ownBytes / row.limitBytes, mostOfLimit);
    });
  if (churn !== undefined) {
    const { p999: busy } = churn.busy;
    const { p999: quiet } = churn.quiet;
    const ratio = busy === undefined || quiet === undefined ? undefined : busy / quiet;
    const verdict = atMost('p99.9 of hits under churn / quiet', ratio, mostOfQuiet);
    const few = `only ${(100 * churn.hitRatio).toFixed(1)} % were hits`;
    verdicts.push(churn.hitRatio < leastHitRatio ? { ...verdict, pass: false, reason: few } : verdict);
  }
  if (soak !== undefined) {
    verdicts.push(atMost('growth under churn / limit', growthOf(soak.residents) / limitBytes, mostGrowth));
  }
  return verdicts;
}

/** The most of the last quarter over the most of the second: the first may still fill up. */
export function growthOf(residents: readonly number[]): number {
  const quarter = Math.floor(residents.length / 4);
  if (quarter === 0) return Number.NaN;
  const most = (from: number): number => Math.max(...residents.slice(from, from + quarter));
  return most(residents.length - quarter) - most(quarter);
}
