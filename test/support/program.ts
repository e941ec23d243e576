import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';

import { onProcessEnd } from '../../src/drill/servers/at-exit.ts';

/** A program that a test started. */
export interface Program {
  readonly child: ChildProcessWithoutNullStreams;
  /** What it has written so far. */
  readonly stdout: string;
  /** Resolves once it has ended. */
  readonly ended: Promise<ProgramResult>;
}

/** How a program ended. Shape: `code` is null when a signal ended it. */
export interface ProgramResult {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Starts a program of the PATH; it ends with this process at the latest.
 *  Errors: `ended` rejects when there is no such program. */
export function startProgram(name: string, args: readonly string[]): Program {
  const child = spawn(name, args, { stdio: 'pipe' });
  const forget = onProcessEnd(() => child.kill('SIGKILL'));
  const written = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream].on('data', (chunk: Buffer) => {
      written[stream] += chunk.toString('latin1');
    });
  }
  // A program that ends without reading its input is judged by its exit code.
  child.stdin.on('error', () => {});
  const ended = new Promise<ProgramResult>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      forget();
      resolve({ code, ...written });
    });
  });
  return {
    child,
    ended,
    get stdout() {
      return written.stdout;
    },
  };
}

/** Runs a program of the PATH to its end, with `input` on its standard input. */
export function runProgram(
  name: string,
  args: readonly string[],
  input: string | Buffer = '',
): Promise<ProgramResult> {
  const program = startProgram(name, args);
  program.child.stdin.end(input);
  return program.ended;
}
