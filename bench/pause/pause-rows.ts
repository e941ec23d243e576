/** What is made of a pause: who waited for how long, and whether that is what is promised. */
import type { Verdict } from '../gate.ts';
import { newHistogram, type Percentiles, percentilesOf, recordMs } from '../report/percentiles.ts';
import { median } from '../report/table.ts';
import { atLeast, atMost } from '../report/verdict-table.ts';
import { PAUSED, type RequestKind, type Sent } from './pause-plan.ts';

/** When things happened. Units: ms of the clock that all processes share. Shape: `openAt` is when somebody first saw that the breaker
 *  of the paused shard was open, undefined = nobody did. */
export interface Marks {
  readonly beganAt: number;
  readonly stoppedAt: number;
  readonly openAt: number | undefined;
  readonly continuedAt: number;
}

/** What was seen of nearcache at a moment. Units: ms as above, bytes. Shape: the breaker's state as /metrics says it, undefined = it
 *  was not asked then. */
export interface Look {
  readonly at: number;
  readonly residentBytes: number;
  readonly breaker: number | undefined;
}

export interface PauseRun {
  readonly sent: readonly Sent[];
  readonly looks: readonly Look[];
  readonly marks: Marks;
  readonly closed: number;
  readonly commandTimeoutMs: number;
}

export const phases = ['calm', 'pause', 'after'] as const;
export type Phase = (typeof phases)[number];

/** What an app that waits for its answer takes for one that came at once. Units: ms. */
const FAST_MS = 5;
const RECOVERY_MS = 3000;
const RESIDENT_MB = 20;
const MB = 1024 * 1024;
/** Of the requests to the paused shard: the others came before its breaker opened, or behind one of those. */
const LEAST_JUDGED = 0.5;

/** The phase in which a request was due. */
export function phaseOf(at: number, { stoppedAt, continuedAt }: Marks): Phase {
  if (at < stoppedAt) return 'calm';
  return at < continuedAt ? 'pause' : 'after';
}

/** How long an app waited, counted from when the request was due. */
export function waited({ dueAt, doneAt }: Sent): number {
  return doneAt - dueAt;
}

/** How long nearcache took, counted from when it was sent. */
export function took({ sentAt, doneAt }: Sent): number {
  return doneAt - sentAt;
}

/** Percentiles of those that were answered. */
export function percentilesOfAll(sent: readonly Sent[], ms: (request: Sent) => number): Percentiles {
  const histogram = newHistogram();
  for (const request of sent) if (request.outcome !== 'none') recordMs(histogram, ms(request));
  return percentilesOf(histogram);
}

/** The requests to the shards that are well, of a phase. */
export function othersIn(run: PauseRun, phase: Phase, kind?: RequestKind): Sent[] {
  return run.sent.filter(
    (request) =>
      request.shard !== PAUSED &&
      (kind === undefined || request.kind === kind) &&
      phaseOf(request.dueAt, run.marks) === phase,
  );
}

/** The middle one of the p99s of each whole second of a phase. */
export function medianOfSeconds(run: PauseRun, phase: Phase, kind?: RequestKind): number {
  const requests = othersIn(run, phase, kind);
  const from = { calm: run.marks.beganAt, pause: run.marks.stoppedAt, after: run.marks.continuedAt }[phase];
  const seconds = Map.groupBy(requests, ({ dueAt }) => Math.floor((dueAt - from) / 1000));
  const p99s = [...seconds.values()].flatMap((second) => percentilesOfAll(second, waited).p99 ?? []);
  return median(p99s);
}

/** Requests to the paused shard that were due while its breaker was known to be open, and not for its near-cache alone: those at the
 *  head of their connection, and those that had one of before it opened in front of them, behind whose answer theirs has to come. */
export function whileOpen({ sent, marks }: PauseRun): { readonly free: Sent[]; readonly behind: Sent[] } {
  const { openAt, stoppedAt, continuedAt } = marks;
  if (openAt === undefined) return { free: [], behind: [] };
  const paused = sent.filter(
    ({ shard, kind, dueAt }) =>
      shard === PAUSED && kind !== 'hot' && dueAt >= stoppedAt && dueAt < continuedAt,
  );
  const freeFrom = new Map<number, number>();
  for (const { connection, dueAt, doneAt } of paused) {
    if (dueAt >= openAt) continue;
    const done = Number.isNaN(doneAt) ? Infinity : doneAt;
    freeFrom.set(connection, Math.max(freeFrom.get(connection) ?? 0, done));
  }
  const open = paused.filter(({ dueAt }) => dueAt >= openAt);
  const isFree = ({ connection, sentAt }: Sent): boolean => sentAt >= (freeFrom.get(connection) ?? 0);
  return { free: open.filter(isFree), behind: open.filter((request) => !isFree(request)) };
}

