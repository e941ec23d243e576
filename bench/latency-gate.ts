/** The promises about latency, as ratios of rows of one run: what a hit takes while direct requests cross the hop. */
import type { Verdict } from './gate.ts';
import type { FailedLatencyRow, LatencyRow } from './latency.ts';
import type { Percentiles } from './report/percentiles.ts';
import { connectionCount } from './report/series.ts';
import { atLeast, atMost } from './report/verdict-table.ts';
import type { TargetId } from './targets.ts';

type AnyRow = LatencyRow | FailedLatencyRow;

const hopMs = 0.5;
const leastGain = 10;

/** Compares the rows across 0.5 ms with every demand, at every connection count that was measured. A comparison that could
 *  not be made is a FAIL. */
export function judgeLatency(rows: readonly AnyRow[], clients: readonly number[]): Verdict[] {
  return clients.flatMap((connections) => {
    const find = (target: TargetId): Percentiles | undefined => {
      const row = rows.find(
        (each) => each.target === target && each.connections === connections && each.hopMs === hopMs,
      );
      return row === undefined || 'failed' in row || row.invalid !== undefined ? undefined : row.latency;
    };
    const [direct, hit] = [find('direct'), find('nearcache-hit')];
    const name = `across ${hopMs} ms, ${connectionCount(connections)}`;
    return [
      atLeast(`p50 of direct / of a hit, ${name}`, ratio(direct?.p50, hit?.p50), leastGain),
      atMost(`p99 of a hit / of direct, ${name}`, ratio(hit?.p99, direct?.p99), 1),
    ];
  });
}

function ratio(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined || other === undefined ? undefined : one / other;
}
