import { expect, test } from 'vitest';

import { type Plot, renderSvg } from '../../../../bench/report/svg.ts';

const plot: Plot = {
  title: 'Ops & <latency> "now"',
  subtitle: 'a machine',
  series: [
    { name: 'direct', colour: '#111111' },
    { name: 'a<b', colour: '#888888' },
  ],
  columns: 2,
  panels: [
    {
      title: 'GET',
      groups: [
        { label: 'P=1', values: [10, 40] },
        { label: 'P=16', values: [undefined, 20] },
      ],
    },
    { title: 'nothing measured', groups: [{ label: 'P=1', values: [undefined, undefined] }] },
  ],
  format: String,
};

/** Fails unless every tag is closed in order, every attribute is quoted and every & starts an entity. */
function expectWellFormed(xml: string): void {
  const open: string[] = [];
  const tag = /<(\/?)([a-z]+)((?: [a-zA-Z0-9-]+="[^"<]*")*)(\/?)>/g;
  const texts = xml.replaceAll(tag, (_, slash: string, name: string, __: string, selfClosed: string) => {
    if (slash === '/') expect(open.pop()).toBe(name);
    else if (selfClosed !== '/') open.push(name);
    return '';
  });
  expect(open).toEqual([]);
  expect(texts).not.toMatch(/[<>]/);
  expect(xml).not.toMatch(/&(?!(?:amp|lt|gt|quot);)/);
}

function heightsOf(svg: string, fill: string): number[] {
  const bars = svg.matchAll(new RegExp(`height="([\\d.]+)" fill="${fill}"`, 'g'));
  return [...bars].map(([, height]) => Number(height));
}

test('the document is well-formed XML whatever the names hold', () => {
  const svg = renderSvg(plot);
  expectWellFormed(svg);
  expect(svg).toContain('Ops &amp; &lt;latency&gt; &quot;now&quot;');
  expect(svg.startsWith('<svg xmlns="http://www.w3.org/2000/svg"')).toBe(true);
});

test('bars are as high as their values, and a missing value is a gap', () => {
  const svg = renderSvg(plot);
  const [direct, other] = ['#111111', '#888888'].map((fill) => heightsOf(svg, fill).slice(1));
  expect(direct).toHaveLength(1);
  expect(other).toHaveLength(2);
  const [tallest, half] = other as [number, number];
  expect((direct as number[])[0]! / tallest).toBeCloseTo(0.25, 2);
  expect(half / tallest).toBeCloseTo(0.5, 2);
});

test('a plot without panels is still a document', () => {
  expectWellFormed(renderSvg({ ...plot, panels: [] }));
});
