import { spawnSync } from 'node:child_process';
import { availableParallelism, cpus, release } from 'node:os';

/** Where and with what a result was measured. Shape: a program that is not installed is undefined. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly kernel: string;
  readonly node: string;
  readonly redis: string | undefined;
  readonly twemproxy: string | undefined;
  readonly haproxy: string | undefined;
  /** ISO 8601, UTC. */
  readonly date: string;
  readonly command: string;
}

/** Describes this machine. `command` is what the user typed. */
export function describeMachine(command: string): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    kernel: release(),
    node: process.versions.node,
    redis: versionOf('redis-server', ['--version'], /v=(\S+)/),
    twemproxy: versionOf('nutcracker', ['-V'], /nutcracker-(\S+)/),
    haproxy: versionOf('haproxy', ['-v'], /version (\S+)/),
    date: new Date().toISOString(),
    command,
  };
}

/** One line for the terminal and the plot. */
export function machineLine(machine: Machine): string {
  const { twemproxy, haproxy } = machine;
  return [
    `${machine.cpu} × ${machine.cores}`,
    `Linux ${machine.kernel}`,
    `node ${machine.node}`,
    `redis ${machine.redis ?? 'missing'}`,
    ...(twemproxy === undefined ? [] : [`twemproxy ${twemproxy}`]),
    ...(haproxy === undefined ? [] : [`haproxy ${haproxy}`]),
    machine.date.slice(0, 10),
  ].join(', ');
}

/** Is there such a program on the PATH? */
export function commandExists(command: string): boolean {
  return spawnSync(command, ['--version'], { stdio: 'ignore' }).error === undefined;
}

function versionOf(command: string, args: readonly string[], pattern: RegExp): string | undefined {
  const run = spawnSync(command, args, { encoding: 'utf8' });
  // nutcracker prints its version on stderr.
  return pattern.exec(`${run.stdout}${run.stderr}`)?.[1];
}
