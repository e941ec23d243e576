import { mkdirSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

import type { Machine } from '../machine.ts';
import { type Plot, renderSvg } from './svg.ts';

const folder = fileURLToPath(new URL('../results/', import.meta.url));

/** Writes `<name>.json` and `<name>.svg` into bench/results/, over those of the last run, and returns their paths.
 *  Shape: `plot` is bars to draw, or an SVG. */
export function writeResults(name: string, machine: Machine, data: object, plot: Plot | string): string[] {
  mkdirSync(folder, { recursive: true });
  const [json, svg] = [join(folder, `${name}.json`), join(folder, `${name}.svg`)];
  writeFileSync(json, `${JSON.stringify({ machine, ...data }, undefined, 2)}\n`);
  writeFileSync(svg, typeof plot === 'string' ? plot : renderSvg(plot));
  return [json, svg].map((file) => relative(process.cwd(), file));
}
