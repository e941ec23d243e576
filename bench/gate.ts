/** The promises about speed, as ratios of rows of one run (50 connections, 64-byte values). */
import type { FailedRow, Row } from './cell.ts';
import type { TestName } from './load/request.ts';
import type { TargetId } from './targets.ts';

interface Demand {
  readonly what: string;
  readonly test: TestName;
  readonly pipeline: number;
  readonly target: TargetId;
  /** Undefined = the value itself is judged. */
  readonly against?: TargetId;
  readonly value: (row: Row) => number;
  /** The ratio, or the value, must be at least this, or at most. */
  readonly least?: number;
  readonly most?: number;
}

/** One line of the verdict. Shape: `ratio` is what was compared with the bound, undefined where a row is missing, failed or
 *  invalid, which fails. */
export interface Verdict {
  readonly what: string;
  readonly bound: string;
  readonly ratio: number | undefined;
  readonly pass: boolean;
  readonly reason: string | undefined;
}

const speed = (row: Row): number => row.opsPerSecond;
const cpu = (row: Row): number => row.targetCpuMicros;

const passThrough: readonly Demand[] = (['get', 'set'] as const).flatMap((test) => {
  const pair = { test, target: 'nearcache-off', against: 'twemproxy' } as const;
  const name = `pass-through ${test.toUpperCase()}`;
  return [
    { ...pair, what: `${name} throughput / twemproxy, P=1`, pipeline: 1, value: speed, least: 0.95 },
    { ...pair, what: `${name} throughput / twemproxy, P=16`, pipeline: 16, value: speed, least: 1.3 },
    { ...pair, what: `${name} CPU per operation / twemproxy, P=16`, pipeline: 16, value: cpu, most: 1 },
  ];
});

const hits = { test: 'get', target: 'nearcache-hit', value: speed } as const;
const againstRedis = { ...hits, against: 'direct' } as const;

const demands: readonly Demand[] = [
  ...passThrough,
  { ...againstRedis, what: 'hits throughput / redis-server, P=1', pipeline: 1, least: 0.95 },
  { ...hits, what: 'hits throughput / twemproxy, P=16', pipeline: 16, against: 'twemproxy', least: 1.6 },
  { ...againstRedis, what: 'hits throughput / redis-server, P=16', pipeline: 16, least: 0.6 },
  { ...againstRedis, what: 'hits throughput / redis-server, P=64', pipeline: 64, least: 0.5 },
  { ...hits, what: 'CPU µs per hit, P=16', pipeline: 16, value: cpu, most: 1.8 },
];

/** Does any demand compare rows of such a cell? The gate's run leaves out the others. */
export function isJudged({ test, pipeline }: Pick<Demand, 'test' | 'pipeline'>): boolean {
  return demands.some((demand) => demand.test === test && demand.pipeline === pipeline);
}

/** Compares the rows with every demand. A comparison that could not be made is a FAIL, not a pass. */
export function judge(rows: readonly (Row | FailedRow)[]): Verdict[] {
  return demands.map((demand) => {
    const { what, least, most } = demand;
    const bound = least === undefined ? `≤ ${most}` : `≥ ${least}`;
    const target = pick(rows, demand, demand.target);
    const against = demand.against === undefined ? undefined : pick(rows, demand, demand.against);
    const reason = target.reason ?? against?.reason;
    if (target.row === undefined || reason !== undefined) {
      return { what, bound, ratio: undefined, pass: false, reason };
    }
    const ratio = demand.value(target.row) / (against?.row === undefined ? 1 : demand.value(against.row));
    const pass = ratio >= (least ?? 0) && ratio <= (most ?? Infinity);
    return { what, bound, ratio, pass, reason: undefined };
  });
}

function pick(
  rows: readonly (Row | FailedRow)[],
  { test, pipeline }: Demand,
  target: TargetId,
): { row?: Row; reason?: string } {
  const row = rows.find(
    (each) =>
      each.target === target &&
      each.test === test &&
      each.pipeline === pipeline &&
      each.connections === 50 &&
      each.size === 64,
  );
  if (row === undefined) return { reason: `${target} was not measured` };
  if ('failed' in row) return { reason: `${target}: ${row.failed}` };
  return row.invalid === undefined ? { row } : { reason: `${target}: ${row.invalid}` };
}
