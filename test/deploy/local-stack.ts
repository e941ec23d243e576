import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { eventually } from '../../src/drill/servers/eventually.ts';
import { freePorts } from '../../src/drill/servers/free-port.ts';
import { type ComposeService, type ComposeServices, mountsOf, networkOf } from './compose-file.ts';
import type { Start } from './dockerfile.ts';
import { type LocalProgram, type Place, runToEnd, startLocal } from './local-program.ts';

/** What containers listen on, each in a network of its own. */
const PORTS = [6379, 26_379, 8080, 9379];
/** Both, since a name may be either; the second where there is such. */
const LOOPBACK = ['127.0.0.1', '-::1'];
const MAIN = 'src/main.ts';
/** Much more than the file allows: here all start at once, on a machine that does other things. */
const HEALTHY_MS = 120_000;

interface StackOptions {
  readonly services: ComposeServices;
  /** The folder of docker-compose.yml. */
  readonly root: string;
  /** Of the image that is built here. */
  readonly imageStart: Start;
  /** Set for a service besides its own: what only makes sense on this machine. */
  readonly env: (stack: LocalStack, name: string) => Readonly<Record<string, string>>;
}

/** Runs the services of docker-compose.yml as programs of this machine: the same commands, environment, mounted files and
 *  health checks, in the order of `depends_on`. Where each container had a network and a filesystem of its own, ports become
 *  free ones, names of services become `localhost` (a name too, as Sentinels are to tell), and paths those of a temporary folder. */
export class LocalStack {
  readonly #options: StackOptions;
  readonly #dir = mkdtempSync(join(tmpdir(), 'nearcache-compose-'));
  readonly #programs = new Map<string, LocalProgram>();
  readonly #starts = new Map<string, Promise<void>>();
  readonly #paths = new Map<string, ReadonlyMap<string, string>>();
  #ports: readonly number[] = [];

  private constructor(options: StackOptions) {
    this.#options = options;
  }

  static async make(options: StackOptions): Promise<LocalStack> {
    const stack = new LocalStack(options);
    stack.#ports = await freePorts(Object.keys(options.services).length * PORTS.length);
    return stack;
  }

