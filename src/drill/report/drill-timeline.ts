import type { DrillRecord, DrillSample } from '../record.ts';
import type { BandTone, Plot, Series, Timeline, Tone } from './timeline.ts';

const BREAKER_TONES: Readonly<Record<DrillSample['breakers'][string], BandTone>> = {
  closed: 'calm',
  'half-open': 'warning',
  open: 'alarm',
  unknown: 'blank',
};

/** The picture of a run. Counts of a sample become rates, so that samples of any length compare. */
export function drillTimeline(record: DrillRecord): Timeline {
  const edges = sampleEdges(record);
  return {
    title: `Timeline of ${record.scenario}`,
    edges,
    events: record.events.map(({ atMs, text }) => ({ at: atMs / 1000, text })),
    plots: drillPlots(record.samples, edges),
  };
}

/** Where each sample begins, and where the last ends: it is taken to be as long as the one before, if the run went on for so long.
 *  Units: seconds. */
export function sampleEdges({ samples, seconds }: Pick<DrillRecord, 'samples' | 'seconds'>): number[] {
  const starts = samples.map(({ atMs }) => atMs / 1000);
  const last = starts.at(-1);
  if (last === undefined) return [0, seconds];
  const before = starts.at(-2);
  const rest = seconds > last ? seconds - last : Number.POSITIVE_INFINITY;
  return [...starts, last + Math.min(rest, before === undefined ? 1 : last - before)];
}

/** Of each sample, a count as a rate. Units: per second. */
export function perSecond(
  samples: readonly DrillSample[],
  edges: readonly number[],
  count: (sample: DrillSample) => number,
): number[] {
  return samples.map((sample, i) => count(sample) / ((edges[i + 1] as number) - (edges[i] as number)));
}

function drillPlots(samples: readonly DrillSample[], edges: readonly number[]): Plot[] {
  const rate = (name: string, tone: Tone, count: (sample: DrillSample) => number): Series => ({
    name,
    tone,
    values: perSecond(samples, edges, count),
  });
  const latency = (name: string, tone: Tone, ms: (sample: DrillSample) => number): Series => ({
    name,
    tone,
    // Nothing was answered: nothing took any time.
    values: samples.map((sample) => (sample.requests > 0 ? ms(sample) : undefined)),
  });
  return [
    {
      kind: 'lines',
      title: 'Requests answered per second',
      unit: 'count',
      axis: 'linear',
      series: [rate('requests', 'blue', ({ requests }) => requests)],
    },
    {
      kind: 'lines',
      title: 'Latency',
      unit: 'ms',
      axis: 'log',
      series: [
        latency('p99', 'vermillion', ({ p99Ms }) => p99Ms),
        latency('p50', 'blue', ({ p50Ms }) => p50Ms),
      ],
    },
    {
      kind: 'stack',
      title: 'Errors per second',
      unit: 'count',
      series: [
        rate('later', 'vermillion', ({ errors, fastErrors }) => errors - fastErrors),
        rate('within 5 ms', 'orange', ({ fastErrors }) => fastErrors),
      ],
    },
    {
      kind: 'lines',
      title: 'Answered by the near-cache per second',
      unit: 'count',
      axis: 'linear',
      series: [
        rate('hits', 'green', ({ hits }) => hits),
        rate('stale', 'purple', ({ staleServed }) => staleServed),
        ...(samples.some(({ missesServed }) => missesServed > 0)
          ? [rate('nil instead', 'grey', ({ missesServed }) => missesServed)]
          : []),
      ],
    },
    { kind: 'bands', title: 'Breakers', tones: BREAKER_TONES, rows: breakerRows(samples) },
  ];
}

function breakerRows(samples: readonly DrillSample[]): { name: string; states: string[] }[] {
  const names = [...new Set(samples.flatMap(({ breakers }) => Object.keys(breakers)))];
  return names.map((name) => ({
    name,
    states: samples.map(({ breakers }) => breakers[name] ?? 'unknown'),
  }));
}
