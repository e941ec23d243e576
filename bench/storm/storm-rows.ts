/** What is made of a run: what Redis got when it came back, compared with what it may get. */
import type { Verdict } from '../gate.ts';
import { atLeast, atMost } from '../report/verdict-table.ts';
import type { StormOptions } from './storm-options.ts';

/** What Redis has counted up to a moment. Units: seconds since it came back, so that what was before is negative. */
export interface RedisPoint {
  readonly at: number;
  readonly reads: number;
  readonly connections: number;
}

/** What the apps saw in a stretch of time. Units: seconds since Redis came back; ms. */
export interface AppStep {
  readonly from: number;
  readonly to: number;
  readonly answered: number;
  readonly errors: number;
  readonly p99Ms: number;
}

/** How often a nearcache's breaker opened in the outage, and again after it had closed. */
export interface BreakerStory {
  readonly opened: boolean;
  readonly closed: boolean;
  readonly openedAgain: number;
}

/** One run, with the ramp or without it. Shape: `connectionsBefore` is what Redis had of all nearcaches before the outage. */
export interface StormRun {
  readonly points: readonly RedisPoint[];
  readonly app: readonly AppStep[];
  readonly breakers: readonly BreakerStory[];
  readonly connectionsBefore: number;
}

type Counted = 'reads' | 'connections';

const WINDOW_STEP = 0.1;
/** After the restart: the watch's, and two of those who wait until Redis answers. */
const OWN_CONNECTIONS = 3;

/** Up to a moment, read between the points. */
export function countAt(points: readonly RedisPoint[], at: number, counted: Counted): number {
  const after = points.findIndex((point) => point.at > at);
  const [left, right] = [points[after < 0 ? points.length - 1 : after - 1], points[after]];
  if (left === undefined) return right?.[counted] ?? 0;
  if (right === undefined) return left[counted];
  return left[counted] + ((right[counted] - left[counted]) * (at - left.at)) / (right.at - left.at);
}

/** The reads that a recovery of so many nearcaches may send up to a moment after Redis came back: a rate that doubles each
 *  second. */
export function allowedUntil({ nearcaches, recoveryRate }: StormOptions, at: number): number {
  const whole = Math.floor(Math.max(0, at));
  const rest = Math.max(0, at) - whole;
  return nearcaches * recoveryRate * (2 ** whole - 1 + rest * 2 ** whole);
}

/** The second of the ramp in which Redis got most reads, against what it may get in that second. */
export function worstSecond(run: StormRun, options: StormOptions): number {
  const windows = Math.floor((options.rampSeconds - 1) / WINDOW_STEP + 1e-9);
  const ratios = Array.from({ length: windows + 1 }, (_, i) => {
    const [from, to] = [i * WINDOW_STEP, i * WINDOW_STEP + 1];
    const got = countAt(run.points, to, 'reads') - countAt(run.points, from, 'reads');
    return got / (allowedUntil(options, to) - allowedUntil(options, from));
  });
  return Math.max(...ratios);
}

/** All connections of nearcaches that came after Redis was back, and the most of them in half a second. */
export function connectionsAfter({ points }: StormRun): { readonly all: number; readonly burst: number } {
  const until = (at: number): number => countAt(points, at, 'connections');
  const end = points.at(-1)?.at ?? 0;
  const windows = Math.max(0, Math.ceil(end / WINDOW_STEP));
  const bursts = Array.from(
    { length: windows },
    (_, i) => until(i * WINDOW_STEP + 0.5) - until(i * WINDOW_STEP),
  );
  return { all: until(end) - until(0) - OWN_CONNECTIONS, burst: Math.max(0, ...bursts) - OWN_CONNECTIONS };
}

/** What a log says of the breaker. */
export function breakerStory(log: string): BreakerStory {
  const states = [...log.matchAll(/the circuit breaker is (open|closed)/g)].map(([, state]) => state);
  const opened = states.indexOf('open');
  const closed = opened < 0 ? -1 : states.indexOf('closed', opened);
  const after = closed < 0 ? [] : states.slice(closed);
  return {
    opened: opened >= 0,
    closed: closed >= 0,
    openedAgain: after.filter((state) => state === 'open').length,
  };
}

/** The promises of a recovery. */
export function judgeStorm(ramped: StormRun, unlimited: StormRun, options: StormOptions): Verdict[] {
  const { all, burst } = connectionsAfter(ramped);
  const end = ramped.app.at(-1)?.to ?? 0;
  const last = ramped.app.filter(({ from }) => from >= end - 2);
  const errors = last.reduce((sum, step) => sum + step.errors, 0);
  const answered = last.reduce((sum, step) => sum + step.answered, 0);
  const wanted = 2 * options.nearcaches * options.rate;
  const healed = ramped.breakers.filter(({ opened, closed }) => opened && closed).length;
  const again = ramped.breakers.reduce((sum, { openedAgain }) => sum + openedAgain, 0);
  return [
    atMost('reads at Redis in any second of the ramp / allowed', worstSecond(ramped, options), 1.1),
    // Else the load would not have tried the ramp.
    atLeast('the same without a ramp', worstSecond(unlimited, options), 2),
    atMost('connections after the outage / before', all / ramped.connectionsBefore, 1.5),
    atMost('most connections in half a second / all', burst / all, 0.6),
    atLeast('breakers that opened and closed again / nearcaches', healed / options.nearcaches, 1),
    atMost('breakers that opened a second time', again, 0),
    atMost('errors in the last two seconds', errors, 0),
    atLeast('answers in the last two seconds / wanted', answered / wanted, 0.8),
  ];
}
