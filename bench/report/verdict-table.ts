import type { Verdict } from '../gate.ts';
import { type Column, digits, renderTable } from './table.ts';

/** The gate's verdicts as a table that ends with PASS or FAIL. */
export function verdictTable(verdicts: readonly Verdict[]): string {
  const titles: readonly Column[] = [
    { title: 'demand', align: 'left' },
    { title: 'bound' },
    { title: 'ratio' },
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
  const reason = ratio === undefined || Number.isNaN(ratio) ? 'too few measurements' : undefined;
  return { what, bound: `≤ ${most}`, ratio, pass: reason === undefined && (ratio as number) <= most, reason };
}
