import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import { onProcessEnd } from './at-exit.ts';
import { freePort } from './free-port.ts';

/** What a test asks of a nearcache.
 *  Shape: `upstream` is a port of 127.0.0.1 or what `--upstream` takes, undefined = a file in `flags` says it; `flags` are further flags of `nearcache serve`;
 *  `root` is the folder of another nearcache than this one, e.g. of a version to compare with. */
export interface NearcacheOptions {
  upstream: number | string | undefined;
  root?: string | undefined;
  flags?: readonly string[];
  env?: Readonly<Record<string, string>>;
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

const ownRoot = fileURLToPath(new URL('../..', import.meta.url));

/** Starts `nearcache serve` from its sources, with the Node that runs the test, and waits until it is started up.
 *  Errors: rejects with the process's output when it ends before, or is not ready within 15 seconds. */
export async function startNearcache(options: NearcacheOptions): Promise<Nearcache> {
  const [port, adminPort] = [await freePort(), await freePort()];
  const upstream =
    typeof options.upstream === 'number' ? `redis://127.0.0.1:${options.upstream}` : options.upstream;
  const args = ['--listen', `127.0.0.1:${port}`, '--admin', `127.0.0.1:${adminPort}`];
  if (upstream !== undefined) args.push('--upstream', upstream);
  const main = join(options.root ?? ownRoot, 'src/main.ts');
  const child = spawn(process.execPath, [main, 'serve', ...args, ...(options.flags ?? [])], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...withoutOurs(process.env), ...options.env },
  });
  const nearcache = new NearcacheProcess(child, port, adminPort);
  await nearcache.started();
  return nearcache;
}

/** An option in the environment of the tests would change what they test. */
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
    const deadline = performance.now() + 15_000;
    while (!(await this.#answersStartup())) {
      if (this.hasEnded) throw new Error(`nearcache ended (${await this.exited}):\n${this.logs}`);
      if (performance.now() > deadline) {
        await this.kill();
        throw new Error(`nearcache was not ready within 15 s:\n${this.logs}`);
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
      return (await fetch(`http://127.0.0.1:${this.adminPort}/startupz`)).ok;
    } catch {
      return false;
    }
  }
}
