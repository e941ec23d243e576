/** The programs under test: each serves the same redis-server on a port of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { onProcessEnd } from '../src/drill/servers/at-exit.ts';
import { freePort } from '../src/drill/servers/free-port.ts';
import { startNearcache } from '../src/drill/servers/nearcache-process.ts';
import { processBackend } from '../src/drill/servers/redis-process.ts';
import { answersSet } from './load/request.ts';
import { commandExists } from './machine.ts';

export const targetIds = ['direct', 'twemproxy', 'haproxy', 'nearcache-off', 'nearcache-hit'] as const;

/** direct = redis-server itself; nearcache-off = without a cache; nearcache-hit = with a cache, keys warm. */
export type TargetId = (typeof targetIds)[number];

/** One running target. Shape: `adminPort` only where there is one. */
export interface Target {
  readonly id: TargetId;
  readonly port: number;
  readonly pid: number;
  readonly adminPort?: number;
  stop(): Promise<void>;
}

/** A target that could not be started, and why. */
export interface MissingTarget {
  readonly id: TargetId;
  readonly reason: string;
}

/** The redis-server behind every target; saves nothing.
 *  Errors: rejects when there is no redis-server on the PATH. */
export async function startBackend(): Promise<Target> {
  const dir = mkdtempSync(join(tmpdir(), 'nearcache-bench-'));
  const redis = await processBackend.start({}, await freePort(), dir);
  return { id: 'direct', port: redis.port, pid: redis.pid, stop: () => redis.stop() };
}

/** Starts a target in front of `upstreamPort`. Never rejects: a target that is not installed or does not start is
 *  reported as missing, so that the others can still be measured. */
export async function startTarget(id: TargetId, upstreamPort: number): Promise<Target | MissingTarget> {
  try {
    if (id === 'direct') throw new Error('the backend is started by startBackend');
    if (id === 'twemproxy') return await startTwemproxy(upstreamPort);
    if (id === 'haproxy') return await startHaproxy(upstreamPort);
    return await startNearcacheTarget(id, upstreamPort);
  } catch (error) {
    return { id, reason: reasonOf(error) };
  }
}

/** The line of an error that says what went wrong, without this machine's paths: results are published. */
export function reasonOf(error: unknown): string {
  const lines = (error instanceof Error ? error.message : String(error)).split('\n');
  const line = lines.find((each) => /^\w*Error: /.test(each)) ?? lines[0] ?? '';
  return line.replaceAll(process.cwd(), '.').slice(0, 160);
}

async function startNearcacheTarget(
  id: 'nearcache-off' | 'nearcache-hit',
  upstreamPort: number,
): Promise<Target> {
  const flags = ['--cache-size', id === 'nearcache-off' ? '0' : '64mb', '--log-level', 'warn'];
  const nearcache = await startNearcache({ upstream: upstreamPort, flags });
  const { port, pid, adminPort } = nearcache;
  return { id, port, pid, adminPort, stop: () => nearcache.stop() };
}

/** twemproxy in front of one Redis, or a ring of several that are called shard0, shard1 … */
export async function startTwemproxy(...upstreamPorts: readonly number[]): Promise<Target> {
  requireCommand('nutcracker');
  const [port, statsPort] = [await freePort(), await freePort()];
  const config = [
    'bench:',
    `  listen: 127.0.0.1:${port}`,
    '  redis: true',
    '  hash: fnv1a_64',
    '  distribution: ketama',
    '  servers:',
    ...upstreamPorts.map((upstream, i) => `    - 127.0.0.1:${upstream}:1 shard${i}`),
    `  hash_tag: "{}"`,
    '',
  ].join('\n');
  const args = (file: string): string[] => ['-c', file, '-a', '127.0.0.1', '-s', String(statsPort)];
  return startProxy({ id: 'twemproxy', command: 'nutcracker', port, config, args });
}

async function startHaproxy(upstreamPort: number): Promise<Target> {
  requireCommand('haproxy');
  const port = await freePort();
  // One thread, as the other proxies have one.
  const config = [
    'global',
    '  nbthread 1',
    '  maxconn 4096',
    'defaults',
    '  mode tcp',
    '  timeout connect 1s',
    '  timeout client 1h',
    '  timeout server 1h',
    'listen bench',
    `  bind 127.0.0.1:${port}`,
    `  server redis 127.0.0.1:${upstreamPort}`,
    '',
  ].join('\n');
  return startProxy({
    id: 'haproxy',
    command: 'haproxy',
    port,
    config,
    args: (file) => ['-db', '-q', '-f', file],
  });
}

interface ProxyPlan {
  readonly id: TargetId;
  readonly command: string;
  readonly port: number;
  readonly config: string;
  args(configFile: string): string[];
}

async function startProxy(plan: ProxyPlan): Promise<Target> {
  const dir = mkdtempSync(join(tmpdir(), 'nearcache-bench-'));
  const file = join(dir, plan.command);
  writeFileSync(file, plan.config);
  const child = spawn(plan.command, plan.args(file), { stdio: ['ignore', 'ignore', 'pipe'] });
  const forget = onProcessEnd(() => {
    child.kill('SIGKILL');
    rmSync(dir, { recursive: true, force: true });
  });
  const stop = async (): Promise<void> => {
    await end(child);
    forget();
    rmSync(dir, { recursive: true, force: true });
  };
  try {
    await waitUntilServing(child, plan);
  } catch (error) {
    await stop();
    throw error;
  }
  return { id: plan.id, port: plan.port, pid: child.pid as number, stop };
}

async function waitUntilServing(child: ChildProcess, plan: ProxyPlan): Promise<void> {
  let log = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    log = (log + chunk.toString()).slice(-2048);
  });
  const deadline = performance.now() + 10_000;
  while (!(await answersSet(plan.port))) {
    if (child.exitCode !== null) throw new Error(`${plan.command} ended: ${log.trim()}`);
    if (performance.now() > deadline) throw new Error(`${plan.command} did not answer within 10 s`);
    await delay(20);
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}

function requireCommand(command: string): void {
  if (!commandExists(command)) throw new Error(`${command} is not on the PATH`);
}