/** The first error that the paused shard's app had at once. Units: ms after the pause began. */
export function firstFastFailure({ sent, marks }: PauseRun): number | undefined {
  const fast = sent.filter(
    (request) =>
      request.shard === PAUSED &&
      request.dueAt >= marks.stoppedAt &&
      request.outcome === 'refused' &&
      took(request) <= FAST_MS,
  );
  if (fast.length === 0) return undefined;
  return fast.reduce((first, { doneAt }) => Math.min(first, doneAt), Infinity) - marks.stoppedAt;
}

/** When the last request that failed was due, after the pause ended; undefined = nothing succeeded behind it. Units: ms. */
export function recoveredAfter({ sent, marks }: PauseRun): number | undefined {
  const after = sent.filter(
    ({ shard, kind, dueAt }) => shard === PAUSED && kind !== 'hot' && dueAt >= marks.continuedAt,
  );
  const last = after.findLast(({ outcome }) => outcome !== 'right');
  const isServed = after.some(({ dueAt, outcome }) => outcome === 'right' && dueAt > (last?.dueAt ?? 0));
  return isServed ? Math.max(0, (last?.dueAt ?? 0) - marks.continuedAt) : undefined;
}

/** Resident memory, the middle of the looks before the pause and the highest in it. Units: bytes. */
export function memoryOf({ looks, marks }: PauseRun): { readonly calm: number; readonly pause: number } {
  const [calm, pause] = (['calm', 'pause'] as const).map((phase) =>
    looks.filter(({ at }) => phaseOf(at, marks) === phase).map((look) => look.residentBytes),
  ) as [number[], number[]];
  return { calm: median(calm), pause: Math.max(...pause) };
}

/** The promises about a shard that is paused. */
export function judgePause(run: PauseRun): Verdict[] {
  const { sent, marks } = run;
  const p99 = (phase: Phase): number | undefined => percentilesOfAll(othersIn(run, phase), waited).p99;
  const memory = memoryOf(run);
  const { free } = whileOpen(run);
  const inPause = sent.filter(
    ({ shard, kind, dueAt }) => shard === PAUSED && kind !== 'hot' && phaseOf(dueAt, marks) === 'pause',
  );
  const firstMs = firstFastFailure(run);
  const recoveredMs = recoveredAfter(run);
  const count = (isCounted: (request: Sent) => boolean): number => sent.filter(isCounted).length;
  const isError = ({ outcome }: Sent): boolean => outcome !== 'right';
  return [
    atMost("p99 of the other shards' requests, in the pause / before", ratio(p99('pause'), p99('calm')), 1.2),
    atMost(
      'resident memory, most in the pause less median before, MB',
      (memory.pause - memory.calm) / MB,
      RESIDENT_MB,
    ),
    atMost(
      "p99 of the paused shard's answers while its breaker is open, ms",
      percentilesOfAll(free, took).p99,
      FAST_MS,
    ),
    // Else hardly anything would have been judged.
    atLeast('requests so answered / all to it in the pause', free.length / inPause.length, LEAST_JUDGED),
    atMost('time until the first fast failure / --command-timeout', ratio(firstMs, run.commandTimeoutMs), 2),
    atMost(
      'last failure after the pause, s',
      recoveredMs === undefined ? undefined : recoveredMs / 1000,
      RECOVERY_MS / 1000,
    ),
    atMost(
      'requests without an answer, and connections closed',
      count(({ outcome }) => outcome === 'none') + run.closed,
      0,
    ),
    atMost(
      'wrong answers',
      count(({ outcome }) => outcome === 'wrong'),
      0,
    ),
    atMost(
      'errors on hot keys',
      count((request) => request.kind === 'hot' && isError(request)),
      0,
    ),
    atMost(
      'errors on keys of the other shards',
      count((request) => request.shard !== PAUSED && isError(request)),
      0,
    ),
  ];
}

function ratio(value: number | undefined, to: number | undefined): number | undefined {
  return value === undefined || to === undefined ? undefined : value / to;
}
