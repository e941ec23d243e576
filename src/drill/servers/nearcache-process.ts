import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { extname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import { onProcessEnd } from './at-exit.ts';
import { freePorts } from './free-port.ts';

/** What a drill or a test asks of a nearcache.
 *  Shape: `upstream` is a port of 127.0.0.1 or what `--upstream` takes, undefined = a file in `flags` says it; `flags` are further flags of `nearcache serve`, which win over those given here (`--drain-serve 0`);
 *  `root` is the folder of another nearcache than this one, e.g. of a version to compare with. */
export interface NearcacheOptions {
  upstream: number | string | undefined;
  root?: string | undefined;
  flags?: readonly string[];
  env?: Readonly<Record<string, string>>;
  /** A program and its arguments that becomes the one named behind them, in a surrounding of its making. */
  launcher?: readonly string[];
  /** Where to listen, for apps and for admin; default: free ports. */
  ports?: readonly [number, number] | undefined;
}

/** One running nearcache process. */
export interface Nearcache {
  readonly port: number;
  readonly adminPort: number;
  readonly pid: number;
  /** All it has written to stdout and stderr so far. */
  readonly logs: string;
  readonly hasEnded: boolean;
  /** Resolves with the exit code, or the signal's name, once the process has ended. */
  readonly exited: Promise<number | string>;
  /** Asks it to stop, as an orchestrator does, and waits; does nothing the second time. */
  stop(): Promise<void>;
  /** Kills it on the spot and waits. */
  kill(): Promise<void>;
}

// As TypeScript or, published, as JavaScript: as this file is.
const ownMain = fileURLToPath(new URL(`../../main${extname(import.meta.url)}`, import.meta.url));

/** Starts `nearcache serve`, with the Node that runs this, and waits until it is started up.
 *  Errors: rejects with the process's output when it ends before, or is not ready within 40 seconds. */
export async function startNearcache(options: NearcacheOptions): Promise<Nearcache> {
  for (let tries = TRIES; ; tries--) {
    try {
      return await startOnce(options);
    } catch (error) {
      // Another program was given a port that was free a moment ago.
      if (tries === 1 || !String(error).includes('EADDRINUSE')) throw error;
    }
  }
}

const TRIES = 3;
const ANSWER_MS = 2000;

async function startOnce(options: NearcacheOptions): Promise<Nearcache> {
  const [port, adminPort] = options.ports ?? ((await freePorts(2)) as [number, number]);
  const upstream =
    typeof options.upstream === 'number' ? `redis://127.0.0.1:${options.upstream}` : options.upstream;
  const args = ['--listen', `127.0.0.1:${port}`, '--admin', `127.0.0.1:${adminPort}`];
  if (upstream !== undefined) args.push('--upstream', upstream);
  // Whoever stops it has mostly clients of its own connected, and does not mean to wait for them.
  if (options.root === undefined) args.push('--drain-serve', '0');
  const main = options.root === undefined ? ownMain : join(options.root, 'src/main.ts');
  const command = [process.execPath, main, 'serve', ...args, ...(options.flags ?? [])];
  const [program, ...words] = [...(options.launcher ?? []), ...command] as [string, ...string[]];
  const child = spawn(program, words, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...withoutOurs(process.env), ...options.env },
  });
  const nearcache = new NearcacheProcess(child, port, adminPort);
  await nearcache.started();
  return nearcache;
}

/** An option in the environment would change what is tried. */
function withoutOurs(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('NEARCACHE_')));
}

class NearcacheProcess implements Nearcache {
  readonly port: number;
  readonly adminPort: number;
  readonly exited: Promise<number | string>;
  logs = '';
  readonly #child: ChildProcess;
  hasEnded = false;

  constructor(child: ChildProcess, port: number, adminPort: number) {
    this.#child = child;
    this.port = port;
    this.adminPort = adminPort;
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        this.logs += chunk.toString();
      });
    }
    const forget = onProcessEnd(() => child.kill('SIGKILL'));
    this.exited = once(child, 'close').then((codeAndSignal) => {
      this.hasEnded = true;
      forget();
      const [code, signal] = codeAndSignal as [number | null, string];
      return code ?? signal;
    });
  }

  get pid(): number {
    return this.#child.pid as number;
  }

  async started(): Promise<void> {
    const deadline = performance.now() + 40_000;
    while (!(await this.#answersStartup())) {
      if (this.hasEnded) throw new Error(`nearcache ended (${await this.exited}):\n${this.logs}`);
      if (performance.now() > deadline) {
        await this.kill();
        throw new Error(`nearcache was not ready within 40 s:\n${this.logs}`);
      }
      await delay(20);
    }
  }

  async stop(): Promise<void> {
    this.#child.kill('SIGTERM');
    const killer = setTimeout(() => this.#child.kill('SIGKILL'), 10_000);
    await this.exited;
    clearTimeout(killer);
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.exited;
  }

  async #answersStartup(): Promise<boolean> {
    try {
      // A question that is lost, whatever took it, is asked again.
      const signal = AbortSignal.timeout(ANSWER_MS);
      return (await fetch(`http://127.0.0.1:${this.adminPort}/startupz`, { signal })).ok;
    } catch {
      return false;
    }
  }
}
