import type { Violation } from './history.ts';

/** What a run saw. Shape: `calmReads` are those while no fault was at work; `countedHits` is nearcache's own count.
 *  Units: ms; `behindMs` is the furthest that any read lagged behind what had been acknowledged to anybody. */
export interface RunReport {
  readonly name: string;
  readonly seed: number;
  readonly seconds: number;
  readonly stalenessMs: number;
  readonly reads: number;
  readonly hits: number;
  readonly hitsOnOutsideWrites: number;
  readonly calmReads: number;
  readonly calmHits: number;
  readonly countedHits: number;
  readonly writes: number;
  readonly outsideWrites: number;
  readonly faults: number;
  readonly behindMs: number;
  /** Promotions of a new primary, acknowledged writes that these have undone, the longest time after a promotion in which something of
   *  the time before was shown, and the longest that the servers themselves needed to agree on the new primary. */
  readonly failovers: number;
  readonly lostWrites: number;
  readonly oldTimeMs: number;
  readonly noticedMs: number;
  readonly errors: ReadonlyMap<string, number>;
  readonly violations: readonly Violation[];
  /** Anything else that must not be. */
  readonly problems: readonly string[];
}

/** A run of which fewer reads were hits proves nothing. */
export function leastHits(seconds: number): { all: number; onOutsideWrites: number } {
  return { all: 100 * seconds, onOutsideWrites: 10 * seconds };
}

const CALM_HIT_RATIO_MIN = 0.5;
const SHOWN_VIOLATIONS = 3;

/** Everything that is not as it must be; empty = passed. */
export function verdict(report: RunReport): string[] {
  const { seconds, hits, countedHits, hitsOnOutsideWrites, violations } = report;
  const problems = [...report.problems];
  if (violations.length > 0) problems.push(`${violations.length} violations: ${countsOf(violations)}`);
  const least = leastHits(seconds);
  if (Math.min(hits, countedHits) < least.all) problems.push(`fewer than ${least.all} hits`);
  if (hitsOnOutsideWrites < least.onOutsideWrites)
    problems.push(`fewer than ${least.onOutsideWrites} hits on what was last written outside`);
  if (!(calmRatio(report) >= CALM_HIT_RATIO_MIN))
    problems.push(`only ${percent(calmRatio(report))} of the reads without a fault were hits`);
  return problems;
}

/** One run, for people. */
export function printable(report: RunReport): string {
  const problems = verdict(report);
  const { violations } = report;
  const lines = [
    `${problems.length === 0 ? 'PASS' : 'FAIL'} ${report.name.padEnd(22)} seed ${report.seed}, ${report.seconds} s, D ${report.stalenessMs} ms: ` +
      `${report.reads} reads, ${report.hits} hits (${report.countedHits} by nearcache's count), ` +
      `${report.hitsOnOutsideWrites} of them of outside writes, ${percent(calmRatio(report))} of ${report.calmReads} calm reads; ` +
      `${report.writes} writes, ${report.outsideWrites} outside; ${report.faults} faults; ` +
      `at most ${report.behindMs.toFixed(1)} ms behind; ${violations.length} violations`,
    ...(report.failovers === 0 ? [] : [failoverLine(report)]),
    ...[...report.errors].map(([message, count]) => `     ${count} × ${message}`),
    ...problems.map((problem) => `     PROBLEM ${problem}`),
  ];
  for (const { rule, text, excerpt } of violations.slice(0, SHOWN_VIOLATIONS)) {
    lines.push(`     ${rule}: ${text}`, ...excerpt.map((line) => `       ${line}`));
  }
  return lines.join('\n');
}

function failoverLine({ failovers, lostWrites, oldTimeMs, noticedMs, stalenessMs }: RunReport): string {
  return (
    `     ${failovers} failovers undid ${lostWrites} acknowledged writes; the old time was shown for at most ${oldTimeMs.toFixed(1)} ms ` +
    `after a promotion, of ${(noticedMs + stalenessMs).toFixed(0)} ms allowed (${noticedMs.toFixed(0)} ms until the servers agreed, and D)`
  );
}

function countsOf(violations: readonly Violation[]): string {
  const counts = new Map<string, number>();
  for (const { rule } of violations) counts.set(rule, (counts.get(rule) ?? 0) + 1);
  return [...counts].map(([rule, count]) => `${count} × ${rule}`).join('; ');
}

function calmRatio({ calmHits, calmReads }: RunReport): number {
  return calmHits / calmReads;
}

function percent(ratio: number): string {
  return `${(100 * ratio).toFixed(1)} %`;
}
