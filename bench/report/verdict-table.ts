import type { Verdict } from '../gate.ts';
import { type Column, digits, renderTable } from './table.ts';

/** The gate's verdicts as a table that ends with PASS or FAIL. */
export function verdictTable(verdicts: readonly Verdict[]): string {
  const titles: readonly Column[] = [
    { title: 'demand', align: 'left' },
    { title: 'bound' },
    { title: 'measured' },
    { title: 'verdict', align: 'left' },
  ];
  const rows = verdicts.map(({ what, bound, ratio, pass, reason }) => [
    what,
    bound,
    digits(ratio),
    `${pass ? 'PASS' : 'FAIL'}${reason === undefined ? '' : ` (${reason})`}`,
  ]);
  const failed = verdicts.filter(({ pass }) => !pass).length;
  return `${renderTable(titles, rows)}\n${failed === 0 ? 'PASS' : `FAIL: ${failed} of ${verdicts.length}`}`;
}

/** The verdict on one ratio. A comparison that could not be made is a FAIL. */
export function atMost(what: string, ratio: number | undefined, most: number): Verdict {
  return verdict({ what, bound: `≤ ${most}`, ratio }, (value) => value <= most);
}

/** The same, for a ratio that must not be lower. */
export function atLeast(what: string, ratio: number | undefined, least: number): Verdict {
  return verdict({ what, bound: `≥ ${least}`, ratio }, (value) => value >= least);
}

function verdict(
  compared: Pick<Verdict, 'what' | 'bound' | 'ratio'>,
  holds: (ratio: number) => boolean,
): Verdict {
  const { ratio } = compared;
  if (ratio === undefined || Number.isNaN(ratio)) {
    return { ...compared, pass: false, reason: 'too few measurements' };
  }
  return { ...compared, pass: holds(ratio), reason: undefined };
}