  /** Where a port of a service is here. */
  port(name: string, port: number): number {
    const owner = networkOf(name, this.#options.services);
    const index = Object.keys(this.#options.services).indexOf(owner);
    return this.#ports[index * PORTS.length + PORTS.indexOf(port)] as number;
  }

  program(name: string): LocalProgram {
    const program = this.#programs.get(name);
    if (program === undefined) throw new Error(`${name} was not started`);
    return program;
  }

  /** Starts a service once those that it depends on are as it wants them; does nothing the second time.
   *  Errors: rejects when one of them ends, or is not healthy in time, with its output. */
  start(name: string): Promise<void> {
    const start = this.#starts.get(name) ?? this.#start(name);
    this.#starts.set(name, start);
    return start;
  }

  async #start(name: string): Promise<void> {
    const service = this.#service(name);
    const conditions = Object.entries(service.depends_on ?? {});
    await Promise.all(
      conditions.map(async ([other, { condition }]) => {
        await this.start(other);
        if (condition === 'service_healthy') await this.healthy(other);
      }),
    );
    const { entrypoint, command } = this.#options.imageStart;
    const isBuilt = service.build !== undefined;
    const argv = [
      ...(service.entrypoint ?? (isBuilt ? entrypoint : [])),
      ...(service.command ?? (isBuilt ? command : [])),
    ];
    // As it would be in its own network only.
    if (argv[0] === 'redis-server') argv.push('--bind', ...LOOPBACK);
    this.#programs.set(name, startLocal(this.#local(name, argv), this.#place(name)));
  }

  /** Waits until a service's own health check says so. */
  async healthy(name: string): Promise<void> {
    await eventually(
      `${name} is healthy`,
      async () => {
        const { code, output } = await this.check(name);
        if (this.program(name).hasEnded) throw new Error(`${name} has ended:\n${this.program(name).output}`);
        if (code !== 0) throw new Error(`${output}\n${this.program(name).output}`);
        return true;
      },
      HEALTHY_MS,
    );
  }

  /** Runs a service's health check once. */
  check(name: string): Promise<{ code: number | string; output: string }> {
    const [form, ...command] = this.#service(name).healthcheck?.test ?? [];
    const argv = form === 'CMD-SHELL' ? ['sh', '-c', ...command] : command;
    return runToEnd(this.#local(name, argv), this.#place(name));
  }

  async stop(): Promise<void> {
    for (const program of this.#programs.values()) program.kill('SIGKILL');
    await Promise.all([...this.#programs.values()].map(({ ended }) => ended));
    rmSync(this.#dir, { recursive: true, force: true });
  }

  #service(name: string): ComposeService {
    const service = this.#options.services[name];
    if (service === undefined) throw new Error(`there is no service ${name}`);
    return service;
  }

  #place(name: string): Place {
    const own = Object.entries(this.#service(name).environment ?? {});
    const env = Object.fromEntries(own.map(([key, value]) => [key, this.#local(name, [value])[0] as string]));
    return { cwd: this.#options.root, env: { ...env, ...this.#options.env(this, name) } };
  }

  /** A command of a container as it is on this machine; `$$` is how the file writes a `$`. */
  #local(name: string, argv: readonly string[]): string[] {
    const paths = this.#pathsOf(name);
    const script = this.#options.imageStart.entrypoint[1] as string;
    return argv.map((arg, index) => {
      if (arg === script) return MAIN;
      if (arg in this.#options.services && argv[index - 1]?.endsWith('announce-ip')) return 'localhost';
      if (arg in this.#options.services && argv[index + 1] === '6379') return 'localhost';
      const isOfOther =
        argv[index - 1] !== undefined && (argv[index - 1] as string) in this.#options.services;
      const own = isOfOther ? (argv[index - 1] as string) : name;
      return this.#addresses(own, atPaths(arg.replaceAll('$$', '$'), paths));
    });
  }

  /** `name:port` and `name port` of any service, then ports of its own. */
  #addresses(name: string, text: string): string {
    const names = Object.keys(this.#options.services).join('|');
    const ports = PORTS.join('|');
    const pattern = new RegExp(`(?<![\\w.-])(?:(${names})([: ]))?(${ports})(?![\\w.])`, 'g');
    return text.replaceAll(pattern, (_, other: string | undefined, gap: string | undefined, port: string) =>
      other === undefined
        ? String(this.port(name, Number(port)))
        : `localhost${gap}${this.port(other, Number(port))}`,
    );
  }

  /** Made once: a file that was written again might be read in between. */
  #pathsOf(name: string): ReadonlyMap<string, string> {
    const paths = this.#paths.get(name) ?? this.#makePaths(name);
    this.#paths.set(name, paths);
    return paths;
  }

  /** What a container sees at a path, here. A mounted file is copied, since it names ports too. */
  #makePaths(name: string): ReadonlyMap<string, string> {
    const service = this.#service(name);
    const paths = new Map<string, string>();
    for (const target of service.tmpfs ?? []) {
      const path = join(this.#dir, name, target);
      mkdirSync(path, { recursive: true });
      paths.set(target, path);
    }
    for (const { host, target } of mountsOf(service)) {
      const source = join(this.#options.root, host);
      if (statSync(source).isDirectory()) continue;
      const path = join(this.#dir, name, target);
      mkdirSync(join(path, '..'), { recursive: true });
      const content = this.#addresses(name, atPaths(readFileSync(source, 'utf8'), paths));
      writeFileSync(
        path,
        target.endsWith('sentinel.conf') ? `bind ${LOOPBACK.join(' ')}\n${content}` : content,
      );
      paths.set(target, path);
    }
    return paths;
  }
}

function atPaths(text: string, paths: ReadonlyMap<string, string>): string {
  if (paths.size === 0) return text;
  const targets = [...paths.keys()].toSorted((a, b) => b.length - a.length);
  const pattern = new RegExp(`(?<![\\w./-])(?:${targets.join('|')})(?=[/\\s'"]|$)`, 'gm');
  return text.replaceAll(pattern, (target) => paths.get(target) as string);
}
