import { expect, test } from 'vitest';

import { renderChart } from '../../../../src/drill/report/chart.ts';
import type { Timeline } from '../../../../src/drill/report/timeline.ts';
import { classed, findAll, type Markup, named, numberOf, parseMarkup } from './markup.ts';

const timeline: Timeline = {
  title: 'a <shard> & "quotes"',
  edges: [0, 1, 2, 3, 4],
  events: [{ at: 1, text: 'shard1 <paused>' }],
  plots: [
    {
      kind: 'lines',
      title: 'Rate',
      unit: 'count',
      axis: 'linear',
      series: [
        { name: 'all', tone: 'blue', values: [10, 20, undefined, 5] },
        { name: 'limit', tone: 'grey', values: [20, 20, 20, 20], isBound: true },
      ],
    },
    {
      kind: 'lines',
      title: 'Latency',
      unit: 'ms',
      axis: 'log',
      series: [{ name: 'p99', tone: 'vermillion', values: [1, 10, 100, 1000] }],
    },
    {
      kind: 'stack',
      title: 'Errors',
      unit: 'count',
      series: [
        { name: 'slow', tone: 'vermillion', values: [0, 4, 0, 0] },
        { name: 'fast', tone: 'orange', values: [0, 6, 10, 0] },
      ],
    },
    {
      kind: 'bands',
      title: 'Breakers',
      tones: { closed: 'calm', open: 'alarm' },
      rows: [
        { name: 'shard0', states: ['closed', 'closed', 'closed', 'closed'] },
        { name: 'shard1', states: ['closed', 'open', 'open', 'closed'] },
      ],
    },
  ],
};

function chart(width: number, of: Timeline = timeline): Markup {
  return parseMarkup(renderChart(of, { id: 'one', width })).children[0] as Markup;
}

/** The horizontal strokes of a path, each as [from, to, y]. */
function strokes(path: Markup): [number, number, number][] {
  let [x, y] = [0, 0];
  const found: [number, number, number][] = [];
  for (const [, letter, first, second] of (path.attributes.get('d') ?? '').matchAll(
    /([MVH])(-?[\d.]+)(?: (-?[\d.]+))?/g,
  )) {
    if (letter === 'M') [x, y] = [Number(first), Number(second)];
    else if (letter === 'V') y = Number(first);
    else {
      found.push([x, Number(first), y]);
      x = Number(first);
    }
  }
  return found;
}

test('every value is a stroke as wide as its step and as high as its value, and what is not known is a gap', () => {
  const [line] = findAll(chart(968), classed('line', 'blue'));
  const drawn = strokes(line as Markup);
  expect(drawn).toHaveLength(3);
  const [first, second, last] = drawn as [
    [number, number, number],
    [number, number, number],
    [number, number, number],
  ];
  const step = first[1] - first[0];
  expect(second).toEqual([first[1], expect.closeTo(first[1] + step, 0), expect.any(Number)]);
  expect(last[0]).toBeCloseTo(first[0] + 3 * step, 0);
  // 20 is the top of the axis, so 10 is half way up and 5 a quarter.
  const height = (first[2] - second[2]) * 2;
  expect(last[2] - second[2]).toBeCloseTo(height * 0.75, 0);
});

test('a bound is told apart from what was measured', () => {
  expect(findAll(chart(968), classed('bound', 'grey'))).toHaveLength(1);
  expect(findAll(chart(968), classed('line', 'grey'))).toHaveLength(0);
});

test('each power of ten is as high as the other on a logarithmic axis', () => {
  const [line] = findAll(chart(968), classed('line', 'vermillion'));
  const ys = strokes(line as Markup).map(([, , y]) => y);
  const rises = ys.slice(1).map((y, i) => (ys[i] as number) - y);
  expect(rises[0]).toBeGreaterThan(10);
  for (const rise of rises) expect(rise).toBeCloseTo(rises[0] as number, 0);
});

