/** A timeline as SVG: plots one below the other over one time axis, events as lines across all of them. */
import { LABEL_INDENT, placeLabels } from './event-labels.ts';
import { drawPlot, type PlotArea, plotHeight, shownValue } from './plots.ts';
import { digits, duration, moment } from './quantity.ts';
import { timeTicks } from './scale.ts';
import { chartStyle } from './style.ts';
import { type Attributes, element, textElement, textWidth } from './svg.ts';
import type { Plot, Timeline } from './timeline.ts';

/** How much room there is. Shape: `id` is not used a second time in the same page. Units: pixels; text is drawn at the size of
 *  the page's, so a narrow page needs a narrow chart and not a shrunk one. */
export interface ChartFrame {
  readonly id: string;
  readonly width: number;
}

const FONT = 11;
const TITLE_FONT = 13;
/** Bold text is wider. */
const BOLD = 1.15;
const LINE = 16;
const GAP = 14;
const MARGIN_LEFT = 54;
/** Half of the last moment stands beyond the plots. */
const MARGIN_RIGHT = 18;
const PLOT_HEIGHT = 84;
const LANES_MAX = 4;
/** Below that a step could not be pointed at, and a finger points at none. */
const POINTED_WIDTH = 600;

/** One plot and where it stands. */
interface PlacedPlot {
  readonly plot: Plot;
  readonly header: string;
  readonly area: PlotArea;
}

/** A chart in a page. Shape: one `svg` element, whose classes `style.ts` colours. */
export function renderChart(timeline: Timeline, frame: ChartFrame): string {
  const { markup, height } = drawChart(timeline, frame);
  return element('svg', svgAttributes(frame, height), markup);
}

/** A chart as a file of its own, with its title on top. */
export function renderChartFile(timeline: Timeline, width: number): string {
  const [frame, pad] = [{ id: 'chart', width }, 16];
  const { markup, height } = drawChart(timeline, frame);
  const size = { width: width + 2 * pad, height: height + 3 * pad + LINE };
  const inside = { x: pad, y: 2 * pad + LINE, width, height };
  const svg = element(
    'svg',
    { xmlns: 'http://www.w3.org/2000/svg', viewBox: `0 0 ${size.width} ${size.height}`, ...size },
    element('style', {}, chartStyle),
    element('rect', { class: 'paper', ...size }),
    textElement('text', { class: 'heading', x: pad, y: pad + LINE }, timeline.title),
    element('svg', { ...svgAttributes(frame, height), ...inside }, markup),
  );
  return `${svg}\n`;
}

function svgAttributes({ id, width }: ChartFrame, height: number): Attributes {
  return {
    viewBox: `0 0 ${width} ${height}`,
    role: 'img',
    'aria-labelledby': `${id}-title ${id}-desc`,
  };
}

function drawChart(
  timeline: Timeline,
  { id, width }: ChartFrame,
): { readonly markup: string; readonly height: number } {
  const { edges, events } = timeline;
  const end = Math.max(edges.at(-1) ?? 0, ...events.map(({ at }) => at), 0.001);
  const [left, right] = [MARGIN_LEFT, width - MARGIN_RIGHT];
  const xOf = (seconds: number): number => left + ((right - left) * Math.max(0, seconds)) / end;
  const strip = eventStrip(timeline, { left, right, width, xOf });
  const placed = placePlots(timeline.plots, { left, right, xs: edges.map(xOf) }, strip.height);
  const floor = placed.reduce((y, { area }) => Math.max(y, area.top + area.height), strip.height);
  const parts = [
    textElement('title', { id: `${id}-title` }, timeline.title),
    textElement('desc', { id: `${id}-desc` }, describe(timeline)),
    strip.markup,
    ...timeAxis(placed, { end, xOf, floor, steps: width < POINTED_WIDTH ? 5 : 12 }),
    ...placed.map(({ plot, header, area }) => header + drawPlot(plot, area)),
    ...events.flatMap(({ at }) =>
      placed.map(({ area }) => verticalLine('event', xOf(at), area.top, area.top + area.height)),
    ),
    ...(width < POINTED_WIDTH ? [] : pointedSteps(timeline, { left, top: strip.height, floor, xOf })),
  ];
  return { markup: parts.join(''), height: Math.ceil(floor + LINE + 6) };
}

function placePlots(
  plots: readonly Plot[],
  { left, right, xs }: Pick<PlotArea, 'left' | 'right' | 'xs'>,
  top: number,
): PlacedPlot[] {
  let y = top;
  return plots.map((plot) => {
    const header = plotHeader(plot, y, right);
    const height = plotHeight(plot, PLOT_HEIGHT);
    const area = { top: y + header.height, left, right, height, xs };
    y = area.top + height + GAP;
    return { plot, header: header.markup, area };
  });
}

/** Title and legend on one line, or on two where one is too short. */
function plotHeader(plot: Plot, y: number, right: number): { markup: string; height: number } {
  const title = textElement('text', { class: 'title', x: 0, y: y + 12 }, plot.title);
  const entries = legendOf(plot);
  const widths = entries.map(({ name }) => 18 + textWidth(name, FONT) + 12);
  const beside = textWidth(plot.title, TITLE_FONT) * BOLD + 18;
  const isBeside = beside + widths.reduce((sum, width) => sum + width, 0) <= right;
  let x = isBeside ? beside : 0;
  const baseline = isBeside ? y + 12 : y + 12 + LINE;
  const legend = entries.map(({ name, className }, i) => {
    const mark = { class: `key ${className}`, x, y: baseline - 9, width: 12, height: 9 };
    const label = textElement('text', { class: 'legend', x: x + 17, y: baseline }, name);
    x += widths[i] as number;
    return element('rect', mark) + label;
  });
  return { markup: title + legend.join(''), height: isBeside ? LINE + 9 : 2 * LINE + 9 };
}

