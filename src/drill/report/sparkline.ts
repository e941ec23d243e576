/** A row of numbers as a row of characters. */

const BARS = '▁▂▃▄▅▆▇█';

/** As many numbers as there are columns, each what `pick` makes of those that fall into it; undefined of none. */
export function inColumns<T, R>(
  values: readonly T[],
  columns: number,
  pick: (some: readonly T[]) => R,
): (R | undefined)[] {
  return Array.from({ length: columns }, (_, column) => {
    const [from, to] = [column, column + 1].map((each) => Math.floor((each * values.length) / columns));
    const some = values.slice(from, Math.max((from ?? 0) + 1, to ?? 0));
    return some.length === 0 ? undefined : pick(some);
  });
}

/** Bars of eight heights. Shape: `heights` are 0 to 1; undefined is a gap. Only nothing at all has no bar, so that a single error is
 *  not lost. */
export function sparkline(heights: readonly (number | undefined)[]): string {
  return heights
    .map((height) => {
      if (height === undefined) return ' ';
      if (height <= 0) return '_';
      return BARS[Math.min(BARS.length - 1, Math.floor(height * BARS.length))] ?? ' ';
    })
    .join('');
}
