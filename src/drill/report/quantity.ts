/** Numbers as people read them, with their units. */

/** Three significant digits at most: `0.042`, `4.21`, `38`, `5,120`. */
export function digits(value: number): string {
  const size = Math.abs(value);
  const decimals = size >= 100 || size === 0 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3;
  const text = value.toFixed(decimals);
  const short = decimals > 0 ? text.replace(/\.?0+$/, '') : text;
  return short.replace(/^(-?\d+)/, (whole) => whole.replace(/(?<=\d)(?=(\d{3})+$)/g, ','));
}

/** A count beside an axis, as short as it can be: `500`, `1.5 k`, `2 M`. */
export function shortCount(value: number): string {
  if (value >= 1e6) return `${digits(value / 1e6)} M`;
  return value >= 1e3 ? `${digits(value / 1e3)} k` : digits(value);
}

/** A duration with the unit that fits. Units: of `ms`, milliseconds. */
export function duration(ms: number): string {
  return ms >= 1000 ? `${digits(ms / 1000)} s` : `${digits(ms)} ms`;
}

/** A moment of a drill: `15 s`, and `1:30` once minutes are needed. `longest` is the last moment beside it. */
export function moment(seconds: number, longest: number): string {
  if (longest < 120) return `${digits(seconds)} s`;
  const whole = Math.floor(seconds / 60);
  return `${whole}:${String(Math.floor(seconds - whole * 60)).padStart(2, '0')}`;
}
