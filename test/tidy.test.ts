import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, it } from 'vitest';

/** Folders in the way of a request: each imports only from itself and those before it (docs/architecture.md). */
const LEVELS = [
  'base',
  'protocol',
  'command',
  'policy',
  'cache',
  'coalesce',
  'shard',
  'route',
  'session',
  'invalidation',
  'config',
  'metrics',
  'admin',
  'build',
  'reshard',
  'drill',
  'cli',
];
/** app.ts builds everything out of the folders; the command line, main.ts and index.ts start it. */
const APP_LEVEL = LEVELS.indexOf('cli') - 0.5;
const LINES_MAX = 400;

const files = readdirSync('src', { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .toSorted();

function levelOf(file: string): number {
  if (!file.includes('/')) return file === 'app.ts' ? APP_LEVEL : LEVELS.length;
  return LEVELS.indexOf(file.slice(0, file.indexOf('/')));
}

function importsOf(file: string): string[] {
  const text = readFileSync(join('src', file), 'utf8');
  return [...text.matchAll(/(?:from|import) '(\.[^']+)'/g)].map((match) =>
    normalize(join(dirname(file), match[1] as string)),
  );
}

describe('the source tree', () => {
  it('has only folders that have a place in the way of a request', () => {
    expect(files.filter((file) => levelOf(file) < 0)).toEqual([]);
  });

  it('imports only from the same folder or an earlier one', () => {
    const wrong = files.flatMap((file) =>
      importsOf(file)
        .filter((target) => target.endsWith('.ts') && levelOf(target) > levelOf(file))
        .map((target) => `${file} imports ${target}`),
    );
    expect(wrong).toEqual([]);
  });

  it('has no cycle of value imports', () => {
    const graph = new Map(
      files.map((file) => {
        const text = readFileSync(join('src', file), 'utf8');
        const values = [...text.matchAll(/^(?:import|export) (?!type )[^;]*?from '(\.[^']+)'/gms)];
        return [file, values.map((match) => normalize(join(dirname(file), match[1] as string)))] as const;
      }),
    );
    expect(files.filter((file) => reaches(graph, file, file))).toEqual([]);
  });

  it('keeps files short', () => {
    const long = files
      .map((file) => ({ file, lines: readFileSync(join('src', file), 'utf8').split('\n').length }))
      .filter(({ lines }) => lines > LINES_MAX);
    expect(long).toEqual([]);
  });

  it('names every source file in docs/architecture.md, and no file that is not there', () => {
    const text = readFileSync('docs/architecture.md', 'utf8');
    const named = new Set(
      [...text.matchAll(/`((?:[a-z-]+\/)+[a-z0-9-]+\.(?:generated\.json|ts)|[a-z]+\.ts)`/g)].map(
        (match) => match[1],
      ),
    );
    expect({
      missing: files.filter((file) => !named.has(file)),
      gone: [...named].filter((file) => file?.endsWith('.ts') === true && !files.includes(file)),
    }).toEqual({ missing: [], gone: [] });
  });
});

function reaches(graph: ReadonlyMap<string, readonly string[]>, from: string, to: string): boolean {
  const seen = new Set<string>();
  const open = [...(graph.get(from) ?? [])];
  for (let file = open.pop(); file !== undefined; file = open.pop()) {
    if (file === to) return true;
    if (seen.has(file)) continue;
    seen.add(file);
    open.push(...(graph.get(file) ?? []));
  }
  return false;
}
