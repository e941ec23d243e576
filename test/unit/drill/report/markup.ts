/** A strict reader of markup, so that tests look at what a page holds and not at how it is spelled. */
/** One element. Shape: `text` is all text in it, that of its children too. */
export interface Markup {
  readonly name: string;
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: Markup[];
  text: string;
}

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" };
/** What HTML lets close itself, beside all of SVG. */
const VOID_IN_HTML = new Set(['meta']);

/** The tree of a document. Fails unless every tag is closed in order, attributes are quoted and named once, and nothing is left
 *  unescaped; and where a browser would read something else, as `<div />`. */
export function parseMarkup(document: string): Markup {
  const root: Markup = { name: '', attributes: new Map(), children: [], text: '' };
  const open = [root];
  const token = /<(\/?)([a-z][a-z0-9]*)((?:\s+[a-zA-Z][a-zA-Z0-9-]*="[^"<]*")*)\s*(\/?)>|([^<]+)/gy;
  const body = document.replace(/^<!DOCTYPE html>\n/, '');
  let end = 0;
  for (const match of body.matchAll(token)) {
    end = match.index + match[0].length;
    const [, isEnd, name = '', attributes = '', isClosed, text] = match;
    if (text !== undefined) {
      const plain = decode(text);
      for (const element of open) element.text += plain;
    } else if (isEnd === '/') demand(open.pop()?.name === name, `</${name}> closes another element`);
    else {
      const element = { name, attributes: attributesOf(attributes), children: [], text: '' };
      open.at(-1)?.children.push(element);
      const isSvg = open.some((each) => each.name === 'svg');
      if (isClosed !== '/') open.push(element);
      else demand(isSvg || VOID_IN_HTML.has(name), `<${name} /> in HTML`);
    }
  }
  demand(end === body.length, `no markup: ${body.slice(end, end + 60)}`);
  demand(open.length === 1, `not closed: ${open.at(-1)?.name}`);
  return root;
}

/** All elements below, itself included, that `matches`. */
export function findAll(markup: Markup, matches: (element: Markup) => boolean): Markup[] {
  return [
    ...(matches(markup) ? [markup] : []),
    ...markup.children.flatMap((child) => findAll(child, matches)),
  ];
}

export function named(name: string): (element: Markup) => boolean {
  return (element) => element.name === name;
}

/** Elements of such a class. */
export function classed(...names: readonly string[]): (element: Markup) => boolean {
  return ({ attributes }) => {
    const own = attributes.get('class')?.split(' ') ?? [];
    return names.every((name) => own.includes(name));
  };
}

/** A number among the attributes; NaN where there is none. */
export function numberOf({ attributes }: Markup, name: string): number {
  return Number(attributes.get(name) ?? Number.NaN);
}

function attributesOf(text: string): Map<string, string> {
  const found = [...text.matchAll(/([a-zA-Z][a-zA-Z0-9-]*)="([^"]*)"/g)];
  const attributes = new Map(found.map(([, name = '', value = '']) => [name, decode(value)]));
  demand(attributes.size === found.length, `an attribute twice: ${text}`);
  return attributes;
}

function decode(text: string): string {
  return text.replaceAll(/&([^;]*;?)/g, (_, name: string) => {
    const character = ENTITIES[name.slice(0, -1)];
    demand(character !== undefined, `no entity: &${name}`);
    return character ?? '';
  });
}

/** Quicker than an assertion of the test's, of which there would be thousands a page. */
function demand(holds: boolean, complaint: string): void {
  if (!holds) throw new Error(complaint);
}
