import { FILES_LEFT_MAX } from './run.ts';
import type { Statement } from './witness.ts';

/** What a run saw. */
export interface FuzzReport {
  readonly seed: number;
  readonly seconds: number;
  /** By strategy, how often its rounds ended in each way. */
  readonly outcomes: ReadonlyMap<string, ReadonlyMap<string, number>>;
  /** Of well-behaved sessions. */
  readonly latencyMs: Statement['latencyMs'];
  readonly directMs: Statement['directMs'];
  readonly residentBytes: {
    readonly start: number;
    readonly peak: number;
    readonly end: number;
    readonly limit: number;
  };
  /** When every client was gone: sessions, and open files more than at the start. */
  readonly left: { readonly sessions: number; readonly files: number };
  /** Why nearcache closed sessions by itself, and how often. */
  readonly closings: ReadonlyMap<string, number>;
  /** nearcache's exit code after SIGTERM. */
  readonly exit: number | string;
  readonly failures: readonly string[];
}

/** Everything that is not as it must be; empty = passed. */
export function verdict(report: FuzzReport): string[] {
  const { residentBytes, left, exit } = report;
  const problems = [...report.failures];
  if (residentBytes.peak > residentBytes.limit) problems.push('resident memory went over its limit');
  if (left.sessions > 0) problems.push(`${left.sessions} sessions stayed open without a client`);
  if (left.files > FILES_LEFT_MAX) problems.push(`${left.files} files stayed open`);
  if (exit !== 0) problems.push(`nearcache ended with ${exit}`);
  return problems;
}

/** The summary of a run, for people. */
export function printable(report: FuzzReport): string {
  const { residentBytes, left, exit } = report;
  const problems = verdict(report);
  const lines = [`fuzz, seed ${report.seed}, ${Math.round(report.seconds)} s`, ''];
  for (const [strategy, counts] of report.outcomes) {
    const rounds = [...counts.values()].reduce((sum, count) => sum + count, 0);
    const endings = [...counts].toSorted((a, b) => b[1] - a[1]).map(([how, count]) => `${count} ${how}`);
    lines.push(`${strategy.padEnd(20)} ${String(rounds).padStart(7)} rounds: ${endings.join(', ')}`);
  }
  lines.push(
    '',
    `healthy sessions     ${latencies(report.latencyMs)}`,
    `directly to Redis    ${latencies(report.directMs)}`,
    `resident memory      start ${mb(residentBytes.start)}, peak ${mb(residentBytes.peak)}, end ${mb(residentBytes.end)}, limit ${mb(residentBytes.limit)}`,
    `left behind          ${left.sessions} sessions, ${left.files} files (at most ${FILES_LEFT_MAX})`,
    ...[...report.closings].map(([reason, count]) => `sessions closed      ${count} times: ${reason}`),
    `exit                 ${exit}`,
    ...problems.map((problem) => `PROBLEM              ${problem}`),
    problems.length === 0 ? 'PASS' : 'FAIL',
  );
  return lines.join('\n');
}

function latencies({ count, p50, p99, max }: Statement['latencyMs']): string {
  return `${count} round trips, p50 ${ms(p50)}, p99 ${ms(p99)}, slowest ${ms(max)}`;
}

function ms(value: number): string {
  return `${value.toFixed(2)} ms`;
}

function mb(bytes: number): string {
  return `${Math.round(bytes / 1_048_576)} MB`;
}
