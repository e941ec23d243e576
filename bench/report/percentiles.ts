import { build, type Histogram } from 'hdr-histogram-js';

/** One histogram step is this many milliseconds: 0.1 µs, so that three significant digits hold for a 50 µs hit. */
const stepMs = 0.0001;

/** Latencies of one set of requests.
 *  Units: milliseconds. Shape: `p999` is undefined where fewer than 10 values lie above it, `p99` likewise: a percentile
 *  that one value decides says nothing. */
export interface Percentiles {
  readonly count: number;
  readonly p50: number | undefined;
  readonly p99: number | undefined;
  readonly p999: number | undefined;
  readonly max: number;
}

const valuesAbove = 10;

/** A histogram of latencies, three significant digits. */
export function newHistogram(): Histogram {
  return build({ bitBucketSize: 32, numberOfSignificantValueDigits: 3, autoResize: true });
}

/** Adds one latency; what is below zero counts as zero. */
export function recordMs(histogram: Histogram, ms: number): void {
  histogram.recordValue(Math.max(0, Math.round(ms / stepMs)));
}

/** The values of all rounds together: a median of percentiles would hide the rounds with the worst tails. */
export function mergeHistograms(histograms: readonly Histogram[]): Histogram {
  const merged = newHistogram();
  for (const histogram of histograms) merged.add(histogram);
  return merged;
}

export function percentilesOf(histogram: Histogram): Percentiles {
  const count = histogram.totalCount;
  const at = (percent: number): number | undefined =>
    count * (1 - percent / 100) < valuesAbove - 1e-6
      ? undefined
      : histogram.getValueAtPercentile(percent) * stepMs;
  return {
    count,
    p50: at(50),
    p99: at(99),
    p999: at(99.9),
    max: count === 0 ? 0 : histogram.maxValue * stepMs,
  };
}
