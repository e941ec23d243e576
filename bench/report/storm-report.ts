/** How a recovery looks in the plot. */
import { renderChartFile } from '../../src/drill/report/chart.ts';
import type { Timeline } from '../../src/drill/report/timeline.ts';
import type { StormOptions } from '../storm/storm-options.ts';
import { type AppStep, allowedUntil, countAt, type StormRun } from '../storm/storm-rows.ts';

const STEP_SECONDS = 0.2;
/** Shown of the time before the outage. Units: seconds. */
const QUIET_SECONDS = 2;
const WIDTH = 968;

/** Both runs over one axis, since what matters is how they differ. */
export function stormPlot(ramped: StormRun, unlimited: StormRun, options: StormOptions): string {
  const start = -options.outageSeconds - QUIET_SECONDS;
  const end = Math.min(...[ramped, unlimited].map(({ points }) => points.at(-1)?.at ?? 0));
  const steps = Math.max(1, Math.floor((end - start) / STEP_SECONDS));
  const moments = Array.from({ length: steps + 1 }, (_, i) => start + i * STEP_SECONDS);
  const froms = moments.slice(0, -1);
  const rate = ({ points }: StormRun, counted: 'reads' | 'connections'): number[] =>
    froms.map(
      (from) =>
        (countAt(points, from + STEP_SECONDS, counted) - countAt(points, from, counted)) / STEP_SECONDS,
    );
  const allowed = froms.map((from) =>
    from < -1e-9 || from >= options.rampSeconds
      ? undefined
      : (allowedUntil(options, from + STEP_SECONDS) - allowedUntil(options, from)) / STEP_SECONDS,
  );
  const ofApps = (run: StormRun, value: (step: AppStep) => number): (number | undefined)[] =>
    froms.map((from) => {
      const middle = from + STEP_SECONDS / 2;
      const step = run.app.find((each) => each.from <= middle && middle < each.to);
      return step === undefined ? undefined : value(step);
    });
  const perSecond = (count: (step: AppStep) => number) => (step: AppStep) =>
    count(step) / (step.to - step.from);
  const timeline: Timeline = {
    title: `${options.nearcaches} nearcaches and a Redis that comes back`,
    edges: moments.map((moment) => moment - start),
    events: [
      { at: QUIET_SECONDS, text: 'Redis is killed' },
      { at: QUIET_SECONDS + options.outageSeconds, text: 'Redis is back' },
    ],
    plots: [
      {
        kind: 'lines',
        title: 'Reads at Redis per second',
        unit: 'count',
        axis: 'linear',
        series: [
          { name: 'without a ramp', tone: 'grey', values: rate(unlimited, 'reads') },
          { name: 'with it', tone: 'blue', values: rate(ramped, 'reads') },
          { name: 'allowed', tone: 'vermillion', values: allowed, isBound: true },
        ],
      },
      {
        kind: 'lines',
        title: 'Connections accepted by Redis per second',
        unit: 'count',
        axis: 'linear',
        series: [{ name: 'connections', tone: 'blue', values: rate(ramped, 'connections') }],
      },
      {
        kind: 'lines',
        title: 'Answers to the apps per second',
        unit: 'count',
        axis: 'linear',
        series: [
          {
            name: 'without a ramp',
            tone: 'grey',
            values: ofApps(
              unlimited,
              perSecond((step) => step.answered),
            ),
          },
          {
            name: 'with it',
            tone: 'green',
            values: ofApps(
              ramped,
              perSecond((step) => step.answered),
            ),
          },
          {
            name: 'errors, with it',
            tone: 'vermillion',
            values: ofApps(
              ramped,
              perSecond((step) => step.errors),
            ),
          },
        ],
      },
      {
        kind: 'lines',
        title: 'Latency for the apps, p99',
        unit: 'ms',
        axis: 'log',
        series: [
          { name: 'without a ramp', tone: 'grey', values: ofApps(unlimited, (step) => step.p99Ms) },
          { name: 'with it', tone: 'blue', values: ofApps(ramped, (step) => step.p99Ms) },
        ],
      },
    ],
  };
  return renderChartFile(timeline, WIDTH);
}
