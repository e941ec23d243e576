import { spawn } from 'node:child_process';

import { onProcessEnd } from '../../src/drill/servers/at-exit.ts';

/** Where and as whom a program runs. Shape: `env` is added to this process's, less nearcache's own variables. */
export interface Place {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly uid?: number;
  readonly gid?: number;
}

/** A program that ends with this process at the latest. */
export interface LocalProgram {
  readonly pid: number;
  /** All it has written so far. */
  readonly output: string;
  readonly hasEnded: boolean;
  /** Its exit code, or the signal that ended it. */
  readonly ended: Promise<number | string>;
  kill(signal: NodeJS.Signals): void;
}

/** Starts a command as a container would; `node` is the Node that runs the test. */
export function startLocal(argv: readonly string[], place: Place = {}): LocalProgram {
  const [name = '', ...args] = argv;
  const { env, ...rest } = place;
  const child = spawn(name === 'node' ? process.execPath : name, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...withoutOurs(process.env), ...env },
    ...rest,
  });
  const forget = onProcessEnd(() => child.kill('SIGKILL'));
  let output = '';
  let hasEnded = false;
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
  }
  const ended = new Promise<number | string>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      forget();
      hasEnded = true;
      resolve(code ?? signal ?? '');
    });
  });
  return {
    pid: child.pid as number,
    ended,
    kill: (signal) => void child.kill(signal),
    get output() {
      return output;
    },
    get hasEnded() {
      return hasEnded;
    },
  };
}

/** Runs a command to its end. */
export async function runToEnd(
  argv: readonly string[],
  place?: Place,
): Promise<{ code: number | string; output: string }> {
  const program = startLocal(argv, place);
  return { code: await program.ended, output: program.output };
}

/** An option in the environment of the tests would change what they test. */
function withoutOurs(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('NEARCACHE_')));
}
