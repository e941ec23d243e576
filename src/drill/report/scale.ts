/** Where values stand on an axis, and which round numbers are written beside it. */

/** One axis. Shape: `at` is 0 at its low end and 1 at its high one, never outside; `ticks` ascend. */
export interface Scale {
  readonly ticks: readonly number[];
  readonly at: (value: number) => number;
}

/** Steps that people count in, within one power of ten. */
const ROUND_DIGITS = [1, 2, 5, 10] as const;
/** The same for time: seconds, then minutes, then hours. */
const ROUND_SECONDS = [
  1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 43_200, 86_400,
] as const;
/** Nothing shorter is told apart. Units: ms. */
const LEAST_LOG = 0.01;
const LOG_TICKS_MAX = 5;

/** From zero to a round number at or above `most`. Bounds: at most `steps` steps; nothing at all still has an axis of one. */
export function linearScale(most: number, steps: number): Scale {
  const high = most > 0 ? most : 1;
  const power = Math.floor(Math.log10(high / steps));
  const digit = ROUND_DIGITS.find((each) => Math.ceil(high / scaled(each, power)) <= steps) ?? 10;
  const count = Math.max(1, Math.ceil(high / scaled(digit, power)));
  const top = scaled(count * digit, power);
  return {
    ticks: Array.from({ length: count + 1 }, (_, i) => scaled(i * digit, power)),
    at: (value) => clamp(value / top),
  };
}

/** A logarithmic axis around `least` and `most`, from one round number to another. Bounds: what is not above zero stands at the
 *  low end. */
export function logScale(least: number, most: number): Scale {
  const low = roundBelow(Math.max(LEAST_LOG, least));
  const high = roundAbove(Math.max(LEAST_LOG, most, least), low);
  const [from, to] = [Math.log10(low), Math.log10(high)];
  return {
    ticks: logTicks(low, high),
    at: (value) => (value > 0 ? clamp((Math.log10(value) - from) / (to - from)) : 0),
  };
}

/** Round moments from zero on. Units: seconds. Bounds: at most `steps` steps. */
export function timeTicks(seconds: number, steps: number): number[] {
  const day = 86_400;
  const step =
    ROUND_SECONDS.find((each) => seconds / each <= steps) ?? Math.ceil(seconds / steps / day) * day;
  return Array.from({ length: Math.floor(seconds / step) + 1 }, (_, i) => i * step);
}

/** `count × 10^power` without the noise of a multiplication by 0.1. */
function scaled(count: number, power: number): number {
  return power < 0 ? count / 10 ** -power : count * 10 ** power;
}

function clamp(share: number): number {
  return Math.min(1, Math.max(0, share));
}

function roundBelow(value: number): number {
  const power = Math.floor(Math.log10(value));
  const digit = ROUND_DIGITS.findLast((each) => scaled(each, power) <= value) ?? 1;
  return scaled(digit, power);
}

function roundAbove(value: number, low: number): number {
  const power = Math.floor(Math.log10(value));
  const digit = ROUND_DIGITS.find((each) => scaled(each, power) >= value && scaled(each, power) > low);
  return scaled(digit ?? 20, power);
}

/** Round numbers while there are few of them, else powers of ten. */
function logTicks(low: number, high: number): number[] {
  const [first, last] = [low, high].map((end) => Math.floor(Math.log10(end) + 1e-9)) as [number, number];
  const all = range(first, last)
    .flatMap((power) => [1, 2, 5].map((digit) => scaled(digit, power)))
    .filter((tick) => tick >= low && tick <= high);
  if (all.length <= LOG_TICKS_MAX) return all;
  const decades = range(first, last)
    .map((power) => scaled(1, power))
    .filter((tick) => tick >= low);
  const every = Math.ceil(decades.length / LOG_TICKS_MAX);
  return decades.filter((_, i) => (decades.length - 1 - i) % every === 0);
}

function range(from: number, to: number): number[] {
  return Array.from({ length: Math.max(0, to - from + 1) }, (_, i) => from + i);
}
