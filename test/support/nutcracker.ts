import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { freePort } from '../../src/drill/servers/free-port.ts';
import { startProgram } from './program.ts';
import { connectRaw, type RawClient } from './raw-client.ts';

/** One pool of a nutcracker: it listens on a Unix socket. Shape: `settings` are lines such as `hash: md5`; a server is
 *  `host:port:weight name` or `/path:weight name`, where the name may be left out. */
export interface NutcrackerPool {
  readonly settings: readonly string[];
  readonly servers: readonly string[];
}

/** One running nutcracker. */
export interface Nutcracker {
  /** A connection to the pool of that index. */
  connect(pool: number): Promise<RawClient>;
  stop(): Promise<void>;
}

/** Starts a real nutcracker with these pools in front of Redis servers and waits until it listens. It ends with `stop()` or
 *  with this process.
 *  Errors: rejects with its own last words when it does not start. */
export async function startNutcracker(pools: readonly NutcrackerPool[]): Promise<Nutcracker> {
  const dir = mkdtempSync(join(tmpdir(), 'nearcache-nutcracker-'));
  const socketOf = (pool: number): string => join(dir, `${pool}.sock`);
  const config = join(dir, 'nutcracker.yml');
  writeFileSync(config, pools.map((pool, i) => poolConfig(pool, i, socketOf(i))).join('\n'));
  const statsPort = String(await freePort());
  const program = startProgram('nutcracker', ['-c', config, '-a', '127.0.0.1', '-s', statsPort]);
  let ended = false;
  const end = program.ended
    .then(
      ({ stderr }) => stderr,
      (error: unknown) => String(error),
    )
    .finally(() => {
      ended = true;
    });
  const stop = async (): Promise<void> => {
    program.child.kill('SIGKILL');
    await end;
    rmSync(dir, { recursive: true, force: true });
  };
  const deadline = performance.now() + 40_000;
  // It listens on one pool after another, before it serves any.
  while (!existsSync(socketOf(pools.length - 1))) {
    if (!ended && performance.now() < deadline) {
      await delay(10);
      continue;
    }
    await stop();
    throw new Error(
      `nutcracker ${ended ? 'ended' : 'did not listen within 40 s'}: ${(await end).slice(-2048)}`,
    );
  }
  return { connect: (pool) => connectRaw({ path: socketOf(pool) }), stop };
}

function poolConfig({ settings, servers }: NutcrackerPool, index: number, socket: string): string {
  return [
    `pool${index}:`,
    `  listen: ${socket} 0600`,
    '  redis: true',
    ...settings.map((line) => `  ${line}`),
    '  servers:',
    ...servers.map((server) => `    - ${server}`),
    '',
  ].join('\n');
}

const debianCommands = [
  ['apt-get', 'update', '--quiet'],
  ['apt-get', 'install', '--quiet', '--yes', '--no-install-recommends', 'nutcracker'],
] as const;
/** Debian starts a service as it installs it; this file is its way to say no. */
const servicePolicy = '/usr/sbin/policy-rc.d';

/** Makes sure that there is a nutcracker on the PATH, which root may install where there is an apt-get.
 *  Errors: throws, and says how to install it, where it is missing and cannot be installed. */
export function ensureNutcracker(): void {
  if (isOnPath('nutcracker')) return;
  const byHand = debianCommands.map((command) => command.join(' ')).join(' && ');
  if (!isOnPath('apt-get') || process.getuid?.() !== 0) {
    throw new Error(`No nutcracker (twemproxy) is on the PATH. Install it, as root on Debian: ${byHand}`);
  }
  console.log(`No nutcracker is on the PATH; installing it: ${byHand}`);
  const ours = !existsSync(servicePolicy);
  if (ours) writeFileSync(servicePolicy, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    for (const [program, ...args] of debianCommands) run(program, args);
  } finally {
    if (ours) rmSync(servicePolicy);
  }
  if (!isOnPath('nutcracker'))
    throw new Error('The package was installed, but no nutcracker is on the PATH.');
}

function run(program: string, args: readonly string[]): void {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8', env });
  if (status === 0) return;
  throw new Error(`${program} ${args.join(' ')} failed: ${`${stdout}${stderr}`.trim().slice(-2048)}`);
}

function isOnPath(program: string): boolean {
  return spawnSync(program, ['--version'], { stdio: 'ignore' }).error === undefined;
}