test('layers of a stack stand on each other', () => {
  const [slow, fast] = findAll(chart(968), classed('layer')) as [Markup, Markup];
  // Up along the upper edge, and back along the lower one.
  const [slowUpper, fastStrokes] = [strokes(slow).slice(0, 4), strokes(fast)];
  const fastLower = fastStrokes.slice(4).reverse();
  expect(fastLower.map(([, , y]) => y)).toEqual(slowUpper.map(([, , y]) => y));
  const [floor, sum] = [fastStrokes[0]?.[2] as number, fastStrokes[1]?.[2] as number];
  expect(floor - (slowUpper[1]?.[2] as number)).toBeCloseTo((floor - sum) * 0.4, 0);
});

test('a shard is one band for as long as its breaker stays as it is', () => {
  const bands = findAll(chart(968), (each) => each.name === 'rect' && classed('band')(each));
  const drawn = bands.filter((band) => !classed('key')(band));
  expect(drawn.map((band) => band.attributes.get('class'))).toEqual([
    'band calm',
    'band calm',
    'band alarm',
    'band calm',
  ]);
  const [whole, before, open, after] = drawn as [Markup, Markup, Markup, Markup];
  expect(numberOf(open, 'x')).toBeCloseTo(numberOf(before, 'x') + numberOf(before, 'width'), 0);
  expect(numberOf(open, 'width')).toBeCloseTo(numberOf(whole, 'width') / 2, 0);
  expect(numberOf(after, 'x')).toBeCloseTo(numberOf(open, 'x') + numberOf(open, 'width'), 0);
});

test('all plots share one time axis, and an event is a line across each of them at its moment', () => {
  const lines = findAll(chart(968), classed('event'));
  expect(lines).toHaveLength(1 + timeline.plots.length);
  const xs = new Set(lines.map((line) => numberOf(line, 'x1')));
  expect(xs.size).toBe(1);
  const [line] = findAll(chart(968), classed('line', 'blue'));
  expect([...xs][0]).toBe(strokes(line as Markup)[0]?.[1]);
  expect(findAll(chart(968), classed('event-label')).map(({ text }) => text)).toEqual(['1 shard1 <paused>']);
});

test('a wide chart tells the numbers of every step that is pointed at', () => {
  const steps = findAll(chart(968), classed('step'));
  expect(steps).toHaveLength(4);
  expect(steps[1]?.text).toContain('all 20');
  expect(steps[1]?.text).toContain('p99 10 ms');
  expect(steps[1]?.text).toContain('shard1 open');
  expect(steps[2]?.text).toContain('all –');
});

test('nothing is drawn outside of the picture, wide or narrow', () => {
  for (const width of [968, 368]) {
    const svg = chart(width);
    const [, , right, bottom] = (svg.attributes.get('viewBox') ?? '').split(' ').map(Number) as [
      number,
      number,
      number,
      number,
    ];
    expect(right).toBe(width);
    for (const element of findAll(svg, (each) => ['rect', 'line', 'text'].includes(each.name))) {
      const x = Math.max(numberOf(element, 'x') || 0, numberOf(element, 'x2') || 0);
      const y = Math.max(numberOf(element, 'y') || 0, numberOf(element, 'y2') || 0);
      expect(x + (numberOf(element, 'width') || 0)).toBeLessThanOrEqual(right);
      expect(y + (numberOf(element, 'height') || 0)).toBeLessThanOrEqual(bottom);
    }
  }
});

test('a reader that sees nothing is told title, events and ranges', () => {
  const svg = chart(368);
  const [title, desc] = svg.children as [Markup, Markup];
  expect(title.text).toBe(timeline.title);
  expect(svg.attributes.get('aria-labelledby')).toBe(
    `${title.attributes.get('id')} ${desc.attributes.get('id')}`,
  );
  expect(desc.text).toContain('At 1 s shard1 <paused>.');
  expect(desc.text).toContain('Latency, p99: 1 ms to 1 s.');
  expect(desc.text).toContain('Breakers, shard1: closed, open.');
});

test('a timeline without steps, or of zeros, is still a picture', () => {
  const empty = chart(968, { ...timeline, edges: [0, 0], events: [], plots: timeline.plots.map(without) });
  expect(findAll(empty, named('svg'))).toHaveLength(1);
});

function without(plot: Timeline['plots'][number]): Timeline['plots'][number] {
  if (plot.kind === 'bands') return { ...plot, rows: [] };
  const series = plot.series.map((each) => ({ ...each, values: [] }));
  return plot.kind === 'lines' ? { ...plot, series } : { ...plot, series };
}
