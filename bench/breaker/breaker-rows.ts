/** What is made of runs with the breaker and without. */
import type { Verdict } from '../gate.ts';
import { quietest } from '../others.ts';
import { median } from '../report/table.ts';
import { atLeast, atMost } from '../report/verdict-table.ts';
import type { Sample } from '../sample.ts';

/** One run of each side, one directly after the other. Shape: rounds of one `life` are of the same two processes; `othersShare` is the
 *  higher of the two. */
export interface Round {
  readonly life: number;
  readonly isOnFirst: boolean;
  readonly on: Sample;
  readonly off: Sample;
  readonly othersShare: number;
}

/** One load. Shape: `rounds` are those that were run; of each life and order of sides the quietest half is looked at. */
export interface BreakerRow {
  readonly name: string;
  readonly rounds: readonly Round[];
}

/** What a row says. Units: `cpuMicros` of one operation, bytes. Shape: ratios are on / off, the median of the rounds' own ratios, so that
 *  what was slow in both sides of a round does not count, for each life and order of the sides; of these the geometric mean, in which what
 *  coming first costs cancels out (Redis is up to a sixth slower for the first run of writes), and the luck of processes (two that
 *  do the same differ by up to 8 % for as long as they live). */
export interface Compared {
  readonly opsPerSecond: { readonly on: number; readonly off: number };
  readonly cpuMicros: { readonly on: number; readonly off: number };
  readonly residentBytes: { readonly on: number; readonly off: number };
  readonly speedRatio: number;
  readonly cpuRatio: number;
}

const leastSpeed = 0.95;
const mostCpu = 1.05;

export function compare({ rounds }: BreakerRow): Compared {
  const groups = [...Map.groupBy(rounds, ({ life, isOnFirst }) => `${life} ${isOnFirst}`).values()].map(
    (group) => quietest(group, Math.ceil(group.length / 2)),
  );
  const quiet = groups.flat();
  const both = (value: (sample: Sample) => number): { on: number; off: number } => ({
    on: median(quiet.map(({ on }) => value(on))),
    off: median(quiet.map(({ off }) => value(off))),
  });
  const ratio = (value: (sample: Sample) => number): number =>
    geometricMean(groups.map((group) => median(group.map(({ on, off }) => value(on) / value(off)))));
  return {
    opsPerSecond: both(speedOf),
    cpuMicros: both(cpuOf),
    residentBytes: both((sample) => sample.residentBytes),
    speedRatio: ratio(speedOf),
    cpuRatio: ratio(cpuOf),
  };
}

function geometricMean(ratios: readonly number[]): number {
  return Math.exp(ratios.reduce((sum, ratio) => sum + Math.log(ratio), 0) / ratios.length);
}

function speedOf({ requestsPerSecond }: Sample): number {
  return requestsPerSecond;
}

function cpuOf({ targetCpu, requests }: Sample): number {
  return (targetCpu * 1e6) / requests;
}

/** How many of a row's commands reached Redis, for each that was asked for: less than one has not passed through. */
export function passedThrough({ rounds }: BreakerRow): number {
  const samples = rounds.flatMap(({ on, off }) => [on, off]);
  const total = (value: (sample: Sample) => number): number =>
    samples.reduce((sum, sample) => sum + value(sample), 0);
  return total((sample) => sample.backendCommands) / total((sample) => sample.requests);
}

/** What is promised of the breaker while all is well. A comparison that could not be made is a FAIL. */
export function judgeBreaker(rows: readonly BreakerRow[]): Verdict[] {
  return rows.flatMap((row) => {
    const { speedRatio, cpuRatio } = compare(row);
    return [
      atLeast(`${row.name}: throughput, breaker on / off`, speedRatio, leastSpeed),
      atMost(`${row.name}: CPU an operation, breaker on / off`, cpuRatio, mostCpu),
      // Else it was something else that was compared.
      atLeast(`${row.name}: commands at Redis / asked for`, passedThrough(row), 0.9),
    ];
  });
}