function legendOf(plot: Plot): { name: string; className: string }[] {
  if (plot.kind !== 'bands') {
    // The title says all about a single line.
    if (plot.series.length === 1) return [];
    return plot.series.map(({ name, tone, isBound }) => ({
      name,
      className: isBound === true ? `${tone} hollow` : tone,
    }));
  }
  const seen = new Set(plot.rows.flatMap(({ states }) => states));
  return Object.entries(plot.tones)
    .filter(([state]) => seen.has(state))
    .map(([state, tone]) => ({ name: state, className: `band ${tone}` }));
}

interface Across {
  readonly left: number;
  readonly right: number;
  readonly width: number;
  readonly xOf: (seconds: number) => number;
}

/** The labels of the events, above all plots. */
function eventStrip(
  { events }: Timeline,
  { left, right, width, xOf }: Across,
): { markup: string; height: number } {
  const xs = events.map(({ at }) => xOf(at));
  const room = { left: 0, right: width, lanesMax: LANES_MAX, fontSize: FONT };
  const { lanes, labels } = placeLabels(
    xs,
    events.map(({ text }) => text),
    room,
  );
  const height = lanes * LINE;
  const parts = labels.map((label, i) => {
    const x = Math.min(right, Math.max(left, xs[i] as number));
    if (label === undefined) return verticalLine('event', x, height - 4, height);
    const y = label.lane * LINE;
    const text = { class: 'event-label', x: label.x + LABEL_INDENT, y: y + 12 };
    // The line of a label that was pushed back begins below it.
    const lineTop = label.x < x ? y + LINE - 1 : y + 2;
    return verticalLine('event', x, lineTop, height) + textElement('text', text, label.text);
  });
  return { markup: parts.join(''), height: lanes === 0 ? 0 : height + 8 };
}

/** Round moments below the last plot, and a light line through each plot at every one. */
function timeAxis(
  placed: readonly PlacedPlot[],
  axis: { end: number; floor: number; steps: number; xOf: (seconds: number) => number },
): string[] {
  return timeTicks(axis.end, axis.steps).flatMap((tick) => {
    const x = axis.xOf(tick);
    const label = { class: 'tick', x, y: axis.floor + LINE, 'text-anchor': 'middle' };
    return [
      ...placed
        .filter(({ plot }) => plot.kind !== 'bands')
        .map(({ area }) => verticalLine('grid', x, area.top, area.top + area.height)),
      textElement('text', label, moment(tick, axis.end)),
    ];
  });
}

/** Invisible until pointed at: all numbers of a step. */
function pointedSteps(
  timeline: Timeline,
  { left, top, floor, xOf }: { left: number; top: number; floor: number; xOf: (seconds: number) => number },
): string[] {
  return timeline.edges.slice(0, -1).map((edge, i) => {
    const [x, end] = [xOf(edge), xOf(timeline.edges[i + 1] as number)];
    const size = { x: Math.max(left, x), y: top, width: Math.max(0, end - x), height: floor - top };
    return element(
      'rect',
      { class: 'step', ...size },
      textElement('title', {}, numbersOf(timeline, i).join('\n')),
    );
  });
}

function numbersOf({ edges, plots }: Timeline, step: number): string[] {
  const lines = plots.map((plot) => {
    const values =
      plot.kind === 'bands'
        ? plot.rows.map(({ name, states }) => `${name} ${states[step]}`)
        : plot.series.map(({ name, values }) => `${name} ${shownValue(plot, values[step])}`);
    return `${plot.title}: ${values.join(', ')}`;
  });
  return [`from ${duration((edges[step] as number) * 1000)} on`, ...lines];
}

/** What a listener hears instead of the picture. */
function describe({ edges, events, plots }: Timeline): string {
  const ranges = plots.flatMap((plot) => {
    if (plot.kind === 'bands') {
      return plot.rows.map(
        ({ name, states }) => `${plot.title}, ${name}: ${[...new Set(states)].join(', ')}.`,
      );
    }
    return plot.series.map(({ name, values }) => {
      const known = values.filter((value) => value !== undefined);
      const [least, most] = [known.reduce(min, Infinity), known.reduce(max, -Infinity)];
      if (known.length === 0) return `${plot.title}, ${name}: nothing.`;
      return `${plot.title}, ${name}: ${shownValue(plot, least)} to ${shownValue(plot, most)}.`;
    });
  });
  const happened = events.map(({ at, text }) => `At ${digits(at)} s ${text}.`);
  return [`${digits(edges.at(-1) ?? 0)} seconds.`, ...happened, ...ranges].join(' ');
}

function min(a: number, b: number): number {
  return Math.min(a, b);
}

function max(a: number, b: number): number {
  return Math.max(a, b);
}

function verticalLine(name: string, x: number, top: number, bottom: number): string {
  return element('line', { class: name, x1: x, x2: x, y1: top, y2: bottom });
}
