/** The promises about a mixed load across a hop, as ratios of rows of one run. */
import type { Verdict } from './gate.ts';
import type { FailedMixedRow, MixedRow } from './mixed-cell.ts';
import type { MixedTarget } from './mixed-stage.ts';
import { atLeast } from './report/verdict-table.ts';

type AnyRow = MixedRow | FailedMixedRow;

const leastGain = 3;
const leastOfNoHop = 0.9;

/** Compares the rows with every demand. A comparison that could not be made is a FAIL. */
export function judgeMixed(rows: readonly AnyRow[]): Verdict[] {
  const ratio = (connections: number, against: MixedTarget): number | undefined => {
    const [row, base] = [speedOf(rows, connections, 'nearcache'), speedOf(rows, connections, against)];
    return row === undefined || base === undefined ? undefined : row / base;
  };
  return [
    atLeast('mixed throughput / direct, 1 connection', ratio(1, 'direct'), leastGain),
    atLeast('mixed throughput / direct, 8 connections', ratio(8, 'direct'), leastGain),
    atLeast('mixed throughput / without a hop, 50 connections', ratio(50, 'nearcache-no-hop'), leastOfNoHop),
  ];
}

function speedOf(rows: readonly AnyRow[], connections: number, target: MixedTarget): number | undefined {
  const row = rows.find((each) => each.target === target && each.connections === connections);
  return row === undefined || 'failed' in row || row.invalid !== undefined ? undefined : row.opsPerSecond;
}
