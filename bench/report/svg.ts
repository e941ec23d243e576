/** Bar charts as one self-contained SVG: no script, no font, no network. */

/** One chart. Shape: each group has a bar a series, in the order of `Plot.series`; undefined leaves a gap. */
export interface Panel {
  readonly title: string;
  readonly groups: readonly { readonly label: string; readonly values: readonly (number | undefined)[] }[];
}

/** One bar of each group. */
export interface Series {
  readonly name: string;
  readonly colour: string;
}

/** A page of charts that share their series. Shape: `columns` charts stand side by side. */
export interface Plot {
  readonly title: string;
  readonly subtitle: string;
  readonly series: readonly Series[];
  readonly columns: number;
  readonly panels: readonly Panel[];
  /** The text above a bar. */
  format(value: number): string;
}

const panel = { width: 440, height: 250, left: 16, right: 16, top: 40, bottom: 34 };
const header = 84;

/** The whole document. Cost: small, a few kilobytes a panel. */
export function renderSvg(plot: Plot): string {
  const { columns } = plot;
  const rows = Math.ceil(plot.panels.length / columns);
  // Even a single chart leaves room for the title and the legend.
  const width = panel.width * Math.max(2, columns);
  const height = header + rows * panel.height;
  const body = [
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    text({ x: panel.left, y: 26, size: 18, weight: 'bold' }, plot.title),
    text({ x: panel.left, y: 46, size: 11, fill: '#666666' }, plot.subtitle),
    ...legend(plot.series),
    ...plot.panels.map((each, i) => {
      const x = (i % columns) * panel.width;
      const y = header + Math.floor(i / columns) * panel.height;
      return `<g transform="translate(${x} ${y})">${renderPanel(each, plot)}</g>`;
    }),
  ];
  const size = `width="${width}" height="${height}" viewBox="0 0 ${width} ${height}"`;
  const font = 'font-family="system-ui, sans-serif"';
  return `<svg xmlns="http://www.w3.org/2000/svg" ${size} ${font}>\n${body.join('\n')}\n</svg>\n`;
}

function legend(series: readonly Series[]): string[] {
  let x = panel.left;
  return series.map(({ name, colour }) => {
    const mark = `<rect x="${x}" y="56" width="12" height="12" fill="${colour}"/>`;
    const label = text({ x: x + 18, y: 66, size: 12 }, name);
    x += 40 + name.length * 7;
    return `${mark}${label}`;
  });
}

function renderPanel({ title, groups }: Panel, plot: Plot): string {
  const inner = panel.width - panel.left - panel.right;
  const floor = panel.height - panel.bottom;
  const highest = Math.max(...groups.flatMap(({ values }) => values.map((value) => value ?? 0)), 0);
  const groupWidth = inner / Math.max(1, groups.length);
  const barWidth = (groupWidth * 0.86) / Math.max(1, plot.series.length);
  const parts = [
    text({ x: panel.left, y: 18, size: 13, weight: 'bold' }, title),
    `<line x1="${panel.left}" y1="${floor}" x2="${panel.width - panel.right}" y2="${floor}" stroke="#999999"/>`,
  ];
  for (const [g, { label, values }] of groups.entries()) {
    const left = panel.left + g * groupWidth + groupWidth * 0.07;
    parts.push(text({ x: left + groupWidth * 0.43, y: floor + 18, size: 12, anchor: 'middle' }, label));
    for (const [i, { colour }] of plot.series.entries()) {
      const value = values[i];
      if (value === undefined || highest === 0) continue;
      const height = ((floor - panel.top) * value) / highest;
      const [x, y] = [left + i * barWidth, floor - height];
      const middle = { x: x + barWidth / 2, y: y - 4, size: 9, anchor: 'middle' };
      parts.push(
        `<rect x="${round(x)}" y="${round(y)}" width="${round(barWidth * 0.92)}" height="${round(height)}" fill="${colour}"/>`,
        text(middle, plot.format(value)),
      );
    }
  }
  return parts.join('');
}

interface TextStyle {
  readonly x: number;
  readonly y: number;
  readonly size: number;
  readonly weight?: string;
  readonly anchor?: string;
  readonly fill?: string;
}

function text({ x, y, size, weight, anchor, fill }: TextStyle, content: string): string {
  const extra = [
    weight === undefined ? '' : ` font-weight="${weight}"`,
    anchor === undefined ? '' : ` text-anchor="${anchor}"`,
    ` fill="${fill ?? '#222222'}"`,
  ].join('');
  return `<text x="${round(x)}" y="${round(y)}" font-size="${size}"${extra}>${escapeXml(content)}</text>`;
}

function round(value: number): string {
  return String(Math.round(value * 10) / 10);
}

function escapeXml(content: string): string {
  return content
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
