/** How each kind of plot is drawn. */
import { digits, duration, shortCount } from './quantity.ts';
import { linearScale, logScale, type Scale } from './scale.ts';
import { element, escapeMarkup, stepArea, stepPath, textElement, textWidth } from './svg.ts';
import type { BandsPlot, LinesPlot, Plot, Series, StackPlot } from './timeline.ts';

/** Where a plot is. Units: pixels; `xs` are the edges of its steps. Shape: `left` is the width of the margin that has the axis. */
export interface PlotArea {
  readonly top: number;
  readonly left: number;
  readonly right: number;
  readonly height: number;
  readonly xs: readonly number[];
}

const AXIS_STEPS = 4;
const BAND = { height: 16, gap: 5 } as const;
const LABEL_SIZE = 11;

/** How high a plot is. `usual` is the height of those that have an axis. */
export function plotHeight(plot: Plot, usual: number): number {
  if (plot.kind !== 'bands') return usual;
  return Math.max(1, plot.rows.length) * (BAND.height + BAND.gap) - BAND.gap;
}

/** The plot without its title. */
export function drawPlot(plot: Plot, area: PlotArea): string {
  switch (plot.kind) {
    case 'lines':
      return drawLines(plot, area);
    case 'stack':
      return drawStack(plot, area);
    case 'bands':
      return drawBands(plot, area);
  }
}

/** A value as it is read out, with its unit. */
export function shownValue(plot: LinesPlot | StackPlot, value: number | undefined): string {
  if (value === undefined) return '–';
  return plot.unit === 'ms' ? duration(value) : digits(value);
}

function drawLines(plot: LinesPlot, area: PlotArea): string {
  const values = plot.series.flatMap((series) => series.values).filter((value) => value !== undefined);
  const most = values.reduce((a, b) => Math.max(a, b), 0);
  const least = values.reduce((a, b) => (b > 0 ? Math.min(a, b) : a), most);
  const scale = plot.axis === 'log' ? logScale(least, most) : linearScale(most, AXIS_STEPS);
  const lines = plot.series.map(({ values, tone, isBound }) =>
    element('path', {
      class: `${isBound === true ? 'bound' : 'line'} ${tone}`,
      d: stepPath(
        area.xs,
        values.map((value) => (value === undefined ? undefined : yOf(scale, value, area))),
      ),
    }),
  );
  return axis(scale, plot, area) + lines.join('');
}

/** What is not known counts as nothing here. */
function drawStack(plot: StackPlot, area: PlotArea): string {
  const sums = [...stackSums(plot.series)];
  const most = (sums.at(-1) ?? []).reduce((a, b) => Math.max(a, b), 0);
  const scale = linearScale(most, AXIS_STEPS);
  const layers = plot.series.map(({ tone }, i) => {
    const [lower, upper] = [sums[i], sums[i + 1]].map((line) =>
      (line as number[]).map((sum) => yOf(scale, sum, area)),
    );
    return element('path', {
      class: `layer ${tone}`,
      d: stepArea(area.xs, upper as number[], lower as number[]),
    });
  });
  return axis(scale, plot, area) + layers.join('');
}

/** The floor, and the sum up to each layer. */
function* stackSums(series: readonly Series[]): Generator<number[]> {
  let sums = (series[0]?.values ?? []).map(() => 0);
  yield sums;
  for (const { values } of series) {
    sums = sums.map((sum, i) => sum + (values[i] ?? 0));
    yield sums;
  }
}

function drawBands({ rows, tones }: BandsPlot, { top, left, right, xs }: PlotArea): string {
  const parts = rows.flatMap(({ name, states }, row) => {
    const y = top + row * (BAND.height + BAND.gap);
    const baseline = y + BAND.height - 4;
    const room = Math.floor((left - 6) / textWidth('x', LABEL_SIZE));
    const label = element(
      'text',
      { class: 'tick', x: left - 6, y: baseline, 'text-anchor': 'end' },
      textElement('title', {}, name),
      // Names of one list differ at their ends.
      escapeMarkup(name.length > room ? `…${name.slice(1 - room)}` : name),
    );
    const bands = runs(states).map(({ state, from, to }) => {
      const [x, end] = [xs[from] as number, xs[to] as number];
      const tone = tones[state] ?? 'blank';
      const size = { x, y, width: end - x, height: BAND.height };
      const band = element('rect', { class: `band ${tone}`, ...size });
      if (end - x < textWidth(state, LABEL_SIZE) + 8) return band;
      return band + textElement('text', { class: `inside ${tone}`, x: x + 5, y: baseline }, state);
    });
    return [label, ...bands];
  });
  if (rows.length > 0) return parts.join('');
  return textElement('text', { class: 'tick', x: (left + right) / 2, y: top + 12 }, 'not known');
}

/** Where the same state goes on, as one. */
function runs(states: readonly string[]): { state: string; from: number; to: number }[] {
  const found: { state: string; from: number; to: number }[] = [];
  for (const [i, state] of states.entries()) {
    const last = found.at(-1);
    if (last?.state === state) last.to = i + 1;
    else found.push({ state, from: i, to: i + 1 });
  }
  return found;
}

function axis(scale: Scale, plot: LinesPlot | StackPlot, area: PlotArea): string {
  const { left, right } = area;
  const across = (name: string, y: number): string =>
    element('line', { class: name, x1: left, x2: right, y1: y, y2: y });
  const ticks = scale.ticks.map((tick) => {
    const y = yOf(scale, tick, area);
    const label = plot.unit === 'ms' ? duration(tick) : shortCount(tick);
    const place = { class: 'tick', x: left - 6, y: y + 4, 'text-anchor': 'end' };
    return across('grid', y) + textElement('text', place, label);
  });
  return ticks.join('') + across('floor', area.top + area.height);
}

function yOf(scale: Scale, value: number, { top, height }: PlotArea): number {
  return top + height * (1 - scale.at(value));
}
