import type { Verdict } from '../gate.ts';
import type { Percentiles } from '../report/percentiles.ts';
import { atLeast, atMost } from '../report/verdict-table.ts';

/** The other clients of one kind, in two nearcaches of one run. Units: ms. */
export interface OthersRow {
  readonly name: 'hits' | 'writes';
  readonly beside: Percentiles;
  readonly apart: Percentiles;
}

/** What became of offenders of one kind. */
export interface EndRow {
  readonly offender: string;
  readonly count: number;
  readonly ended: number;
  readonly how: string;
}

/** Resident memory of the nearcache with the offenders. Units: bytes. */
export interface MemoryRow {
  readonly peak: number;
  /** Of the nearcache without, at its peak. */
  readonly apart: number;
  readonly limit: number;
}

/** In how many of the seconds no other machine had the CPU. Units: 0 to 1, of all and of those in which the large value came. */
export interface QuietShares {
  readonly all: number;
  readonly big: number;
}

const mostChange = 1.3;
/** What is closed is garbage for a while, and what Node keeps beside it (sockets, writes under way) is not counted. */
const garbage = 1.5;
const enoughSeconds = 0.5;

/** Compares what was measured with every demand. A comparison that could not be made is a FAIL. */
export function judgeOffenders(
  others: readonly OthersRow[],
  ends: readonly EndRow[],
  memory: MemoryRow,
  quiet: QuietShares,
): Verdict[] {
  return [
    ...others.map(({ name, beside, apart }) => {
      const ratio = beside.p99 === undefined || apart.p99 === undefined ? undefined : beside.p99 / apart.p99;
      return atMost(`p99 of ${name}, beside offenders / apart`, ratio, mostChange);
    }),
    atMost(
      `memory at its peak, less that of the nearcache apart / --max-clients-memory`,
      (memory.peak - memory.apart) / memory.limit,
      garbage,
    ),
    atLeast('seconds in which no other machine had the CPU, of all', quiet.all, enoughSeconds),
    atLeast('the same of those in which the large value came', quiet.big, enoughSeconds),
    ...ends.map(({ offender, count, ended }) => atLeast(`their end had: ${offender}`, ended / count, 1)),
  ];
}
