/** The promises about hit ratios, over all cells of one run. */
import type { Verdict } from '../gate.ts';
import type { HitRatioCell } from '../hit-ratio.ts';

/** Below this share of the keys even a good cache is at the mercy of a few of them. */
const leastShare = 0.01;
const mostMisses = 1.08;

/** Compares the default eviction and `lru` with an exact LRU, cell by cell. A comparison that could not be made is a FAIL. */
export function judgeHitRatios(cells: readonly HitRatioCell[]): Verdict[] {
  return cells
    .filter(({ policy }) => policy === 'exact-lru')
    .flatMap((exact) => {
      const own = (policy: string): HitRatioCell | undefined =>
        cells.find(
          (cell) =>
            cell.policy === policy &&
            cell.trace === exact.trace &&
            cell.capacity.text === exact.capacity.text,
        );
      const where = `${exact.trace} @ ${exact.capacity.text}`;
      const misses = { what: `s3fifo misses / exact LRU's, ${where}`, bound: `≤ ${mostMisses}` };
      const same = { what: `lru hits / exact LRU's, ${where}`, bound: '= 1' };
      return [
        ...(exact.entries >= Math.floor(leastShare * exact.keys)
          ? [
              verdict(
                misses,
                own('s3fifo'),
                (cell) => missRatio(cell, exact),
                (ratio) => ratio <= mostMisses,
              ),
            ]
          : []),
        verdict(
          same,
          own('lru'),
          (cell) => shareOf(cell.hits, exact.hits),
          (ratio) => ratio === 1,
        ),
      ];
    });
}

/** Misses of one cell in proportion to those of another. */
export function missRatio(cell: HitRatioCell, against: HitRatioCell): number {
  return shareOf(cell.requests - cell.hits, against.requests - against.hits);
}

/** 0 of 0 is all of it. */
function shareOf(a: number, b: number): number {
  return a === b ? 1 : a / b;
}

function verdict(
  head: Pick<Verdict, 'what' | 'bound'>,
  cell: HitRatioCell | undefined,
  ratioOf: (cell: HitRatioCell) => number,
  passes: (ratio: number) => boolean,
): Verdict {
  if (cell === undefined) return { ...head, ratio: undefined, pass: false, reason: 'was not replayed' };
  const ratio = ratioOf(cell);
  return { ...head, ratio, pass: passes(ratio), reason: undefined };
}
