// Makes sure that a redis-server ≥ 7 is on the PATH: the tests, the demo and the benchmarks run real ones. Plain JavaScript
// without dependencies, so that it runs under any Node before anything else does. Prints nothing when there is one.
import { spawnSync } from 'node:child_process';
import { existsSync, rmSync, writeFileSync } from 'node:fs';

const wantedMajor = 7;

/** How each system installs it: the program that tells the system, then the commands. */
const installers = [
  {
    program: 'apt-get',
    commands: [
      ['apt-get', 'update', '--quiet'],
      ['apt-get', 'install', '--quiet', '--yes', '--no-install-recommends', 'redis-server'],
    ],
  },
  { program: 'apk', commands: [['apk', 'add', '--no-cache', 'redis']] },
  { program: 'dnf', commands: [['dnf', 'install', '--assumeyes', 'redis']] },
];

try {
  ensureRedis();
  if (process.env.npm_lifecycle_event !== 'predemo') ensurePythonClient();
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}

function ensureRedis() {
  const before = installedMajor();
  if (before === undefined) install();
  const major = before ?? installedMajor();
  if (major === undefined) throw new Error('The package was installed, but no redis-server is on the PATH.');
  if (major < wantedMajor) {
    throw new Error(`redis-server ${major} is on the PATH, but ${wantedMajor} or newer is needed.`);
  }
}

/** The major version of the redis-server on the PATH, or undefined when there is none. */
function installedMajor() {
  const asked = spawnSync('redis-server', ['--version'], { encoding: 'utf8' });
  const version = /v=(\d+)\./.exec(asked.stdout ?? '');
  return version === null ? undefined : Number(version[1]);
}

function install() {
  const installer = installers.find(({ program }) => isOnPath(program));
  if (installer === undefined) {
    throw new Error(`No redis-server is on the PATH. Install Redis ${wantedMajor} or newer.`);
  }
  const byHand = installer.commands.map((command) => command.join(' ')).join(' && ');
  if (process.getuid?.() !== 0) {
    throw new Error(`No redis-server is on the PATH. Install it (as root: ${byHand}) and run this again.`);
  }
  console.log(`No redis-server is on the PATH; installing it: ${byHand}`);
  withoutStartingServices(() => {
    for (const [program, ...args] of installer.commands) run(program, args);
  });
}

/** Debian starts a service as it installs it, which would take port 6379; this file is its way to say no. */
function withoutStartingServices(action) {
  const policy = '/usr/sbin/policy-rc.d';
  const ours = isOnPath('apt-get') && !existsSync(policy);
  if (ours) writeFileSync(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    action();
  } finally {
    if (ours) rmSync(policy);
  }
}

/** redis-py, on which a test runs a Python app. Where this cannot install it, that test says what is missing. */
function ensurePythonClient() {
  const asked = spawnSync('/usr/bin/python3', ['-c', 'import redis'], { stdio: 'ignore' });
  if (asked.status === 0 || !isOnPath('apt-get') || process.getuid?.() !== 0) return;
  console.log('redis-py is not installed; installing it: apt-get install python3-redis');
  try {
    run('apt-get', ['update', '--quiet']);
    run('apt-get', ['install', '--quiet', '--yes', '--no-install-recommends', 'python3-redis']);
  } catch (error) {
    console.error(error.message);
  }
}

function run(program, args) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const { status, error } = spawnSync(program, args, { stdio: ['ignore', 'inherit', 'inherit'], env });
  if (status !== 0) throw new Error(`${program} ${args.join(' ')} failed (${error?.message ?? `exit ${status}`}).`);
}

function isOnPath(program) {
  return spawnSync(program, ['--version'], { stdio: 'ignore' }).error === undefined;
}
