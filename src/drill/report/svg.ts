/** Markup as text: nothing gets into it unescaped, and what comes out is valid both as HTML and as XML. */

/** Attributes by name. Shape: numbers are rounded to a tenth, which no eye can tell. */
export type Attributes = Readonly<Record<string, string | number>>;

/** Text as it may stand between tags and inside of quotes. What XML cannot hold becomes the replacement character. */
export function escapeMarkup(text: string): string {
  return (
    text
      .toWellFormed()
      // oxlint-disable-next-line no-control-regex -- they are what is looked for
      .replaceAll(/[\u0000-\u0008\u000B\u000C\u000E-\u001F\uFFFE\uFFFF]/g, '\uFFFD')
      .replaceAll('&', '&amp;')
      .replaceAll('<', '&lt;')
      .replaceAll('>', '&gt;')
      .replaceAll('"', '&quot;')
      .replaceAll("'", '&#39;')
  );
}

/** Elements that hold nothing. Any other that closed itself would stay open in HTML. */
const EMPTY = new Set(['line', 'meta', 'path']);

/** One element. Shape: `content` is markup. */
export function element(name: string, attributes: Attributes, ...content: readonly string[]): string {
  const all = Object.entries(attributes).map(([key, value]) => ` ${key}="${escapeMarkup(shown(value))}"`);
  const start = `<${name}${all.join('')}`;
  return EMPTY.has(name) ? `${start} />` : `${start}>${content.join('')}</${name}>`;
}

/** One element around plain text. */
export function textElement(name: string, attributes: Attributes, text: string): string {
  return element(name, attributes, escapeMarkup(text));
}

/** A path of horizontal steps. Shape: `edges` holds the left edge of each step and the right edge of the last; `heights` its y,
 *  undefined = a gap. */
export function stepPath(edges: readonly number[], heights: readonly (number | undefined)[]): string {
  let path = '';
  let isDrawn = false;
  for (const [i, y] of heights.entries()) {
    if (y !== undefined)
      path += `${isDrawn ? 'V' : `M${tenth(edges[i])} `}${tenth(y)}H${tenth(edges[i + 1])}`;
    isDrawn = y !== undefined;
  }
  return path;
}

/** The closed shape between such steps and those below them. Shape: both of the same length, without gaps. */
export function stepArea(
  edges: readonly number[],
  upper: readonly number[],
  lower: readonly number[],
): string {
  const back = lower
    .map((y, i) => `V${tenth(y)}H${tenth(edges[i])}`)
    .reverse()
    .join('');
  return upper.length === 0 ? '' : `${stepPath(edges, upper)}${back}Z`;
}

/** About as wide as the browser will draw it, in a font without serifs. */
export function textWidth(text: string, fontSize: number): number {
  return text.length * fontSize * 0.56;
}

function shown(value: string | number): string {
  return typeof value === 'number' ? tenth(value) : value;
}

function tenth(value: number | undefined): string {
  return String(Math.round((value ?? 0) * 10) / 10);
}
