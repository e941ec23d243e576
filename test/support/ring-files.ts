import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { onProcessEnd } from '../../src/drill/servers/at-exit.ts';
import type { RingShard } from './ring-servers.ts';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

/** The text of a configuration file with that ring; with `next` also what it is to become. */
export function ringYaml(shards: readonly RingShard[], next?: readonly RingShard[]): string {
  const list = (each: readonly RingShard[], indent: string): string =>
    each.map(({ name, url }) => `${indent}- { name: ${name}, url: "${url}" }\n`).join('');
  const toCome = next === undefined ? '' : `  next:\n    shards:\n${list(next, '      ')}`;
  return `ring:\n  shards:\n${list(shards, '    ')}${toCome}`;
}

/** Configuration files that end with this process. */
export class RingFiles {
  readonly #dir = mkdtempSync(join(tmpdir(), 'nearcache-ring-'));

  constructor() {
    onProcessEnd(() => rmSync(this.#dir, { recursive: true, force: true }));
  }

  write(name: string, text: string): string {
    const path = join(this.#dir, name);
    writeFileSync(path, text);
    return path;
  }
}

/** What a run of the tool came to. */
export interface ToolRun {
  readonly code: number | string;
  readonly out: string;
  readonly err: string;
}

export interface Tool {
  readonly pid: number;
  /** What it has written so far. */
  readonly out: string;
  kill(signal: NodeJS.Signals): void;
  readonly ended: Promise<ToolRun>;
}

/** Starts `nearcache reshard` with these arguments. */
export function startReshard(args: readonly string[]): Tool {
  const child = spawn(process.execPath, [MAIN, 'reshard', ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  const forget = onProcessEnd(() => child.kill('SIGKILL'));
  let out = '';
  let err = '';
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
  const ended = new Promise<ToolRun>((resolve) => {
    child.once('close', (code, signal) => {
      forget();
      resolve({ code: code ?? signal ?? '', out, err });
    });
  });
  return {
    pid: child.pid as number,
    get out() {
      return out;
    },
    kill: (signal) => void child.kill(signal),
    ended,
  };
}

/** Runs it to its end. */
export function reshard(args: readonly string[]): Promise<ToolRun> {
  return startReshard(args).ended;
}
